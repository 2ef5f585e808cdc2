"""Calibration of a critic on held-out real samples and fresh fakes: fitted on one half, judged on the other."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import torch

from gancore.datasets import as_data
from gancore.errors import DomainError, NumericalError, UnknownNameError
from gancore.samplers._fits import fit_beta, fit_isotonic, fit_platt
from gancore.samplers._noise import FRESH_CHAINS, initial_normals

if TYPE_CHECKING:
    import numpy.typing as npt

    from gancore.samplers._energy import LatentEnergy

__all__ = ["Calibration", "Method", "calibrate", "set_scale"]

Method: TypeAlias = Literal["platt", "isotonic", "beta"]

_Floats: TypeAlias = "npt.NDArray[np.float64]"
_FEWEST = 32
_MOST = 10_000
_TOLERANCE = 0.02
_METHODS = ("platt", "isotonic", "beta")


@dataclass(frozen=True)
class Calibration:
    """What was fitted on one half of reals and fakes, and what it is worth on the other; losses in nats.

    Slope and offset are Platt's, whichever method: the slope is the inverse temperature at which the critic was right.
    Below 1 it is overconfident, above 1 too flat.
    """

    slope: float
    offset: float
    log_loss_before: float
    log_loss_after: float
    n_real: float
    n_fake: float

    def to_dict(self) -> dict[str, float]:
        """The fields by name."""
        return asdict(self)


def calibrate(energy: LatentEnergy, real: Any, *, seed: int, batch_size: int, method: Method = "platt") -> Calibration:
    """Calibrate an energy in place, on real samples that its critic was not trained on and as many fresh fakes.

    Raises
    ------
    DomainError
        If there are fewer than 32 real samples, or the critic knows nothing: its log-loss on the held-out
        half is above log 2 even after calibration.
    NumericalError
        If a score is not finite.
    """
    data = as_data(real)
    n = min(len(data), _MOST) // 2 * 2
    if n < _FEWEST:
        raise DomainError(f"calibrate: expected at least {_FEWEST} real samples, got {len(data)}")
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))[:n]
    reals, fakes = [], []
    with torch.no_grad():
        for start in range(0, n, batch_size):
            chunk = rows[start : start + batch_size]
            reals.append(energy.logits(data.batch(chunk).to(energy.device)))
            u = initial_normals(
                len(chunk), energy.latent_dim, seed=seed, first_chain=FRESH_CHAINS + start, device=energy.device
            )
            fakes.append(energy.logits(energy.decode(u)[1]))
    real_scores, fake_scores = (torch.cat(parts).double().cpu().numpy() for parts in (reals, fakes))
    if not (np.isfinite(real_scores).all() and np.isfinite(fake_scores).all()):
        raise NumericalError("critic: gave nan or infinite scores to samples it was to be calibrated on")
    fit, test = slice(0, n // 2), slice(n // 2, n)
    slope, offset = fit_platt(real_scores[fit], fake_scores[fit])
    energy.slope, energy.offset = slope, offset
    before = _log_loss(real_scores[test], fake_scores[test])
    fitted = [slope * scores + offset for scores in (real_scores, fake_scores)]
    if method != "platt":
        # On Platt's logits: a critic may have any scale, and these curves are fitted to probabilities.
        energy.bend = (fit_beta if method == "beta" else fit_isotonic)(*(scores[fit] for scores in fitted))
        fitted = [energy.bend(torch.from_numpy(scores)).numpy() for scores in fitted]
    after = _log_loss(*(scores[test] for scores in fitted))
    if after > math.log(2.0) + _TOLERANCE:
        raise DomainError(
            f"calibrate: the critic cannot tell held-out real samples from fakes (log-loss {after:.3f}, a coin has "
            f"{math.log(2.0):.3f}), so its gradient would lead nowhere; train it further, or sample plainly"
        )
    return Calibration(slope, offset, before, after, n, n)


def set_scale(
    energy: LatentEnergy, real: Any, *, seed: int, batch_size: int, method: Method = "platt"
) -> dict[str, float]:
    """Calibrate an energy in place, unless `real` is None; the calibration's fields."""
    if method not in _METHODS:
        raise UnknownNameError("calibration", method, _METHODS)
    return {} if real is None else calibrate(energy, real, seed=seed, batch_size=batch_size, method=method).to_dict()


def _log_loss(real: _Floats, fake: _Floats) -> float:
    """Mean over both kinds of -log of the probability given to the truth; nats."""
    return float(0.5 * (np.logaddexp(0.0, -real).mean() + np.logaddexp(0.0, fake).mean()))
