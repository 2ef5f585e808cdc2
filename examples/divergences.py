"""Two pictures of what a divergence sees: parallel lines, and one Gaussian fitted to a mixture of two.

Run it for the pictures: ``python examples/divergences.py`` writes parallel_lines.png and gaussian_fits.png.
"""

import numpy as np

from gancore.kernels.divergence import jensen_shannon, kl, reverse_kl, total_variation
from gancore.kernels.emd import emd

LINE = np.linspace(0.0, 1.0, 12)
X = np.linspace(-12.0, 12.0, 769)
DIVERGENCES = {"KL(p, q)": kl, "KL(q, p)": reverse_kl, "JSD(p, q)": jensen_shannon}


def distances(theta: float) -> dict[str, float]:
    """Between atoms on the line x = 0 and the same atoms on the line x = theta."""
    p_atoms = np.stack([np.zeros_like(LINE), LINE], axis=1)
    q_atoms = np.stack([np.full_like(LINE, theta), LINE], axis=1)
    masses = np.full(len(LINE), 1 / len(LINE))
    plan = emd(masses, masses, np.linalg.norm(p_atoms[:, None] - q_atoms, axis=-1))

    # Divergences know nothing of distance: they see both as masses on the union of the supports.
    support, where = np.unique(np.concatenate([p_atoms, q_atoms]), axis=0, return_inverse=True)
    p, q = (np.bincount(part, minlength=len(support)) / len(LINE) for part in np.split(where.ravel(), 2))
    return {"W1": plan.cost, "KL": kl(p, q), "TV": total_variation(p, q), "JSD": jensen_shannon(p, q)}


def gaussian(mean: np.ndarray | float, std: np.ndarray | float) -> np.ndarray:
    """Masses on the grid, (..., 769)."""
    z = (X - np.expand_dims(mean, -1)) / np.expand_dims(std, -1)
    density = np.exp(-z * z / 2)
    return density / density.sum(-1, keepdims=True)


def fit(divergence: object, p: np.ndarray) -> tuple[float, float, float]:
    """Mean and standard deviation of the Gaussian nearest to p, and how near it is, by search on ever finer grids."""
    mean, std, reach = 0.0, 2.0, 1.9
    while reach > 1e-3:
        means, stds = np.meshgrid(mean + 2 * reach * np.linspace(-1, 1, 17), std + reach * np.linspace(-1, 1, 17))
        values = divergence(np.broadcast_to(p, (*means.shape, len(p))), gaussian(means, np.maximum(stds, 0.05)))
        best = np.unravel_index(values.argmin(), values.shape)
        mean, std, reach = means[best], max(stds[best], 0.05), reach / 4
    return mean, std, values[best]


thetas = np.linspace(-1.0, 1.0, 41)
curves = [distances(theta) for theta in thetas]
for theta in (0.0, 0.05, 0.5, 1.0):
    print(f"theta {theta:4.2f}  ", "  ".join(f"{name} {value:.4f}" for name, value in distances(theta).items()))

MIXTURES = {"near": 0.65 * gaussian(-1.5, 0.6) + 0.35 * gaussian(1.5, 0.6),
            "far": 0.65 * gaussian(-2.2, 0.6) + 0.35 * gaussian(2.2, 0.6)}  # fmt: skip
fits = [
    (apart, name, mixture, *fit(divergence, mixture))
    for apart, mixture in MIXTURES.items()
    for name, divergence in DIVERGENCES.items()
]
for apart, name, _, mean, std, value in fits:
    print(f"modes {apart:<4} least {name:<9} {value:.4f} at mean {mean:6.3f}, standard deviation {std:.3f}")

if __name__ == "__main__":
    from gancore.figures.style import LIGHT, label, panels

    def save(figure: object, name: str) -> None:
        figure.savefig(name, dpi=120, facecolor="white")

    figure, (lines, panel) = panels(2, LIGHT, size=(4.4, 3.2))
    for theta, name, colour in ((0.0, "p", LIGHT.ink), (0.6, "q", LIGHT.series[0])):
        lines.plot(np.full_like(LINE, theta), LINE, "o-", color=colour, markersize=4, linewidth=1)
        lines.annotate(name, (theta, 1.06), ha="center", color=colour, fontsize=9)
    lines.annotate("", (0.6, 0.45), (0.0, 0.45), arrowprops={"arrowstyle": "<->", "color": LIGHT.muted})
    lines.annotate("θ", (0.3, 0.47), ha="center", color=LIGHT.muted, fontsize=9)
    lines.set(xlim=(-0.5, 1.1), ylim=(-0.08, 1.2), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    label(lines, LIGHT, title="Parallel lines")

    top = 1.35
    apart = thetas != 0
    for name, colour in zip(("W1", "JSD", "TV", "KL"), LIGHT.series, strict=False):
        values = np.minimum([row[name] for row in curves], top)
        if name == "W1":
            panel.plot(thetas, values, color=colour, linewidth=2)
        else:
            for side in (thetas < 0, thetas > 0):
                panel.plot(thetas[side], values[side], color=colour, linewidth=2)
            panel.plot(0, values[~apart].item(), "o", color=LIGHT.ink, markersize=4, zorder=3)
    for name, height, colour in (
        ("KL = ∞", top, LIGHT.series[3]), ("TV = 1", 1.0, LIGHT.series[2]), ("JSD = log 2", np.log(2), LIGHT.series[1]),
        ("W₁ = |θ|", 0.32, LIGHT.series[0]),
    ):  # fmt: skip
        panel.annotate(name, (-0.5 if height > 0.6 else -0.1, height + 0.03), color=colour, fontsize=8.5, ha="center")
    panel.set(ylim=(-0.05, 1.5), xticks=[-1, -0.5, 0, 0.5, 1], yticks=[0, 0.5, 1])
    label(panel, LIGHT, title="Only transport tells how far apart", x="θ")
    save(figure, "parallel_lines.png")

    figure, axes = panels(6, LIGHT, size=(3.2, 2.3), columns=3)
    step = X[1] - X[0]
    for panel, colour, (apart, name, mixture, mean, std, value) in zip(axes, LIGHT.series[:3] * 2, fits, strict=True):
        panel.fill_between(X, mixture / step, color=LIGHT.rule, linewidth=0)
        panel.plot(X, gaussian(mean, std) / step, color=colour, linewidth=2)
        panel.set(xlim=(-6, 6), ylim=(0, 0.72), yticks=[0, 0.3, 0.6])
        label(panel, LIGHT, title=f"{name} = {value:.2f}", x=f"modes {apart}: mean {mean:.2f}, std {std:.2f}")
    save(figure, "gaussian_fits.png")
