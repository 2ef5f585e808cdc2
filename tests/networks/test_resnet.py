from __future__ import annotations

import pytest
import torch
from torch import nn

from gancore import systems
from gancore.errors import DomainError
from gancore.networks._attention import SelfAttention
from gancore.networks.resnet import ResNet, _Down
from gancore.training.state import TrainingState


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64)])
@pytest.mark.parametrize("attention", [False, True])
def test_makes_images_of_the_usual_sizes_and_every_parameter_takes_part(
    shape: tuple[int, ...], attention: bool
) -> None:
    torch.manual_seed(0)
    family = ResNet(width=4, attention=attention, critic_norm="none")
    generator, critic = family.generator(shape, 8), family.critic(shape)
    for network in (generator, critic):
        for module in network.modules():
            if isinstance(module, SelfAttention):
                nn.init.ones_(module.gamma)  # at zero, what is behind it gets no gradient yet
    critic(generator(torch.randn(4, 8))).square().sum().backward()
    for network in (generator, critic):
        assert sum(isinstance(module, SelfAttention) for module in network.modules()) == attention
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key


def test_attention_is_the_formula() -> None:
    """Against the sums written out, on an image of odd sides, where no maxima are taken."""
    torch.manual_seed(0)
    layer = SelfAttention(8)
    x = torch.randn(2, 8, 3, 5)
    assert torch.equal(layer(x), x), "the weight starts at zero"
    nn.init.constant_(layer.gamma, 0.7)
    flat = x.flatten(2)
    f, g, h = (conv.weight.flatten(1) @ flat for conv in (layer.key, layer.query, layer.value))
    scores = torch.einsum("nci,ncj->nji", f, g)
    mixed = torch.einsum("nji,nci->ncj", scores.softmax(-1), h)
    expected = flat + 0.7 * (layer.out.weight.flatten(1) @ mixed)
    torch.testing.assert_close(layer(x).flatten(2), expected)


def test_even_sides_attend_to_maxima_of_four_places() -> None:
    layer = SelfAttention(8)
    nn.init.constant_(layer.gamma, 1.0)
    assert layer(torch.randn(2, 8, 4, 6)).shape == (2, 8, 4, 6)


def test_a_block_passes_its_input_on_when_its_body_is_silent() -> None:
    """The shortcut alone: means over squares of two, then the 1 x 1 convolution."""
    block = _Down(3, 5, (2, 2), "none")
    for parameter in block.body.parameters():
        nn.init.zeros_(parameter)
    x = torch.randn(2, 3, 8, 8)
    expected = block.shortcut[1](nn.functional.avg_pool2d(x, 2))
    torch.testing.assert_close(block(x), expected)


def test_spectral_normalisation_with_residual_networks_plays() -> None:
    system = systems.get("sngan")(networks="resnet", width=4, batch_size=6)
    assert system.networks == ResNet(width=4, critic_norm="spectral")
    state = TrainingState.create(system, (3, 8, 8), seed=0, device=torch.device("cpu"), precision="float32")
    losses = system.game.turn(state, lambda: torch.zeros(6, 3, 8, 8))
    assert all(loss.isfinite() for loss in losses.values())


def test_attention_is_a_truth_value() -> None:
    with pytest.raises(DomainError, match="attention"):
        ResNet(attention=2)
