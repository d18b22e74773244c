import keras
import numpy as np
import pytest
from refusals import refused

from stackrec_keras.metrics import MRR, NDCG, HitRate, RankingMetric, target_rank

pytestmark = pytest.mark.every_backend


@pytest.fixture(params=[MRR, HitRate, NDCG])
def metric_class(request):
    return request.param


def gain(metric_class, rank, k):
    if not 1 <= rank <= k:
        return 0.0
    return {MRR: 1 / rank, HitRate: 1.0, NDCG: 1 / np.log2(rank + 1)}[metric_class]


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 9)).astype("float32")
    y = rng.integers(0, 9, 50).astype("int32")
    weights = rng.random(50).astype("float32")
    return y, scores, weights


def gains_of(metric_class, y, scores, k):
    ranks = keras.ops.convert_to_numpy(target_rank(y, scores))
    return np.array([gain(metric_class, rank, k) for rank in ranks])


def test_rows_without_a_target_are_skipped(metric_class, rows):
    y, scores, _ = rows
    metric = metric_class(k=3)
    metric.update_state(y, scores)
    expected = gains_of(metric_class, y, scores, 3)[y > 0].mean()
    assert np.sum(y == 0) > 2
    np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-5)


def test_batches_of_any_size_add_up_to_the_whole(metric_class, rows):
    y, scores, _ = rows
    metric = metric_class(k=3)
    for batch in np.split(np.arange(50), [20, 40]):
        metric.update_state(y[batch], scores[batch])
    expected = gains_of(metric_class, y, scores, 3)[y > 0].mean()
    np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-5)


def test_sample_weights_weigh_rows(metric_class, rows):
    y, scores, weights = rows
    metric = metric_class(k=3)
    metric.update_state(y, scores, sample_weight=weights)
    gains = gains_of(metric_class, y, scores, 3)
    expected = np.average(gains, weights=weights * (y > 0))
    np.testing.assert_allclose(float(metric.result()), expected, rtol=1e-5)


def test_a_nan_weight_does_not_matter_without_a_target(rows):
    y, scores, weights = rows
    metric, clean = MRR(3), MRR(3)
    clean.update_state(y, scores, sample_weight=weights)
    weights[y == 0] = np.nan
    metric.update_state(y, scores, sample_weight=weights)
    assert float(metric.result()) == float(clean.result())


def test_no_target_at_all_gives_zero(metric_class, rows):
    metric = metric_class(k=3)
    assert float(metric.result()) == 0
    metric.update_state(np.zeros(50, "int32"), rows[1])
    assert float(metric.result()) == 0


def test_a_reset_forgets_what_was_seen(metric_class, rows):
    y, scores, _ = rows
    metric = metric_class(k=8)
    metric.update_state(y, scores)
    metric.reset_state()
    metric.update_state([1], [[0.0, 5.0, 1.0]])
    assert float(metric.result()) == 1


def test_a_model_that_scores_all_items_alike_gains_nothing(metric_class):
    metric = metric_class(k=5)
    metric.update_state([1, 3, 6], np.zeros((3, 7)))
    assert float(metric.result()) == 0


def test_names_hold_the_metric_and_the_length(metric_class):
    expected = {MRR: "mrr@20", HitRate: "hit_rate@20", NDCG: "ndcg@20"}
    assert metric_class(20).name == expected[metric_class]
    assert metric_class(20, name="mine").name == "mine"


def test_callbacks_take_higher_for_better(metric_class):
    callback = keras.callbacks.EarlyStopping(monitor=f"val_{metric_class(5).name}")
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(metrics=[metric_class(5)], loss="mse")
    model.build((None, 2))
    model._compile_metrics.build(np.ones(1), np.ones((1, 2)))
    callback.set_model(model)
    callback.on_train_begin()
    callback._set_monitor_op()
    assert callback.monitor_op(np.array(2.0), np.array(1.0))


def test_sums_stay_in_float32_when_the_model_does_not(metric_class):
    keras.config.set_floatx("float16")
    try:
        metric = metric_class(k=5)
        for _ in range(3):
            metric.update_state(np.ones(1000, "int32"), np.tile([0.0, 1.0], (1000, 1)))
        assert metric.dtype == "float32"
        assert float(metric.count) == 3000
    finally:
        keras.config.set_floatx("float32")


def test_serialized_metrics_come_back_with_their_arguments(metric_class):
    metric = metric_class(7, name="mine")
    config = keras.saving.serialize_keras_object(metric)
    restored = keras.saving.deserialize_keras_object(config)
    assert type(restored) is metric_class
    assert (restored.k, restored.name) == (7, "mine")


def test_metrics_work_under_compilation_with_an_unknown_batch_size(metric_class):
    class Scores(keras.Sequential):
        def compute_loss(self, x, y, y_pred, *args, **kwargs):
            return keras.ops.sum(y_pred)

    model = Scores([keras.layers.Identity()])
    model.compile(metrics=[metric_class(2)])
    scores = np.array([[0, 3, 2, 1]] * 5, "float32")
    y = np.array([1, 2, 3, 0, 1], "int32")
    logs = model.evaluate(scores, y, batch_size=2, verbose=0, return_dict=True)
    ranks = [1, 2, 3, 1]
    expected = np.mean([gain(metric_class, rank, 2) for rank in ranks])
    np.testing.assert_allclose(logs[metric_class(2).name], expected, rtol=1e-6)


@pytest.mark.parametrize("k", [0, -1, 2.0, True, "5", None])
def test_a_length_out_of_range_is_refused(metric_class, k):
    with refused("k", received=k):
        metric_class(k)


def test_shapes_that_do_not_fit_are_refused(rows):
    y, scores, weights = rows
    with refused("y_true", says=r"\(50, 1\), but must have shape \(batch,\)"):
        MRR(5).update_state(y[:, None], scores)
    with refused("scores", says=r"\(50, 3, 3\), .* \(batch, num_items \+ 1\)"):
        MRR(5).update_state(y, scores.reshape(50, 3, 3))
    with refused("sample_weight", says=r"\(50, 1\)"):
        MRR(5).update_state(y, scores, sample_weight=weights[:, None])


def test_a_subclass_without_a_gain_says_so(rows):
    with pytest.raises(NotImplementedError, match="RankingMetric.*gain"):
        RankingMetric(5).update_state(*rows)


def test_callbacks_of_a_stock_model_know_that_more_is_better():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6)])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[MRR(5)])
    stopping = keras.callbacks.EarlyStopping("mrr@5")
    model.fit(np.ones((2, 4)), np.array([1, 2]), callbacks=[stopping], verbose=0)
    assert stopping.monitor_op(2, 1)
