import keras
import numpy as np
import pytest
from keras import ops

import stackrec_keras as sr
from stackrec_keras.metrics import target_rank
from stackrec_keras.metrics.target_rank import LEFT_OUT

pytestmark = pytest.mark.every_backend


def rank_of(target, scores, dtype="float32"):
    scores = ops.cast(np.array([scores], "float32"), dtype)
    return int(target_rank(np.array([target]), scores)[0])


def reference(target, scores):
    """Competitor by competitor."""
    if target == 0:
        return 0
    if np.isnan(scores[target]):
        return len(scores) - 1
    better = 0
    for item in range(1, len(scores)):
        if item != target and not np.isnan(scores[item]):
            better += scores[item] >= scores[target]
    return 1 + better


def test_ranks_with_ties_and_nans_are_those_of_a_slow_count():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, (200, 12)).astype("float32")
    scores[rng.random(scores.shape) < 0.1] = np.nan
    scores[:, 0] = -np.inf
    targets = rng.integers(0, 12, 200)
    ranks = target_rank(targets, scores)
    assert keras.backend.standardize_dtype(ranks.dtype) == "int32"
    expected = [reference(t, s) for t, s in zip(targets, scores, strict=True)]
    np.testing.assert_array_equal(ops.convert_to_numpy(ranks), expected)


def test_the_best_item_ranks_first_and_the_worst_last():
    scores = [-np.inf, 3.0, 1.0, 2.0]
    assert [rank_of(item, scores) for item in (1, 3, 2)] == [1, 2, 3]


def test_ties_count_against_the_target():
    assert rank_of(2, [-np.inf, 1.0, 1.0, 1.0, 0.0]) == 3


def test_equal_scores_everywhere_put_every_target_last():
    assert {rank_of(item, [0.0] * 6) for item in range(1, 6)} == {5}


def test_a_target_with_a_nan_score_ranks_last():
    assert rank_of(2, [-np.inf, 1.0, np.nan, 0.0]) == 3
    assert rank_of(2, [np.nan] * 4) == 3


def test_nan_scores_of_other_items_neither_help_nor_hurt():
    assert rank_of(2, [-np.inf, np.nan, 0.5, 1.0, np.nan]) == 2


def test_the_padding_never_competes():
    for padding in (9.0, 1.0, np.inf, np.nan):
        assert rank_of(2, [padding, 0.0, 1.0]) == 1


def test_infinite_scores_are_ranked():
    assert rank_of(1, [-np.inf, np.inf, 1.0]) == 1
    assert rank_of(2, [-np.inf, -np.inf, 1.0, -np.inf]) == 1


def test_a_target_that_was_left_out_is_not_in_the_list_however_long_it_is():
    scores = np.array([[-np.inf, -np.inf, 1.0]], "float32")
    assert rank_of(1, scores[0]) == LEFT_OUT
    hits = sr.metrics.HitRate(10)
    hits.update_state(np.array([1]), scores)
    assert float(hits.result()) == 0


def test_a_row_without_a_target_has_rank_zero():
    assert rank_of(0, [-np.inf, 1.0, 2.0]) == 0
    assert rank_of(0, [np.nan, 1.0, 2.0]) == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_scores_are_ranked(dtype):
    assert rank_of(2, [-np.inf, 3.0, 2.0, 2.0, 1.0], dtype) == 3
