import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr

NUM_ITEMS = 12


@pytest.fixture
def histories():
    """Histories of six items of twelve, and targets, half of them among these items."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, 7, (10, 6)).astype("int32")
    x[0, :3] = 0
    y = np.where(np.arange(10) % 2, x[:, -2], rng.integers(7, 13, 10)).astype("int32")
    return x, y


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    model = sr.SASRec(NUM_ITEMS, 6, 8, 1)
    model.output_table.table.assign(
        np.random.default_rng(2).normal(size=(NUM_ITEMS + 1, 8))
    )
    model.compile(metrics=["hit_rate@3", "mrr@10", "hit_rate@20"])
    return model


def _served(model, x, y, k):
    """What a user sees: the hit rate and the reciprocal rank in recommend's lists."""
    ids = model.recommend(x, k=min(k, NUM_ITEMS))[0]
    ranks = [np.flatnonzero(row == target) + 1 for row, target in zip(ids, y)]
    hits = [1.0 if len(rank) else 0.0 for rank in ranks]
    return np.mean(hits), np.mean([1 / rank[0] if len(rank) else 0.0 for rank in ranks])


def _figures(model, x, y, **arguments):
    return model.evaluate(x, y, verbose=0, return_dict=True, **arguments)


@pytest.mark.every_backend
@pytest.mark.parametrize("batch_size", [3, 32])
def test_the_metrics_are_those_of_the_lists_that_recommend_gives(
    model, histories, batch_size
):
    x, y = histories
    found = _figures(model, x, y, exclude_seen=True, batch_size=batch_size)
    assert found["hit_rate@3"] == pytest.approx(_served(model, x, y, 3)[0])
    assert found["mrr@10"] == pytest.approx(_served(model, x, y, 10)[1])
    # However long the list is, an item that is left out is not in it.
    assert found["hit_rate@20"] == pytest.approx(0.5)
    plain = _figures(model, x, y, exclude_seen=False)
    assert plain["hit_rate@20"] == 1 and plain["mrr@10"] != found["mrr@10"]
    assert plain["loss"] == pytest.approx(found["loss"])


def test_what_compile_says_holds_in_validation_and_in_a_loaded_file(
    model, histories, tmp_path
):
    x, y = histories
    expected = _figures(model, x, y, exclude_seen=True)
    model.compile(keras.optimizers.SGD(0.0), metrics=["mrr@10"], exclude_seen=True)
    assert _figures(model, x, y)["mrr@10"] == pytest.approx(expected["mrr@10"])
    history = model.fit(
        x, np.roll(x, -1, 1), validation_data=(x, y), verbose=0, batch_size=4
    ).history
    assert history["val_mrr@10"][0] == pytest.approx(expected["mrr@10"])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.exclude_seen is True
    assert _figures(loaded, x, y)["mrr@10"] == pytest.approx(expected["mrr@10"])


def test_one_evaluation_does_not_change_the_next(model, histories):
    x, y = histories
    plain = _figures(model, x, y, exclude_seen=False)
    _figures(model, x, y, exclude_seen=True)
    assert model.exclude_seen is None
    assert _figures(model, x, y) == pytest.approx(plain)


def test_a_transfer_model_has_no_seen_targets(model, histories, recwarn):
    x, y = histories
    transfer = sr.TransferRecommender(model, NUM_ITEMS)
    transfer.compile(metrics=["hit_rate@20"])
    assert _figures(transfer, x, y, exclude_seen=True)["hit_rate@20"] == 1
    assert _figures(transfer, x, y)["hit_rate@20"] == 1
    assert not [w for w in recwarn if "occurs in the history" in str(w.message)]


def test_targets_that_recommend_would_leave_out_are_warned_of(model, histories):
    x, y = histories
    windows = sr.data.Windows(np.c_[x, y], np.arange(10, dtype="int32"))
    batches = windows.batches(4, evaluation=True)
    for data in ((x, y), (batches,)):
        with pytest.warns(UserWarning, match="In 5 of 10 rows the target already"):
            model.evaluate(*data, verbose=0)
    for data in ((x, y), batches):
        with pytest.warns(UserWarning, match="In 5 of 10 rows") as caught:
            model.fit(x, np.roll(x, -1, 1), validation_data=data, epochs=2, verbose=0)
        assert len([w for w in caught if "In 5 of 10" in str(w.message)]) == 1


def test_who_has_said_it_is_not_warned(model, histories, recwarn):
    x, y = histories
    _figures(model, x, y, exclude_seen=False)
    model.compile(exclude_seen=False)
    _figures(model, x, y)
    model.fit(x, np.roll(x, -1, 1), validation_data=(x, y), verbose=0)
    assert not [w for w in recwarn if "occurs in the history" in str(w.message)]


def test_only_true_and_false_are_switches(model, histories):
    with refused("exclude_seen", received=1):
        model.evaluate(*histories, exclude_seen=1, verbose=0)
    with refused("exclude_seen", received="yes"):
        model.compile(exclude_seen="yes")
