"""Ways to draw samples from a generator, with its critic's help; each file is one, all behind one interface."""

from __future__ import annotations

from gancore._extras import require

# Before the imports that need it, so that a missing torch is named with its extra.
require("torch", extra="train")

from gancore.samplers._interface import Sampler, SamplerInfo, Samples
from gancore.samplers.ddls import ddls
from gancore.samplers.plain import plain

__all__ = ["Sampler", "SamplerInfo", "Samples", "ddls", "plain"]
