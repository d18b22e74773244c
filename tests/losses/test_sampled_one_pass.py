import keras
import numpy as np
import pytest
from keras import ops

from stackrec_keras.losses import GBCE, SampledSoftmax, one_pass, sampled_loss

COUNTS = np.random.default_rng(4).integers(0, 50, 20)
# 15 negatives of 21 classes: repeats and accidental hits are common.
CASES = {
    "softmax": (SampledSoftmax, {}),
    "softmax that keeps hits": (
        SampledSoftmax,
        {
            "remove_accidental_hits": False,
            "include_padding": True,
            "distribution": "popularity",
            "item_counts": COUNTS,
        },
    ),
    "popular negatives": (
        SampledSoftmax,
        {"distribution": "popularity", "item_counts": COUNTS},
    ),
    "gbce": (GBCE, {}),
    "gbce that keeps hits": (
        GBCE,
        {"remove_accidental_hits": False, "include_padding": True},
    ),
}


def plain(kind):
    """A subclass with losses of its own, which are the same."""

    def sampled_losses(self, *args):
        return kind.sampled_losses(self, *args)

    return type("Plain", (kind,), {"sampled_losses": sampled_losses})


@pytest.fixture
def passes(monkeypatch):
    """A list that grows by the shape of the ids of each loss computed in one pass."""
    shapes = []
    compute = sampled_loss.weighted_sampled_loss

    def counted(sample, *args):
        shapes.append(tuple(sample.ids.shape))
        return compute(sample, *args)

    monkeypatch.setattr(sampled_loss, "weighted_sampled_loss", counted)
    return shapes


def value_of(loss, case, **kwargs):
    return float(loss(*case.arrays, seed=keras.random.SeedGenerator(3), **kwargs))


@pytest.mark.every_backend
@pytest.mark.parametrize("per", ["batch", "row", "position"])
@pytest.mark.parametrize("name", CASES)
def test_losses_and_gradients_are_those_of_the_plain_form(
    name, per, case, gradients, passes, monkeypatch
):
    monkeypatch.setattr(one_pass, "ROWS", 6)  # of 20 positions, 16 with a target
    kind, options = CASES[name]
    weights = np.random.default_rng(0).random(case.y.shape).astype("float32")

    def found(kind):
        loss = kind(15, negatives_per=per, **options)

        def function(hidden, table, bias):
            seed = keras.random.SeedGenerator(3)
            # What follows multiplies all gradients.
            return 3 * loss(case.y, hidden, table, bias, weights, seed=seed)

        return gradients(function, case.hidden, case.table, case.bias)

    expected_value, expected = found(plain(kind))
    assert not passes
    value, grads = found(kind)
    assert passes
    np.testing.assert_allclose(value, expected_value, rtol=1e-5)
    for gradient, right in zip(grads, expected, strict=True):
        scale = np.abs(right).max()
        np.testing.assert_allclose(gradient, right, rtol=1e-5, atol=1e-6 * scale)


@pytest.mark.every_backend
@pytest.mark.parametrize("shape", [(3,), (4, 3), (4, 5, 3)])
def test_a_position_that_meets_only_its_own_target_has_loss_zero(
    shape, case, gradients, passes, monkeypatch
):
    monkeypatch.setattr(sampled_loss, "pays_for_sample", lambda *args: True)
    case.y[:] = 7

    class Fixed(SampledSoftmax):
        def draw(self, num_classes, y_true, seed):
            zeros = np.zeros(case.y.shape, "float32")
            return np.full(shape, 7, "int32"), zeros[0, :3], zeros

    def function(*arrays):
        return Fixed()(case.y, *arrays, seed=keras.random.SeedGenerator(0))

    value, grads = gradients(function, *case.arrays[1:])
    assert passes == [shape] and value == 0
    assert all(np.all(gradient == 0) for gradient in grads)


