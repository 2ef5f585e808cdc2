from __future__ import annotations

import pytest
from scipy.stats import t

from gancore.metrics._groups import quantile


def test_students_t() -> None:
    for freedom in range(1, 20):
        assert quantile(freedom) == pytest.approx(t.ppf(0.975, freedom), abs=1e-3)
