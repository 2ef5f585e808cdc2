"""Roll-outs of sequence models: tokens drawn from logits."""

from __future__ import annotations

from gancore.kernels._categorical import sample_categorical

__all__ = ["sample_categorical"]
