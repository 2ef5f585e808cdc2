"""SeqGAN on sequences of a known law, next to the controls that show what its score is worth.

Run with ``python examples/seqgan_oracle.py``; about ten minutes on one core. A smaller form of the paper's experiment:
an LSTM with parameters from N(0, 1) over 500 tokens writes 2,000 sequences of 12. Where ``GANCORE_DATA`` has the
published oracle, its entropy is checked first.
"""

import os
from pathlib import Path

import torch

import gancore
from gancore.datasets.text import Tokens
from gancore.kernels.ngram import self_bleu
from gancore.text.likelihood import nll, oracle, published_oracle

SIZE, LENGTH = 500, 12
QUICK = "GANCORE_EXAMPLE_STEPS" in os.environ
N = 200 if QUICK else 2000
SEEDS = (0,) if QUICK else (0, 1, 2)
LIKELIHOOD, CRITIC, GAME = (20, 1, 2) if QUICK else (480, 10, 60)

# What each arm changes; the first stops before the game.
ARMS = {
    "maximum likelihood": {},
    "maximum likelihood, longer": {"pretrain_steps": LIKELIHOOD + GAME},
    "SeqGAN, centred": {},
    "SeqGAN, not centred": {"baseline": "none"},
    "random reward, centred": {"reward": "random"},
    "random reward, not centred": {"reward": "random", "baseline": "none"},
    "constant reward, not centred": {"reward": "constant", "baseline": "none"},
}


def codes(n: int, seed: int, length: int = LENGTH) -> torch.Tensor:
    return torch.randn(n, length, generator=torch.Generator().manual_seed(seed))


def play(arm: str, data: Tokens, seed: int) -> gancore.Run:
    """Train one arm; all arms of a seed share their likelihood phase, bit for bit."""
    choices = {"pretrain_steps": LIKELIHOOD, "critic_pretrain_rounds": CRITIC, "critic_rounds": 1, **ARMS[arm]}
    if "reward" in choices:  # these look at no critic
        choices |= {"critic_pretrain_rounds": 0, "critic_rounds": 0}
    steps = choices["pretrain_steps"]
    if "likelihood" not in arm:
        steps += choices["critic_pretrain_rounds"] + GAME
    system = gancore.systems.get("seqgan")(n_rollouts=8, ends=False, **choices)
    return gancore.train(system, data, steps=steps, seed=seed, progress=False)


def measure(run: gancore.Run, truth: torch.nn.Module, held_out: torch.Tensor) -> dict[str, float]:
    samples = run.sample(N, seed=1).x
    return {
        "NLL-oracle": nll(truth, samples),
        "NLL-test": nll(run.generator, held_out),
        "self-BLEU-3": self_bleu(samples.tolist(), n=3),
        "distinct tokens": float(len(samples.unique())),
    }


def main() -> None:
    root = os.environ.get("GANCORE_DATA")
    if root and (path := Path(root, "text", "seqgan_oracle_lstm_params.npz")).exists():
        published = published_oracle(path)
        print(f"published oracle: {nll(published, published(codes(500, 0, 20))):.3f} nats a token on its own samples")
    found: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
    floor = []
    for seed in SEEDS:
        truth = oracle(size=SIZE, length=LENGTH, seed=seed)
        real, held_out = truth(codes(N, 100 + seed)), truth(codes(N, 200 + seed))
        floor.append({"NLL-oracle": nll(truth, held_out), "NLL-test": nll(truth, held_out)})
        floor[-1] |= {"self-BLEU-3": self_bleu(held_out.tolist(), n=3), "distinct tokens": len(held_out.unique())}
        data = Tokens(real, size=SIZE, name="oracle")
        for arm in ARMS:
            found[arm].append(measure(play(arm, data, seed), truth, held_out))
    names = list(floor[0])
    print("| arm |", " | ".join(names), "|")
    print("|---|" + "---|" * len(names))
    for arm, rows in {"the oracle itself": floor, **found}.items():
        cells = [" ".join(f"{row[name]:.4g}" for row in rows) for name in names]
        print(f"| {arm} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
