import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.losses import BinaryCrossEntropy

pytestmark = pytest.mark.every_backend


@pytest.mark.parametrize("num_negatives", [1, 4])
def test_the_loss_is_that_of_the_target_and_of_its_negatives(case, num_negatives):
    drawn = np.random.default_rng(7).integers(1, 21, (4, 5, num_negatives))

    class Fixed(BinaryCrossEntropy):
        def draw(self, num_classes, targets, seed):
            assert num_classes == 21
            return drawn.astype("int32")

    seed = keras.random.SeedGenerator(0)
    value = Fixed(num_negatives)(*case.arrays, seed=seed)
    scores = case.hidden.astype("float64") @ case.table.T + case.bias
    chances = 1 / (1 + np.exp(-scores))
    losses = -np.log(np.take_along_axis(chances, case.y[..., None], -1)[..., 0])
    losses -= np.log(1 - np.take_along_axis(chances, drawn, -1)).sum(axis=-1)
    np.testing.assert_allclose(float(value), losses[case.y > 0].mean(), rtol=1e-5)


def test_scores_far_out_do_not_make_it_infinite(case):
    loss = BinaryCrossEntropy(3)
    y, hidden, table, bias = case.arrays
    value = loss(y, 1000 * hidden, table, bias, seed=keras.random.SeedGenerator(0))
    assert np.isfinite(float(value))


def draw(loss, targets):
    targets = np.asarray(targets, "int32")
    return ops.convert_to_numpy(
        loss.draw(21, ops.convert_to_tensor(targets), keras.random.SeedGenerator(1))
    )


def test_every_other_item_is_drawn_as_often_and_the_target_never():
    drawn = draw(BinaryCrossEntropy(10_000), [[1, 9], [20, 9]])
    assert drawn.shape == (2, 2, 10_000)
    assert (drawn[0, 1] != drawn[1, 1]).any()
    for (row, position), target in np.ndenumerate([[1, 9], [20, 9]]):
        counts = np.bincount(drawn[row, position], minlength=21)
        assert counts[0] == counts[target] == 0
        others = np.delete(counts, [0, target])
        assert np.abs(others - 10_000 / 19).max() < 4.5 * np.sqrt(10_000 / 19)


def test_the_padding_is_drawn_only_when_asked_for():
    assert draw(BinaryCrossEntropy(1_000), [[5]]).min() == 1
    assert draw(BinaryCrossEntropy(1_000, include_padding=True), [[5]]).min() == 0


def test_a_float_is_a_fraction_of_the_classes():
    assert draw(BinaryCrossEntropy(0.2), [[5]]).shape == (1, 1, 4)


def test_a_catalogue_of_one_item_has_no_negatives(make_case):
    case = make_case(num_items=1)
    with refused("num_items", received=1):
        BinaryCrossEntropy()(*case.arrays, seed=keras.random.SeedGenerator(0))
