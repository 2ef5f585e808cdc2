from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from gancore import systems
from gancore.errors import ConfigError, DataError, IncompatibleChoiceError, UnknownNameError
from gancore.training import Run, train
from gancore.training.checkpoint import list_checkpoints, load
from gancore.training.state import TrainingState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gancore.datasets import Data
    from gancore.systems import System

QUIET = {"progress": False, "log_every": 1, "device": "cpu"}


@pytest.mark.parametrize("name", systems.names())
def test_what_is_loaded_is_what_was_trained(
    name: str, data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    run = train(small(name), data, steps=3, out=tmp_path, seed=4, **QUIET)
    loaded = Run.load(tmp_path, device="cpu")
    z = torch.randn(4, 5)
    assert torch.equal(loaded.generator(z), run.generator(z))
    assert torch.equal(loaded.critic(run.generator(z)), run.critic(run.generator(z)))
    for attribute in ("system", "shape", "kind", "data_name", "seed", "step", "history", "folder", "device"):
        assert getattr(loaded, attribute) == getattr(run, attribute), attribute
    assert (run.shape, run.kind, run.data_name, run.step) == (data.shape, data.kind, data.name, 3)


def test_networks_are_at_rest(data: Data, small: Callable[..., System]) -> None:
    run = train(small("dcgan"), data, steps=2, **QUIET)
    for network in (run.generator, run.critic, run.untrained_generator()):
        assert not any(module.training for module in network.modules())
        assert not any(parameter.requires_grad for parameter in network.parameters())


def test_untrained_generator_is_the_one_that_training_began_with(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    system = small("dcgan")
    start = TrainingState.create(system, (1, 8, 8), seed=4, device=torch.device("cpu"), precision="float32")
    train(system, data, steps=2, out=tmp_path, seed=4, **QUIET)
    untrained = Run.load(tmp_path).untrained_generator().state_dict()
    assert all(torch.equal(value, untrained[key]) for key, value in start.generator.state_dict().items())


def test_samples_are_the_generators(data: Data, small: Callable[..., System]) -> None:
    run = train(small("dcgan", prior="uniform"), data, steps=2, **QUIET)
    samples = run.sample(7, seed=3)
    assert samples.x.shape == (7, 1, 8, 8)
    assert samples.z.shape == (7, 5)
    assert samples.z.abs().max() <= 1, "the system's prior"
    torch.testing.assert_close(samples.x, run.generator(samples.z))
    assert torch.equal(run.sample(7, seed=3).x, samples.x)
    assert not torch.equal(run.sample(7, seed=4).x, samples.x)


def test_sampler_gets_networks_prior_and_settings(
    data: Data, small: Callable[..., System], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def spy(generator: object, critic: object, n: int, **settings: object) -> str:
        asked.update(settings, generator=generator, critic=critic, n=n)
        return "samples"

    run = train(small("wgan", prior="sphere"), data, steps=1, **QUIET)
    monkeypatch.setattr("gancore.registry.get", lambda axis, name: {("samplers", "spy"): spy}[axis, name])
    assert run.sample(3, seed=9, sampler="spy", steps=50) == "samples"
    expected = {"latent_dim": 5, "prior": "sphere", "critic_kind": "wasserstein", "seed": 9, "steps": 50, "n": 3}
    assert asked == expected | {"generator": run.generator, "critic": run.critic}


def test_requests_that_cannot_be_met(data: Data, small: Callable[..., System]) -> None:
    run = train(small(), data, steps=1, **QUIET)
    with pytest.raises(IncompatibleChoiceError, match=r"labels.*unconditional"):
        run.sample(3, labels=[1, 2, 3])
    with pytest.raises(UnknownNameError, match="'plain'"):
        run.sample(3, sampler="plane")


def test_a_system_put_together_by_hand_has_to_be_given_again(
    data: Data, small: Callable[..., System], tmp_path: Path
) -> None:
    system = replace(small(), latent_dim=3, name="custom")
    run = train(system, data, steps=2, out=tmp_path, **QUIET)
    with pytest.raises(ConfigError, match=r"put together by hand.*`system`"):
        Run.load(tmp_path)
    loaded = Run.load(tmp_path, system=system)
    z = torch.randn(4, 3)
    assert torch.equal(loaded.generator(z), run.generator(z))
    with pytest.raises(ConfigError, match="the right one"):
        Run.load(tmp_path, system=small())


def test_a_recipe_changed_by_hand_is_noticed(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    """Its name is registered, but calling the recipe again would build another system."""
    train(replace(small(), latent_dim=3), data, steps=2, out=tmp_path, **QUIET)
    with pytest.raises(ConfigError, match="3 x normal"):
        Run.load(tmp_path)


def test_folders_that_hold_no_run_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere.*run\.json"):
        Run.load(tmp_path / "nowhere")
    for content, message in (
        ("{", "cannot be read as JSON"),
        ("[]", "not the record"),
        ('{"format": "gancore run", "version": 99}', "expected version 1, got 99"),
        ('{"format": "gancore run", "version": 1}', "missing"),
    ):
        (tmp_path / "run.json").write_text(content)
        with pytest.raises(DataError, match=message):
            Run.load(tmp_path)


def test_a_run_without_checkpoints_is_named(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    train(small(), data, steps=1, out=tmp_path, **QUIET)
    for path in (tmp_path / "checkpoints").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="no checkpoint"):
        Run.load(tmp_path)


def test_the_record_says_what_was_asked_for(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    system = small("wgan_gp")
    train(system, data, steps=2, out=tmp_path, seed=4, **QUIET)
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["system"] == "wgan_gp"
    assert record["choices"] == system.choices
    assert record["data"] == {"name": "noisy", "kind": "image", "shape": [1, 8, 8], "n": 20}
    assert (record["seed"], record["steps"], record["device"], record["precision"]) == (4, 2, "cpu", "float32")
    assert record["versions"]["torch"] == torch.__version__


def test_critic_is_averaged_as_the_generator_is(data: Data, small: Callable[..., System], tmp_path: Path) -> None:
    run = train(small(ema=0.5), data, steps=4, out=tmp_path, **QUIET)
    checkpoint = load(list_checkpoints(tmp_path / "checkpoints")[0])
    for name, network in (("generator", run.generator), ("critic", run.critic)):
        averaged, current = checkpoint.under(f"average/{name}/"), checkpoint.under(f"network/{name}/")
        assert all(torch.equal(value, averaged[key]) for key, value in network.state_dict().items())
        assert any(not torch.equal(value, current[key]) for key, value in averaged.items())
