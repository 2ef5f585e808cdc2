"""Regularisers of the critic: penalties added to its loss, projections after its step."""

from __future__ import annotations

from gancore.regularizers._interface import Penalty, Perturbation, Projection, Regularizer

__all__ = ["Penalty", "Perturbation", "Projection", "Regularizer"]
