"""Features of the batch: right values, and critics that see a collapse."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gancore import systems
from gancore.errors import DomainError, IncompatibleChoiceError, ShapeError
from gancore.networks import choose
from gancore.networks._minibatch import minibatch_layer

KINDS = ("discrimination", "std")


def test_discrimination_is_the_sum_of_closeness_over_the_others() -> None:
    torch.manual_seed(0)
    (layer,), features = minibatch_layer("discrimination", 5)
    x = torch.randn(4, 5)
    out = layer(x)
    assert out.shape == (4, features)
    assert torch.equal(out[:, :5], x)
    for i in range(4):
        for b in range(features - 5):
            m = x @ layer.projection[:, b]
            expected = sum(torch.exp(-(m[i] - m[j]).abs().sum()) for j in range(4) if j != i)
            assert out[i, 5 + b].item() == pytest.approx(expected.item(), rel=1e-4)


def test_std_is_the_mean_spread_of_the_features() -> None:
    (layer,), features = minibatch_layer("std", 5)
    x = torch.randn(6, 5)
    assert features == 6
    torch.testing.assert_close(layer(x)[:, 5], x.std(dim=0, unbiased=False).mean().expand(6), atol=1e-4, rtol=1e-4)
    same = torch.ones(6, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(same).sum(), same)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("networks", "shape"), [("mlp", (2,)), ("mlp", (1, 8, 8)), ("dcgan", (3, 12, 16))])
def test_the_critic_of_one_sample_sees_the_others(kind: str, networks: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    critic = choose(networks, width=8, critic_norm="none", critic_minibatch=kind).critic(shape)
    x = torch.randn(6, *shape)
    collapsed = x[:1].expand(6, *shape)
    assert critic(x).shape == (6,)
    assert critic(x)[0] != critic(collapsed)[0]
    critic(x).sum().backward()
    assert all(p.grad is not None for p in critic.parameters())
    with pytest.raises(ShapeError, match="batch"):
        critic(x[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_what_ties_samples_together_excludes_penalties_on_each_alone(kind: str) -> None:

    networks = choose("mlp", critic_minibatch=kind)
    with pytest.raises(IncompatibleChoiceError, match=r"critic_minibatch.*gradient_penalty"):
        replace(systems.get("wgan_gp")(networks="mlp"), networks=networks)
    with pytest.raises(IncompatibleChoiceError, match=r"batch_size.*critic_minibatch"):
        replace(systems.get("gan")(), networks=networks, batch_size=1)


def test_other_names_raise() -> None:
    with pytest.raises(DomainError, match="critic_minibatch"):
        choose("mlp", critic_minibatch="many")
