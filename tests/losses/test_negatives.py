"""Who shares the negatives of a loss."""

import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras import losses
from stackrec_keras.losses import GBCE, BinaryCrossEntropy, SampledSoftmax, negatives
from stackrec_keras.losses.sampled_loss import SampledLoss

SHAPES = {"batch": (7,), "row": (4, 7), "position": (4, 5, 7)}
LOSSES = (SampledSoftmax, GBCE, BinaryCrossEntropy)


def reference(loss, case, drawn):
    """The loss of each position, by the formulas of the docs, in float64."""
    scores = case.hidden.astype("float64") @ case.table.T + case.bias
    chances = 1 / (1 + np.exp(-scores))
    found = np.zeros(case.y.shape)
    for place in np.ndindex(case.y.shape):
        target = case.y[place]
        ids = drawn[place[: drawn.ndim - 1]]
        ids = ids[ids != target]
        others = -np.log(1 - chances[place][ids]).sum()
        if isinstance(loss, GBCE):
            of_target = -loss.beta(21) * np.log(chances[place][target])
            found[place] = (of_target + others) / (drawn.shape[-1] + 1)
        elif isinstance(loss, BinaryCrossEntropy):
            found[place] = others - np.log(chances[place][target])
        else:  # every item is as likely, so that expected counts are equal
            weights = np.exp(scores[place])
            total = weights[target] + weights[ids].sum()
            found[place] = np.log(total / weights[target])
    return found


@pytest.mark.parametrize("per", SHAPES)
@pytest.mark.parametrize("kind", LOSSES)
def test_losses_are_those_of_the_formula_whoever_shares_negatives(kind, per, case):
    loss = kind(7, negatives_per=per)
    tensors = [ops.convert_to_tensor(a) for a in case.arrays]
    drawn = loss.draw(21, tensors[0], keras.random.SeedGenerator(3))
    ids = _numpy(drawn[0] if kind is SampledSoftmax else drawn)
    assert ids.shape == SHAPES[per]
    assert ids.min() >= 1 and len(np.unique(ids)) > 3
    found = _numpy(loss.sampled_losses(*tensors, drawn))
    is_target = case.y > 0
    expected = reference(loss, case, ids)
    np.testing.assert_allclose(found[is_target], expected[is_target], rtol=1e-5)
    value = loss(*case.arrays, seed=keras.random.SeedGenerator(3))
    np.testing.assert_allclose(float(value), expected[is_target].mean(), rtol=1e-5)


@pytest.mark.every_backend
def test_gradients_of_a_few_negatives_at_a_time_are_those_of_all(
    case, gradients, monkeypatch
):
    monkeypatch.setattr(negatives, "_GATHERED", 12)  # 2 of 7 negatives, width 6
    monkeypatch.setattr(negatives, "_POSITIONS", 100)
    ids = np.random.default_rng(2).integers(0, 21, SHAPES["position"]).astype("int32")
    weights = np.random.default_rng(3).normal(size=ids.shape).astype("float32")
    weights = ops.convert_to_tensor(weights)

    def in_chunks(hidden, table, bias):
        offsets = ops.take(bias, ids, axis=0)
        logits = negatives.negative_logits(hidden, table, offsets, ids)
        return ops.sum(ops.square(logits) * weights)

    def at_once(hidden, table, bias):
        rows = ops.take(table, ids, axis=0)
        logits = ops.sum(ops.expand_dims(hidden, 2) * rows, axis=-1)
        return ops.sum(ops.square(logits + ops.take(bias, ids, axis=0)) * weights)

    arrays = case.hidden, case.table, case.bias
    value, found = gradients(in_chunks, *arrays)
    expected_value, expected = gradients(at_once, *arrays)
    assert value == pytest.approx(expected_value, rel=1e-3)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.every_backend
@pytest.mark.parametrize("kind", [SampledSoftmax, GBCE])
def test_a_model_learns_with_negatives_of_each_position(kind, fit):
    values = fit(kind(8, negatives_per="position"))
    assert values[-1] < 0.8 * values[0]


def test_a_chunk_is_as_large_as_the_table_or_a_few_vectors():
    assert negatives._chunk_size(4_864, 256, 3_707, 64) == 16
    assert negatives._chunk_size(4_864, 256, 100_000, 64) == 20
    assert negatives._chunk_size(None, 256, 1_000_000, 64) == 244
    assert negatives._chunk_size(128, 4, 3_707, 64) == 4
    assert negatives._chunk_size(128, 4, 10, 4_096) == 1


@pytest.mark.parametrize("distribution", ["log_uniform", "popularity"])
def test_other_distributions_draw_for_each_position_too(distribution):
    counts = np.arange(20)
    loss = SampledSoftmax(2_000, distribution, counts, negatives_per="position")
    y = np.ones((2, 3), "int32")
    drawn = loss.draw(21, y, keras.random.SeedGenerator(0))
    ids, of_negatives, of_targets = map(_numpy, drawn)
    assert ids.shape == of_negatives.shape == (2, 3, 2_000)
    assert of_targets.shape == (2, 3)
    assert (ids[0, 0] != ids[0, 1]).any() and (ids[0] != ids[1]).any()


@pytest.mark.parametrize("kind", LOSSES)
def test_it_is_saved(kind):
    for per in SHAPES:
        config = keras.saving.serialize_keras_object(kind(3, negatives_per=per))
        assert losses.get(config).negatives_per == per
    old = {"num_negatives": 3}  # from before there was a choice
    assert kind.from_config(old).negatives_per == kind().negatives_per


@pytest.mark.parametrize("kind", LOSSES)
def test_anything_else_is_refused(kind):
    for value in ("rows", 1, None):
        with refused("negatives_per", value):
            kind(negatives_per=value)


def test_a_loss_of_ones_own_draws_as_before(case):
    class Hinge(SampledLoss):
        def __init__(self, num_negatives=3, include_padding=False):
            super().__init__(num_negatives, include_padding)

        def draw(self, num_classes, y_true, seed):
            shape = self.sample_shape(num_classes, y_true)
            return keras.random.randint(shape, 1, num_classes, seed=seed)

        def sampled_losses(self, targets, hidden, table, bias, drawn):
            assert drawn.shape == (3,)
            return ops.zeros(targets.shape)

    loss = Hinge.from_config(Hinge().get_config())
    assert float(loss(*case.arrays, seed=keras.random.SeedGenerator(0))) == 0


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)
