import keras
import pytest
from refusals import refused

from stackrec_keras import StackingCallback, StackingSchedule, metrics


def names(found):
    return [metric.name for metric in found]


def test_the_default_metrics_come_in_a_fixed_order():
    expected = ["mrr@5", "hit_rate@5", "ndcg@5", "mrr@10", "hit_rate@10", "ndcg@10"]
    assert names(metrics.default_metrics()) == expected
    assert names(metrics.get("auto")) == expected


def test_default_metrics_are_new_each_time():
    first, second = metrics.get("auto"), metrics.get("auto")
    assert all(a is not b for a, b in zip(first, second, strict=True))


def test_names_and_instances_may_be_mixed():
    mine = metrics.MRR(3)
    found = metrics.get(["hit_rate@20", mine, "ndcg@1", "sampled_mrr@5"])
    assert names(found) == ["hit_rate@20", "mrr@3", "ndcg@1", "sampled_mrr@5"]
    assert found[1] is mine


def test_a_single_metric_needs_no_list():
    assert names(metrics.get("mrr@20")) == ["mrr@20"]
    assert names(metrics.get(metrics.NDCG(2))) == ["ndcg@2"]


def test_none_gives_no_metrics():
    assert metrics.get(None) == []


def test_a_serialized_metric_is_restored():
    config = keras.saving.serialize_keras_object(metrics.HitRate(4))
    assert names(metrics.get([config])) == ["hit_rate@4"]


@pytest.mark.parametrize(
    "stock, name",
    [
        ("accuracy", "'accuracy'"),
        ("mrr", "'mrr'"),
        ("mrr@", "'mrr@'"),
        ("recall@5", "'recall@5'"),
        (keras.metrics.SparseTopKCategoricalAccuracy(), "SparseTopKCategorical"),
        (keras.metrics.AUC, "AUC"),
        (len, "len"),
    ],
)
def test_a_metric_that_does_not_rank_is_refused_by_name(stock, name):
    with refused("metrics", received=stock, says=f"{name}.* 'hit_rate@5'"):
        metrics.get(["mrr@5", stock])


def test_every_metric_of_the_list_is_public_and_has_the_prefix_it_is_known_by():
    for name, kind in metrics.METRICS.items():
        assert getattr(metrics, kind.__name__) is kind
        (metric,) = metrics.get(f"{name}@7")
        assert (type(metric), metric.name) == (kind, f"{name}@7")


def test_a_length_of_zero_is_refused():
    with refused("k", received=0):
        metrics.get("mrr@0")


def test_metrics_of_other_names_are_monitored_saved_and_loaded(
    make_model, sequences, tmp_path
):
    x, y = (part[:8] for part in sequences)
    model = make_model(num_blocks=1, compiled=False)
    still = keras.optimizers.SGD(0.0)
    model.compile(still, metrics=[metrics.MRR(5, name="mrr_at_5"), "ndcg@5"])
    schedule = StackingSchedule.plateau("val_mrr_at_5", patience=1)
    path = tmp_path / "best.keras"
    monitors = [
        keras.callbacks.ModelCheckpoint(path, "val_mrr_at_5", save_best_only=True),
        keras.callbacks.EarlyStopping("val_mrr_at_5", patience=5),
        keras.callbacks.ReduceLROnPlateau("val_mrr_at_5"),
    ]
    history = model.fit(
        x,
        y,
        epochs=3,
        validation_data=(x, y[:, -1]),
        callbacks=[StackingCallback("stackC", schedule), *monitors],
        verbose=0,
    )
    assert history.history["num_blocks"][-1] == 2
    assert [monitor.mode for monitor in monitors] == ["max"] * 3
    loaded = keras.saving.load_model(path)
    found = loaded.evaluate(x, y[:, -1], verbose=0, return_dict=True)
    assert set(found) == {"loss", "mrr_at_5", "ndcg@5"}
    assert found["mrr_at_5"] == pytest.approx(max(history.history["val_mrr_at_5"]))
