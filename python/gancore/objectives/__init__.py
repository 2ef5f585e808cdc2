"""Value functions: from batches of critic outputs to the losses of critic and generator."""

from __future__ import annotations

from gancore.objectives._interface import AnyObjective, CriticKind, Objective, PairedObjective

__all__ = ["AnyObjective", "CriticKind", "Objective", "PairedObjective"]
