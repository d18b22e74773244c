"""Times at places in the order of all times are exactly those of sorting them."""

import numpy as np
import pytest

from stackrec_keras.data.time_order import times_at_ranks

RNG = np.random.default_rng(0)
SECONDS = RNG.integers(0, 10**9, 3000) // 10**7 * 10**7 + RNG.integers(0, 3, 3000)


@pytest.mark.parametrize(
    "times",
    [
        SECONDS,
        SECONDS * 10**6 + RNG.integers(0, 10**6, 3000),
        SECONDS.astype("datetime64[s]").astype("datetime64[ns]"),
        RNG.standard_normal(3000) * 10.0 ** RNG.integers(-9, 9, 3000),
        RNG.standard_normal(3000).astype(np.float32),
        np.array([-(2**63), 2**63 - 1, 0, 1, 1, 1]),
        np.array([7, 7]),
    ],
    ids=["seconds", "fine", "datetimes", "floats", "float32", "extremes", "one time"],
)
def test_they_are_those_of_the_sorted_times(times):
    ranks = np.unique(np.linspace(0, len(times) - 1, 12).astype(int))
    found = times_at_ranks(lambda: np.array_split(times, 5), ranks)
    np.testing.assert_array_equal(found, np.sort(times)[ranks])
    assert found.dtype == times.dtype
