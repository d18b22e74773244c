import math

import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.losses import GBCE

pytestmark = pytest.mark.every_backend


@pytest.fixture
def negatives(case):
    drawn = np.random.default_rng(7).integers(1, 21, (4, 9)).astype("int32")
    drawn[1, :2] = case.y[1, 0]
    return drawn


def reference(case, negatives, beta, remove_accidental_hits):
    """The paper's formula, position by position, in float64."""
    scores = case.hidden.astype("float64") @ case.table.T + case.bias
    probabilities = 1 / (1 + np.exp(-scores))
    losses = np.zeros(case.y.shape)
    for row, position in np.ndindex(case.y.shape):
        target, chances = case.y[row, position], probabilities[row, position]
        loss = -np.log(chances[target] ** beta)
        for negative in negatives[row]:
            if not (remove_accidental_hits and negative == target):
                loss -= np.log(1 - chances[negative])
        losses[row, position] = loss / (negatives.shape[1] + 1)
    return losses


@pytest.mark.parametrize("remove", [True, False])
def test_given_negatives_are_scored_by_the_formula_of_the_paper(
    case, negatives, remove
):
    class WithBeta(GBCE):
        def beta(self, num_classes):
            return 0.3

    tensors = [ops.convert_to_tensor(a) for a in (*case.arrays, negatives)]
    losses = WithBeta(remove_accidental_hits=remove).sampled_losses(*tensors)
    expected = reference(case, negatives, 0.3, remove)
    np.testing.assert_allclose(ops.convert_to_numpy(losses), expected, rtol=1e-5)


@pytest.mark.parametrize("remove", [True, False])
def test_the_loss_is_the_mean_over_positions_with_a_target(case, negatives, remove):
    class Fixed(GBCE):
        def draw(self, num_classes, y_true, seed):
            return negatives

    loss = Fixed(9, t=0.5, remove_accidental_hits=remove)
    value = loss(*case.arrays, seed=keras.random.SeedGenerator(0))
    beta = (9 / 19) * (0.5 * (1 - 19 / 9) + 19 / 9)
    expected = reference(case, negatives, beta, remove)[case.y > 0].mean()
    np.testing.assert_allclose(float(value), expected, rtol=1e-5)


def test_one_target_a_row_has_negatives_of_its_own(case, negatives):
    class Fixed(GBCE):
        def draw(self, num_classes, y_true, seed):
            assert tuple(y_true.shape) == (4, 1)
            return negatives

    y, hidden, table, bias = case.arrays
    seed = keras.random.SeedGenerator(0)
    value = Fixed(9, t=0.0)(y[:, 4], hidden[:, 4], table, bias, seed=seed)
    expected = reference(case, negatives, 1.0, True)[:, 4].mean()
    np.testing.assert_allclose(float(value), expected, rtol=1e-5)


def test_beta_goes_from_one_at_t_0_to_the_sampling_rate_at_t_1():
    # 256 of 3,705 other items, the paper's setting on ML-1M.
    alpha = 256 / 3705
    assert GBCE(256, t=0.0).beta(3707) == pytest.approx(1)
    assert GBCE(256, t=1.0).beta(3707) == pytest.approx(alpha)
    assert GBCE(256, t=0.75).beta(3707) == pytest.approx(0.25 + 0.75 * alpha)


def test_more_negatives_than_items_count_as_a_sampling_rate_of_one():
    assert GBCE(500, t=0.75).beta(21) == pytest.approx(1)


def draw(loss, rows=3):
    y = np.ones((rows, 5), "int32")
    return ops.convert_to_numpy(loss.draw(21, y, keras.random.SeedGenerator(1)))


def test_each_row_draws_uniformly_and_for_itself():
    drawn = draw(GBCE(20_000))
    assert drawn.shape == (3, 20_000)
    assert np.any(drawn[0] != drawn[1])
    counts = np.bincount(drawn.ravel(), minlength=21)
    assert counts[0] == 0
    assert np.abs(counts[1:] - 3_000).max() < 4 * np.sqrt(3_000)


def test_the_padding_is_drawn_only_when_asked_for():
    assert draw(GBCE(1_000)).min() == 1
    assert draw(GBCE(1_000, include_padding=True)).min() == 0


def test_a_float_is_a_fraction_of_the_classes():
    assert draw(GBCE(0.2)).shape == (3, 4)


@pytest.mark.parametrize("t", [-0.1, 1.1, "half", None, True, math.nan])
def test_a_calibration_out_of_range_is_refused(t):
    with refused("t"):
        GBCE(t=t)


def test_the_configuration_holds_every_argument():
    config = {
        "num_negatives": 9,
        "t": 0.5,
        "include_padding": True,
        "remove_accidental_hits": False,
        "negatives_per": "batch",
    }
    assert GBCE(**config).get_config() == config
