from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gancore.errors import DomainError
from gancore.metrics import density_coverage, prdc, precision_recall

# Few distinct values, so that ties at the border are common.
ROWS = st.integers(6, 14).flatmap(lambda n: hnp.arrays(np.float32, (n, 2), elements=st.integers(0, 4).map(float)))


@given(real=ROWS, fake=ROWS, recall_k=st.integers(1, 5), coverage_k=st.integers(1, 5))
def test_one_pass_gives_what_the_two_functions_give(
    real: np.ndarray, fake: np.ndarray, recall_k: int, coverage_k: int
) -> None:
    found = prdc(real, fake, recall_k=recall_k, coverage_k=coverage_k)
    assert found.precision_recall == precision_recall(real, fake, k=recall_k)
    assert found.density_coverage == density_coverage(real, fake, k=coverage_k)


def test_more_neighbours_than_rows_are_refused() -> None:
    with pytest.raises(DomainError, match="k: expected less than the 4 rows of fake"):
        prdc(np.zeros((9, 2)), np.zeros((4, 2)))
