import numpy as np
import pytest

from stackrec_keras.models.best_items import BestItems, check_no_nan, column_slices

pytestmark = pytest.mark.every_backend


def ranked(scores, k):
    """What a full sort gives: ids from 1 on, and scores."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    best = np.take_along_axis(scores, order, axis=1)
    more = ((0, 0), (0, k - order.shape[1]))
    ids = np.pad(np.where(np.isneginf(best), 0, order + 1), more)
    return ids, np.pad(best, more, constant_values=-np.inf)


def best_of(scores, k, step):
    best = BestItems(len(scores), k)
    for start in range(0, scores.shape[1], step):
        part = scores[:, start : start + step]
        best.add(start + 1 + np.arange(part.shape[1]), part)
    return best.result()


@pytest.mark.parametrize("seed", range(40))
def test_any_parts_give_what_a_full_sort_gives(seed):
    rng = np.random.default_rng(seed)
    num_columns, levels = rng.integers(1, 200), rng.integers(1, 30)
    scores = rng.integers(0, levels, (4, num_columns)).astype("float32")
    scores[rng.random(scores.shape) < 0.3] = -np.inf
    scores[rng.random(scores.shape) < 0.05] = np.inf
    scores[scores == 0] *= rng.choice([-1, 1])
    k, step = rng.integers(1, num_columns + 5), rng.integers(1, num_columns + 1)
    for ours, expected in zip(best_of(scores, k, step), ranked(scores, k)):
        np.testing.assert_array_equal(ours, expected)


def test_a_row_with_a_nan_is_told_from_the_others():
    scores = np.arange(30, dtype="float32").reshape(3, 10)
    scores[1, 4] = np.nan
    _, best = best_of(scores, k=2, step=5)
    assert np.isnan(best).all(axis=1).tolist() == [False, True, False]
    with pytest.raises(ValueError, match="1 of 3 histories are NaN, first in row 1"):
        check_no_nan(best, "histories")


def test_slices_are_a_block_of_scores_and_of_vectors():
    for num_rows, dim in ((256, 64), (64, 256)):
        first, second, *_ = column_slices(num_rows, np.zeros((1_000_000, dim)), k=10)
        assert (first.start, first.stop, second.start) == (0, 16384, 16384)
    (only,) = column_slices(256, np.zeros((3000, 64)), k=10)
    assert only == slice(0, 3000)
