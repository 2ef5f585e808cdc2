"""SeqGAN on sequences of a known law, next to the controls that show what its score is worth.

``python examples/seqgan_oracle.py`` plays a smaller form of the paper's experiment, about ten minutes on one core: an
LSTM with parameters from N(0, 1) over 500 tokens writes 2,000 sequences of 12. ``--oracle FILE.npz`` plays it with the
published oracle, 5,000 tokens and 10,000 sequences of 20, on a reduced schedule: about a quarter of an hour a seed.
"""

import argparse
import copy
import os
from dataclasses import dataclass, replace

import torch

import gancore
from gancore.datasets.text import Tokens
from gancore.kernels.ngram import self_bleu
from gancore.networks._lstm import LSTMGenerator
from gancore.text.likelihood import nll, oracle, published_oracle
from gancore.training.order import DataOrder
from gancore.training.state import TrainingState

MEASURED = 2000  # samples and held-out sequences


@dataclass(frozen=True)
class Protocol:
    """How large the experiment is: the data, the turns of each phase, and the recipe's choices."""

    size: int
    length: int
    n: int
    likelihood_steps: int
    critic_rounds_before: int
    turns: int
    choices: dict[str, object]


QUICK = Protocol(50, 6, 200, 20, 1, 2, {"n_rollouts": 2, "critic_rounds": 1})
SMALL = Protocol(500, 12, 2000, 480, 10, 60, {"n_rollouts": 8, "critic_rounds": 1})
# Fifteen epochs of likelihood; policy steps at the published rate, with half of its roll-outs.
PUBLISHED = Protocol(5000, 20, 10_000, 2340, 30, 60, {"n_rollouts": 8, "critic_rounds": 2, "policy_lr": 1e-2})

# The reward and the baseline of each arm that goes on from the likelihood phase, the same bits for all of a seed.
ARMS = {
    "SeqGAN, centred": ("probability", "leave_one_out"),
    "SeqGAN, not centred": ("probability", "none"),
    "random reward, centred": ("random", "leave_one_out"),
    "random reward, not centred": ("random", "none"),
    "constant reward, not centred": ("constant", "none"),
}


def codes(n: int, seed: int, length: int) -> torch.Tensor:
    return torch.randn(n, length, generator=torch.Generator().manual_seed(seed))


def go_on(state: TrainingState, data: Tokens, seed: int, turns: int, **changed: object) -> TrainingState:
    """A copy of a state after more turns, with some settings of the game or its estimator changed."""
    state = copy.deepcopy(state)
    game = state.system.game
    estimator = replace(game.estimator, **{name: changed.pop(name) for name in ("reward", "baseline") & changed.keys()})
    state.system = replace(state.system, game=replace(game, estimator=estimator, **changed))
    order = DataOrder(len(data), seed)

    def next_batch() -> torch.Tensor:
        state.drawn += state.system.batch_size
        return data.batch(order.indices(state.drawn - state.system.batch_size, state.system.batch_size))

    for _ in range(turns):
        state.system.game.turn(state, next_batch)
        state.step += 1
    return state


def play(protocol: Protocol, data: Tokens, seed: int):
    """The generator of each arm."""
    system = gancore.systems.get("seqgan")(
        ends=False,
        pretrain_steps=protocol.likelihood_steps,
        critic_pretrain_rounds=protocol.critic_rounds_before,
        **protocol.choices,
    ).fitted(data.shape)
    state = TrainingState.create(system, data.shape, seed=seed, device=torch.device("cpu"), precision="float32")
    yield "before training", state.generator
    state = go_on(state, data, seed, protocol.likelihood_steps)
    yield "maximum likelihood", state.generator
    longer = go_on(state, data, seed, protocol.turns, pretrain_steps=protocol.likelihood_steps + protocol.turns)
    yield "maximum likelihood, longer", longer.generator
    judged = go_on(state, data, seed, protocol.critic_rounds_before)
    for arm, (reward, baseline) in ARMS.items():
        if reward == "probability":
            arm_state = go_on(judged, data, seed, protocol.turns, reward=reward, baseline=baseline)
        else:  # these look at no critic
            critic = {"critic_pretrain_rounds": 0, "critic_rounds": 0}
            arm_state = go_on(state, data, seed, protocol.turns, reward=reward, baseline=baseline, **critic)
        yield arm, arm_state.generator


def measure(samples: torch.Tensor, generator: LSTMGenerator, truth: LSTMGenerator, test: torch.Tensor) -> list[float]:
    return [
        nll(truth, samples),
        nll(generator, test),
        self_bleu(samples.tolist(), n=3),
        float(len(samples.unique())),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oracle", help="the published oracle's arrays, an .npz file")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    quick = "GANCORE_EXAMPLE_STEPS" in os.environ
    given = parser.parse_args(["--seeds", "0"] if quick else None)
    path = given.oracle
    protocol = QUICK if quick else SMALL if path is None else PUBLISHED
    found: dict[str, list[list[float]]] = {}
    for seed in given.seeds:
        truth = (
            oracle(size=protocol.size, length=protocol.length, seed=seed) if path is None else published_oracle(path)
        )
        real = truth(codes(protocol.n, 100 + seed, protocol.length))
        test = truth(codes(MEASURED, 200 + seed, protocol.length))
        data = Tokens(real, size=protocol.size, name="oracle")
        found.setdefault("the oracle itself", []).append(measure(test, truth, truth, test))
        for arm, generator in play(protocol, data, seed):
            samples = generator(codes(MEASURED, 300 + seed, protocol.length))
            found.setdefault(arm, []).append(measure(samples, generator, truth, test))
            print(f"seed {seed}, {arm}:", *(f"{value:.4g}" for value in found[arm][-1]), flush=True)
    print("| arm | NLL-oracle | NLL-test | self-BLEU-3 | distinct tokens |")
    print("|---|---|---|---|---|")
    for arm, rows in found.items():
        cells = [" ".join(f"{value:.4g}" for value in column) for column in zip(*rows, strict=True)]
        print(f"| {arm} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
