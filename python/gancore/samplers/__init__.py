"""Ways to draw samples from a generator, with its critic's help; each file is one, all behind one interface."""

from __future__ import annotations

from gancore._extras import require

# Before the imports that need it, so that a missing torch is named with its extra.
require("torch", extra="train")

from gancore.samplers._chains import langevin
from gancore.samplers._compare import compare_samplers
from gancore.samplers._comparison import Comparison, Estimate
from gancore.samplers._interface import Sampler, SamplerInfo, Samples
from gancore.samplers._measures import Measure
from gancore.samplers._presets import Preset, Presets, presets
from gancore.samplers._replay import ReplayBuffer
from gancore.samplers.ddls import ddls
from gancore.samplers.metropolis_hastings import metropolis_hastings
from gancore.samplers.optimal_transport import optimal_transport
from gancore.samplers.plain import plain
from gancore.samplers.rejection import rejection

__all__ = [
    "Comparison",
    "Estimate",
    "Measure",
    "Preset",
    "Presets",
    "ReplayBuffer",
    "Sampler",
    "SamplerInfo",
    "Samples",
    "compare_samplers",
    "ddls",
    "langevin",
    "metropolis_hastings",
    "optimal_transport",
    "plain",
    "presets",
    "rejection",
]
