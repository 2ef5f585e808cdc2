from __future__ import annotations

import pytest
import torch

from gancore.errors import DomainError
from gancore.objectives.label_smoothing import LabelSmoothing
from gancore.objectives.nonsaturating import Nonsaturating

P = torch.tensor([0.5, 0.3, 0.2, 0.0], dtype=torch.float64)
Q = torch.tensor([0.1, 0.3, 0.2, 0.4], dtype=torch.float64)


def expected_loss(objective: LabelSmoothing, d: torch.Tensor) -> torch.Tensor:
    """The critic's loss with expectations over P and Q in place of means: the loss of each outcome, weighted."""
    zero = torch.zeros(1, dtype=torch.float64)
    nothing = objective.critic(zero, zero)
    on_real = torch.stack([objective.critic(d[i : i + 1], zero) for i in range(4)])
    on_fake = torch.stack([objective.critic(zero, d[i : i + 1]) for i in range(4)])
    return (P * on_real).sum() + (Q * on_fake).sum() - nothing


@pytest.mark.parametrize(("real", "fake"), [(0.9, 0.0), (0.9, 0.1), (0.7, 0.3)])
def test_the_optimal_critic_is_the_smoothed_ratio(real: float, fake: float) -> None:
    objective = LabelSmoothing(real=real, fake=fake)
    d = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([d], max_iter=500, line_search_fn="strong_wolfe", tolerance_grad=1e-12)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = expected_loss(objective, d)
        loss.backward()
        return loss

    optimizer.step(closure)
    support = (P > 0) if fake == 0 else torch.ones(4, dtype=torch.bool)
    expected = (real * P + fake * Q) / (P + Q)
    torch.testing.assert_close(torch.sigmoid(d.detach())[support], expected[support], atol=1e-4, rtol=0)


def test_certain_labels_are_the_nonsaturating_game() -> None:
    real, fake = torch.randn(6), torch.randn(6)
    plain = LabelSmoothing(real=1.0, fake=0.0)
    torch.testing.assert_close(plain.critic(real, fake), Nonsaturating().critic(real, fake))
    torch.testing.assert_close(plain.generator(fake), Nonsaturating().generator(fake))


def test_it_is_the_expectation_over_flipped_labels() -> None:
    """Noisy labels: with probability e a real sample is called fake and a fake real."""
    torch.manual_seed(0)
    d_real, d_fake = torch.randn(5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    flip = 0.2
    cost = torch.nn.functional.binary_cross_entropy_with_logits
    loss = 0.0
    for outputs, label in ((d_real, 1.0), (d_fake, 0.0)):
        for target, chance in ((label, 1 - flip), (1 - label, flip)):
            loss = loss + chance * cost(outputs, torch.full_like(outputs, target))
    torch.testing.assert_close(LabelSmoothing(real=1 - flip, fake=flip).critic(d_real, d_fake), loss)


@pytest.mark.parametrize(
    "setting", [{"real": 1.2}, {"fake": -0.1}, {"real": 0.5, "fake": 0.5}, {"real": 0.2, "fake": 0.4}]
)
def test_targets_out_of_order_raise(setting: dict[str, float]) -> None:
    with pytest.raises(DomainError, match=r"real|fake"):
        LabelSmoothing(**setting)
