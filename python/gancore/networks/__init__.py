"""Families of networks: a generator and a critic for samples of any shape that the family can do."""

from __future__ import annotations

from gancore.networks._choose import choose
from gancore.networks._interface import NetworkFamily, Norm

__all__ = ["NetworkFamily", "Norm", "choose"]