@pytest.mark.parametrize("kind", [SampledSoftmax, GBCE])
def test_whole_tables_are_scored_only_for_many_negatives(kind, case, passes):
    value_of(kind(14, negatives_per="row"), case)
    value_of(kind(1, negatives_per="position"), case)
    value_of(kind(1, negatives_per="batch"), case)
    assert passes == [(4, 14), (4, 5, 1), (1,)]
    value_of(kind(13, negatives_per="row"), case)
    assert len(passes) == 3


def test_large_catalogues_keep_the_plain_form(make_case, passes):
    value_of(SampledSoftmax(3, negatives_per="position"), make_case(96))
    assert not passes
    value_of(SampledSoftmax(3, negatives_per="position"), make_case(95))
    assert passes


def test_rows_may_share_what_a_draw_of_ones_own_returns(case, passes):
    rng = np.random.default_rng(5)
    ids = rng.integers(1, 21, (1, 15)).astype("int32")
    logs = rng.normal(size=(1, 15)).astype("float32")

    class Fixed(SampledSoftmax):
        def draw(self, num_classes, y_true, seed):
            log_targets = np.zeros(case.y.shape, "float32")
            return [ops.convert_to_tensor(a) for a in (ids, logs, log_targets)]

    value = value_of(Fixed(), case)
    assert passes == [(1, 15)]
    assert value == pytest.approx(value_of(plain(Fixed)(), case), rel=1e-5)


@pytest.mark.every_backend
@pytest.mark.parametrize("shape", [(15,), (4, 15), (4, 5, 15)])
def test_a_draw_of_ones_own_may_return_int64_and_plain_numbers(shape, case, passes):
    ids = np.random.default_rng(5).integers(1, 21, shape)

    class Fixed(SampledSoftmax):
        def draw(self, num_classes, y_true, seed):
            return ids, np.float64(-0.5), np.zeros(case.y.shape)

    class Usual(Fixed):
        def draw(self, num_classes, y_true, seed):
            ids, log, log_targets = super().draw(num_classes, y_true, seed)
            logs = np.full(15, log, "float32")
            return ids.astype("int32"), logs, log_targets.astype("float32")

    value = value_of(Fixed(), case)
    assert passes == [shape]
    assert value == pytest.approx(value_of(Usual(), case), rel=1e-6)


@pytest.mark.every_backend
def test_half_precision_holds_very_different_counts(case, gradients, passes):
    ids = np.random.default_rng(5).integers(2, 21, (4, 15)).astype("int32")
    ids[0, 0] = 1
    logs = np.where(ids == 1, -14, 0).astype("float32")  # item 1 is rare

    class Fixed(SampledSoftmax):
        def draw(self, num_classes, y_true, seed):
            return ids, logs, np.zeros(case.y.shape, "float32")

    def function(hidden, table, bias):
        seed = keras.random.SeedGenerator(0)
        return Fixed()(case.y, hidden, table, bias, seed=seed)

    halves = [array.astype("float16") for array in (case.hidden, case.table)]
    _, grads = gradients(function, *halves, case.bias)
    assert passes
    assert all(np.isfinite(np.asarray(gradient)).all() for gradient in grads)


@pytest.mark.parametrize("method", ["sampled_losses", "training_losses"])
@pytest.mark.parametrize("kind", [SampledSoftmax, GBCE])
def test_a_subclass_keeps_its_own_losses(method, kind, case, passes):
    def doubled(self, *args):
        return 2 * getattr(kind, method)(self, *args)

    expected = 2 * value_of(kind(15), case)
    assert len(passes) == 1
    value = value_of(type("Doubled", (kind,), {method: doubled})(15), case)
    assert len(passes) == 1
    assert value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("per", ["batch", "row", "position"])
@pytest.mark.parametrize("kind", [SampledSoftmax, GBCE])
def test_hidden_states_may_have_half_precision(kind, per, case, passes):
    arrays = [ops.convert_to_tensor(array) for array in case.arrays]
    arrays[1] = ops.cast(arrays[1], "bfloat16")

    def value(kind):
        loss = kind(15, negatives_per=per)
        return float(loss(*arrays, seed=keras.random.SeedGenerator(3)))

    assert value(kind) == pytest.approx(value(plain(kind)), rel=1e-4)
    assert len(passes) == 1
