r"""Settings of published Langevin loops by name, and the temperature that each of them really samples.

A loop :math:`z \leftarrow z - a \nabla E(z) + b\, \xi` targets :math:`e^{-E/T}` with :math:`T = b^2 / (2 a)`, whatever
its flags are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import final

from gancore.errors import UnknownNameError

__all__ = ["Preset", "Presets", "presets"]


@dataclass(frozen=True)
class Preset:
    """One loop.

    Attributes
    ----------
    name, source : str
        What it is called here, and where it stands.
    step_size, noise : float
        The a and b of the loop.
    prior : bool or None
        Whether its energy has the latent prior's term; None where there is no latent code.
    """

    name: str
    source: str
    step_size: float
    noise: float
    prior: bool | None

    @property
    def temperature(self) -> float:
        """The T of the distribution that the loop samples: b^2 / (2 a)."""
        return self.noise**2 / (2 * self.step_size)

    @property
    def settings(self) -> dict[str, float]:
        """`step_size` and `temperature` for :func:`langevin`, whose steps then are those of the loop."""
        return {"step_size": self.step_size, "temperature": self.temperature}


@final
class Presets(Mapping[str, Preset]):
    """Presets by name; printed, a table with the true T of each."""

    def __init__(self, rows: tuple[Preset, ...]) -> None:
        self._rows = {row.name: row for row in rows}

    def __getitem__(self, name: str) -> Preset:
        if name not in self._rows:
            raise UnknownNameError("preset", name, self._rows)
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __str__(self) -> str:
        words = {True: "yes", False: "no", None: "-"}
        rows = [("preset", "step size", "noise", "true T", "prior term", "source")]
        rows += [
            (r.name, f"{r.step_size:g}", f"{r.noise:.4g}", f"{r.temperature:.3g}", words[r.prior], r.source)
            for r in self.values()
        ]
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def presets() -> Presets:
    """Published Langevin loops, as their code runs.

    Returns
    -------
    Presets
        A mapping from names to :class:`Preset`.

    Notes
    -----
    `temperature` of :func:`ddls` divides the critic's score and leaves the prior; that of a loop divides the whole
    energy. They are one at T = 1, so a preset of another T is one for :func:`langevin`.

    Examples
    --------
    >>> presets()["jem"].temperature  # not 1
    5e-05
    >>> import torch
    >>> from gancore.samplers import langevin
    >>> chains = langevin(lambda x: x.square().sum(dim=1), torch.zeros(5, 2), steps=3, **presets()["ddls"].settings)
    """
    return Presets(
        (
            Preset("ddls", "Che et al. (2020), algorithm 1, epsilon 0.01", 0.005, 0.1, prior=True),
            Preset("repgan", "Wang et al. (2021), repgan.py, tau 0.01; adjusted", 0.005, 0.1, prior=True),
            Preset("ex2mcmc", "svsamsonov/ex2mcmc_new, ula and mala", 0.01, 0.02**0.5, prior=True),
            Preset("cgan_ddls", "an unofficial conditional DDLS: sgld_lr 0.01, sgld_std 0.1", 0.01, 0.1, prior=True),
            Preset("dgflow", "Ansari et al. (2021), dgflow.py, eta 0.1, gamma 0.01", 0.1, 0.002**0.5, prior=False),
            Preset("meg", "Kumar et al. (2019), sampler.py, alpha 0.01, temp 0.1", 0.001, 0.02**0.5, prior=False),
            Preset("igebm", "Du and Mordatch (2019), step 10, noise 0.005", 10.0, 0.005, prior=None),
            Preset("jem", "Grathwohl et al. (2020), sgld_lr 1, sgld_std 0.01", 1.0, 0.01, prior=None),
            Preset("ebm_anatomy", "Nijkamp et al. (2020), step 1, noise 0.01", 1.0, 0.01, prior=None),
        )
    )
