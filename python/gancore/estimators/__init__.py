"""Gradients through choices: how a generator of discrete sequences learns from a critic."""

from __future__ import annotations

from gancore.estimators._interface import Estimator
from gancore.estimators.gumbel_softmax import GumbelSoftmax
from gancore.estimators.reinforce import Reinforce

__all__ = ["Estimator", "GumbelSoftmax", "Reinforce"]
