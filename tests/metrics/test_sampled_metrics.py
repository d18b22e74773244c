import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.metrics import SampledHitRate, SampledMRR

pytestmark = pytest.mark.every_backend


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 41)).astype("float32")
    return rng.integers(0, 41, 50).astype("int32"), scores


def draw(metric, y):
    return ops.convert_to_numpy(metric.draw(ops.convert_to_tensor(y), 40))


@pytest.mark.parametrize(
    "metric_class, gain",
    [(SampledMRR, lambda rank: 1 / rank), (SampledHitRate, np.ones_like)],
)
def test_the_target_is_ranked_among_what_is_drawn_for_its_row(rows, metric_class, gain):
    y, scores = rows
    metric = metric_class(3, num_negatives=9, seed=1)
    drawn = draw(metric, y)
    metric.update_state(y, scores)
    targets = np.take_along_axis(scores, y[:, None], axis=1)
    rank = 1 + (np.take_along_axis(scores, drawn, axis=1) >= targets).sum(axis=1)
    gains = np.where(rank <= 3, gain(rank.astype("float64")), 0.0)
    np.testing.assert_allclose(float(metric.result()), gains[y > 0].mean(), rtol=1e-5)


def test_every_other_item_is_drawn_as_often_and_neither_target_nor_padding():
    y = np.repeat([1, 7, 40], 3_000).astype("int32")
    drawn = draw(SampledMRR(5, num_negatives=9), y)
    for target in (1, 7, 40):
        counts = np.bincount(drawn[y == target].ravel(), minlength=41)
        assert counts[0] == counts[target] == 0
        others = np.delete(counts, [0, target])
        assert np.abs(others - 27_000 / 39).max() < 4.5 * np.sqrt(27_000 / 39)


def test_the_sample_is_the_same_on_all_backends():
    drawn = draw(SampledMRR(5, num_negatives=5, seed=3), np.array([28, 20], "int32"))
    assert drawn.tolist() == [[14, 35, 18, 9, 18], [5, 19, 8, 3, 14]]


def test_rows_and_seeds_have_samples_of_their_own():
    y = np.full(2, 7, "int32")
    first, second = draw(SampledMRR(5, num_negatives=30), y)
    assert (first != second).any()
    assert (draw(SampledMRR(5, num_negatives=30, seed=1), y)[0] != first).any()


def test_neither_batches_nor_repetition_change_the_result(rows):
    y, scores = rows
    metric = SampledMRR(40, num_negatives=9)
    metric.update_state(y, scores)
    whole = float(metric.result())
    metric.reset_state()
    for batch in np.split(np.arange(50), [20, 27]):
        metric.update_state(y[batch], scores[batch])
    assert float(metric.result()) == pytest.approx(whole, rel=1e-6)
    metric.update_state(y, scores)
    assert float(metric.result()) != pytest.approx(whole, rel=1e-6)


def test_it_comes_back_from_its_configuration():
    metric = SampledHitRate(5, num_negatives=9, seed=4, name="mine")
    config = keras.saving.serialize_keras_object(metric)
    restored = keras.saving.deserialize_keras_object(config)
    assert restored.get_config() == metric.get_config()
    assert (restored.num_negatives, restored.seed, restored.name) == (9, 4, "mine")


def test_its_name_says_that_it_is_sampled():
    assert SampledMRR(5).name == "sampled_mrr@5"
    assert SampledHitRate(10).name == "sampled_hit_rate@10"


@pytest.mark.parametrize(
    "name, value",
    [("num_negatives", 0), ("seed", -1), ("seed", 2**31), ("seed", 1.0)],
)
def test_arguments_out_of_range_are_refused(name, value):
    with refused(name, received=value):
        SampledMRR(5, **{name: value})


def test_a_catalogue_as_small_as_the_sample_is_refused(rows):
    with refused("num_negatives", received=99, says="number of items, 40"):
        SampledMRR(5).update_state(*rows)
