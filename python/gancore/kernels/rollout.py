"""Roll-outs of sequence models: tokens from logits, continuations by an LSTM, values of scores, TextCNN features."""

from __future__ import annotations

from gancore.kernels._categorical import sample_categorical
from gancore.kernels._lstm_rollout import LSTMWeights, lstm_rollout
from gancore.kernels._rollout_values import RolloutPlan, advantages, returns, rollout_plan, rollout_q_values
from gancore.kernels._token_conv import token_table_conv

__all__ = [
    "LSTMWeights",
    "RolloutPlan",
    "advantages",
    "lstm_rollout",
    "returns",
    "rollout_plan",
    "rollout_q_values",
    "sample_categorical",
    "token_table_conv",
]
