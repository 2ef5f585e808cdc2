"""Transport by the critic against moves that can be written down."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gancore.errors import BackendError, DomainError, NumericalError, SamplingWarning, UnknownNameError
from gancore.samplers import Samples, optimal_transport, plain


def rise(x: Tensor) -> Tensor:
    return 3 * x[:, 0]


def move(critic: object, n: int = 50, **settings: object) -> Samples:
    return optimal_transport(lambda z: z, critic, n, **({"latent_dim": 2} | settings))


def starts(n: int = 50, **settings: object) -> Tensor:
    return plain(lambda z: z, None, n, latent_dim=2, **settings).z


def test_the_first_step_follows_the_critic_alone() -> None:
    moved = move(rise, steps=1, step_size=0.1, lipschitz=3.0).z
    torch.testing.assert_close(moved, starts() + torch.tensor([0.1, 0.0]))


@pytest.mark.parametrize(("lipschitz", "gain"), [(1.5, True), (6.0, False)])
def test_a_code_leaves_only_where_the_critic_is_steeper_than_k(lipschitz: float, gain: bool) -> None:
    """A slope of twice k pulls at net speed 2 - 1; a slope of k / 2 is held back at its start."""
    moved = (move(rise, steps=100, step_size=0.01, lipschitz=lipschitz).z - starts())[:, 0]
    expected = torch.full((50,), 1.0 if gain else 0.0)
    torch.testing.assert_close(moved, expected, atol=0.03, rtol=0)


def test_k_is_the_steepest_pair_and_takes_the_scale_out() -> None:
    """It never passes the slope of a linear critic; a critic of another scale moves codes alike."""
    found = move(rise, steps=20)
    assert 2.9 < found.info.calibration["lipschitz"] <= 3.0 * (1 + 1e-6)
    torch.testing.assert_close(move(lambda x: 1000 * rise(x) - 5, steps=20).z, found.z, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("prior", ["normal", "uniform", "sphere"])
def test_the_score_rises_and_codes_stay_in_the_prior(prior: str) -> None:
    def critic(x: Tensor) -> Tensor:
        return -(x - 0.5).square().sum(dim=1)

    moved = move(critic, prior=prior)
    assert (critic(moved.x).mean() > critic(starts(prior=prior)).mean()).item()
    assert moved.info.energies[-1] < moved.info.energies[0]
    if prior == "uniform":
        assert moved.z.abs().max() < 1
    if prior == "sphere":
        torch.testing.assert_close(moved.z.norm(dim=1), torch.full((50,), 2**0.5))
    assert moved.info.generator_calls == 200 + 50 * 102
    assert moved.info.critic_calls == 200 + 50 * 101


@pytest.mark.parametrize(
    ("critic", "settings", "error", "match"),
    [
        (lambda x: 0 * x[:, 0], {}, DomainError, "same score"),
        (lambda x: x[:, 0].detach(), {}, BackendError, "no gradient"),
        (lambda x: x[:, 0].log(), {}, NumericalError, "not finite"),
        (rise, {"steps": 0}, DomainError, "steps"),
        (rise, {"step_size": 0.0}, DomainError, "step_size"),
        (rise, {"lipschitz": -1.0}, DomainError, "lipschitz"),
    ],
)
def test_refuses(critic: object, settings: dict[str, object], error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        move(critic, **settings)


def test_in_target_space_the_samples_move_and_the_codes_do_not() -> None:
    """A generator that squeezes: in its own space the slope is another, and so is the path."""
    critic, stretch = rise, torch.tensor([0.5, 2.0])
    settings = {"latent_dim": 2, "steps": 20, "step_size": 0.01, "lipschitz": 1.5, "space": "target"}
    moved = optimal_transport(lambda z: z * stretch, critic, 50, **settings)
    assert torch.equal(moved.z, starts())
    torch.testing.assert_close(moved.x, starts() * stretch + torch.tensor([0.2 + 0.01, 0.0]), atol=0.02, rtol=0)
    assert moved.info.generator_calls == 50


def test_in_target_space_k_is_the_slope_between_samples() -> None:
    settings = {"latent_dim": 2, "space": "target", "steps": 1}
    found = optimal_transport(lambda z: 10 * z, rise, 5, **settings).info.calibration["lipschitz"]
    assert 2.9 < found <= 3.0 * (1 + 1e-6)
    codes = optimal_transport(lambda z: 10 * z, rise, 5, latent_dim=2, steps=1).info.calibration["lipschitz"]
    assert codes == pytest.approx(10 * found)


def test_in_target_space_images_keep_their_shape_and_stops_are_named() -> None:
    def critic(x: Tensor) -> Tensor:
        flat = x.flatten(1)
        return flat.sum(dim=1) + torch.where(flat[:, 0] > 1, torch.nan, 0.0)

    settings = {"latent_dim": 4, "space": "target", "lipschitz": 0.5, "steps": 40}
    with pytest.warns(SamplingWarning, match="of 40 chains"):
        found = optimal_transport(lambda z: 0.3 * z.reshape(-1, 1, 2, 2), critic, 40, **settings)
    assert found.x.shape == (40, 1, 2, 2)
    assert (found.x[:, 0, 0, 0] <= 1).all()
    assert 0 < len(found.info.stopped) < 40
    with pytest.raises(BackendError, match="with respect to the samples"):
        optimal_transport(lambda z: z, lambda x: x[:, 0].detach(), 5, latent_dim=2, space="target")
    with pytest.raises(UnknownNameError, match="space"):
        move(rise, space="sample")
