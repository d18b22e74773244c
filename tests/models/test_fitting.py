import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.data import (
    TransferPairs,
    Vocabulary,
    Windows,
    make_windows,
    read_interactions,
)
from stackrec_keras.errors import StackRecWarning

LOG = read_interactions({"user": [1, 1, 2, 2], "item": [1, 2, 1, 2]}, timestamp=None)
WINDOWS = make_windows(LOG, Vocabulary([1, 2]), length=2)


@pytest.mark.parametrize(
    "given, way_out",
    [
        (WINDOWS, r"Windows\(2 rows .*windows.batches\(256\)"),
        (LOG, r"is a log.*make_windows\(log, vocabulary, length=20\).batches"),
        ([["a", "b"], ["b", "a"]], r"an array \(batch, time\) .* is a list"),
    ],
)
def test_what_is_no_array_is_refused_with_a_way_out(make_model, given, way_out):
    model = make_model(num_blocks=1)
    for method in (model.fit, model.evaluate):
        with refused("x", says=way_out):
            method(given, verbose=0)


def test_windows_are_no_validation_data_as_they_are(make_model, sequences):
    with refused("validation_data", received=WINDOWS):
        make_model(num_blocks=1).fit(*sequences, validation_data=WINDOWS, verbose=0)


@pytest.mark.parametrize("mode, best", [("auto", "max"), ("min", "min")])
def test_more_of_a_metric_is_better_unless_a_callback_says_otherwise(
    make_model, sequences, mode, best
):
    x, y = (part[:4] for part in sequences)
    kinds = (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau)
    callbacks = [kind("val_mrr@5", mode=mode) for kind in kinds]
    loss = keras.callbacks.EarlyStopping("val_loss")
    make_model(num_blocks=1).fit(
        x, y, validation_data=(x, y), callbacks=[*callbacks, loss], verbose=0
    )
    assert [callback.mode for callback in callbacks] == [best, best]
    assert loss.mode == "auto"


def _batches(newest, rows=8, **arguments):
    """Batches of rows of two, the newest item only in the last of them."""
    items = np.ones((rows, 3), "int32")
    items[-1] = newest
    windows = Windows(items, np.zeros(rows, "int32"), np.arange(rows))
    return windows.batches(4, **arguments)


UNKNOWN = "from 1 to 31, but this model knows 1 to 30.*extend_items"


@pytest.mark.parametrize("what", ["x", "validation_data"])
def test_batches_with_unknown_items_are_refused_before_the_first_step(make_model, what):
    model = make_model(num_blocks=1)
    known, unknown = _batches(NUM_ITEMS), _batches(NUM_ITEMS + 1, evaluation=True)
    data = {"x": known, "validation_data": known, what: unknown}
    with refused(f"{what}: x", says=UNKNOWN):
        model.fit(**data, verbose=0)
    callbacks = keras.callbacks.CallbackList([], model=model)
    with refused(f"{what}: x", says=UNKNOWN):
        model.fit(**data, verbose=0, callbacks=callbacks)
    assert int(model.optimizer.iterations) == 0


def test_batches_of_another_vocabulary_are_refused(make_model):
    model = make_model(num_blocks=1)
    model.vocabulary = Vocabulary([*"ab", *range(NUM_ITEMS - 2)])
    log = read_interactions({"user": [1, 1], "item": ["b", "a"]}, timestamp=None)
    other = make_windows(log, Vocabulary(["b", "a"]), 2).batches(1)
    for method in (model.fit, model.evaluate):
        with refused("x", says="with a different vocabulary: item 1 is 'b' in it"):
            method(other, verbose=0)
    first = make_windows(log, Vocabulary(["a", "b"]), 2).batches(1)
    model.fit(first, verbose=0)  # as before more items came
    model.vocabulary = Vocabulary(range(5, 5 + NUM_ITEMS))
    numbers = make_windows(LOG, Vocabulary([2, 1]), 2).batches(1)
    with refused("x", says="is 2 in it, but 5 in the model's.*split.vocabulary"):
        model.fit(numbers, verbose=0)


def test_an_unknown_target_of_batches_is_refused(make_model):
    items = np.array([[1, 2, NUM_ITEMS + 1]])
    batches = Windows(items, np.zeros(1, "int32")).batches(1)
    with refused("x: y", says="item ids from 2 to 31"):
        make_model(num_blocks=1).fit(batches, verbose=0)


@pytest.mark.every_backend
def test_items_may_come_before_the_epoch_that_has_them(make_model):
    class Arrivals(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == arrival:
                self.model.extend_items(1)

    schedule = sr.StackingSchedule({1: 2}, data_shares={0: 0.5, 1: 1.0})
    growth = sr.StackingCallback("stackC", schedule, optimizer_state="carry")
    arrival = 1
    batches = _batches(NUM_ITEMS + 1, share_by="time")
    model = make_model(num_blocks=1)
    model.fit(batches, epochs=2, verbose=0, callbacks=[Arrivals(), growth])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    arrival = 2
    model = make_model(num_blocks=1)
    with refused("x: x", says=UNKNOWN):
        model.fit(batches, epochs=3, verbose=0, callbacks=[Arrivals(), growth])
    assert int(model.optimizer.iterations) == 1
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_rows_that_an_epoch_has_again_are_not_looked_through_again(
    make_model, monkeypatch
):
    looks, item_ids = [], Windows.item_ids

    def counted(windows):
        looks.append(len(windows))
        return item_ids(windows)

    monkeypatch.setattr(Windows, "item_ids", counted)
    make_model(num_blocks=1).fit(_batches(2), epochs=3, verbose=0)
    assert looks == [8]


@pytest.mark.parametrize(
    "kind", [np.asarray, pd.DataFrame, keras.ops.convert_to_tensor]
)
def test_unknown_items_are_refused_in_whatever_holds_them(make_model, kind):
    model = make_model(num_blocks=1)
    x, y = np.array([[1, 2]], "int32"), np.array([[2, NUM_ITEMS + 1]], "int32")
    for argument, method, given in (
        ("y", model.fit, (kind(x), kind(y))),
        ("x", model.fit, (kind(y), kind(x))),
        ("x", model.evaluate, (kind(y), x[:, -1])),
        ("x", model.predict, (kind(y),)),
    ):
        with refused(argument, says="item ids from 2 to 31, but this model"):
            method(*given, verbose=0)


def test_batches_to_evaluate_or_predict_and_arrays_to_score_are_checked(make_model):
    model = make_model(num_blocks=1)
    for method in (model.evaluate, model.predict):
        with refused("x: x", says=UNKNOWN):
            method(_batches(NUM_ITEMS + 1, evaluation=True), verbose=0)
    with refused("x", says=UNKNOWN.replace("from 1", "from 31")):
        model.score(np.array([[NUM_ITEMS + 1]]))


def test_batches_of_a_second_catalogue_are_checked_by_both(make_model):
    model = sr.TransferRecommender(make_model(num_blocks=1), 3)
    model.compile()
    vocabulary = Vocabulary(range(40))
    histories = np.array([[1, NUM_ITEMS], [2, NUM_ITEMS + 1]], "int32")
    for users, target, argument, reason in (
        ([0, 0], 4, "x: y", "item ids from 3 to 4"),
        ([0, 1], 2, "x: x", "item ids from 1 to 31"),
    ):
        pairs = TransferPairs(
            histories, np.array(users), np.array([3, target]), vocabulary, vocabulary
        )
        with refused(argument, says=reason):
            model.fit(pairs.batches(2), verbose=0)


def test_weights_of_classes_are_refused(make_model, sequences):
    with refused("class_weight", {1: 2.0}):
        make_model(num_blocks=1).fit(*sequences, class_weight={1: 2.0}, verbose=0)


def test_weights_of_rows_count_in_metrics_as_in_the_loss(make_model, sequences):
    x, y = (part[:8] for part in sequences)
    model = make_model(num_blocks=1, compiled=False)
    model.compile(metrics=[f"mrr@{NUM_ITEMS}"])
    weights = np.array([1, 0, 0, 1, 0, 0, 0, 0], "float32")
    rows = weights > 0
    alone = model.evaluate(x[rows], y[rows, -1], verbose=0, return_dict=True)
    for each in (weights, np.repeat(weights[:, None], 10, axis=1)):
        found = model.evaluate(
            x, y, sample_weight=each, verbose=0, return_dict=True, batch_size=8
        )
        assert found == pytest.approx(alone, rel=1e-5)
    assert alone["loss"] != pytest.approx(model.evaluate(x, y, verbose=0)[0])


def test_padding_on_the_right_is_warned_of(make_model):
    model = make_model(num_blocks=1)
    left = np.array([[0, 0, 3], [0, 0, 0]], "int32")
    right = np.array([[3, 4, 0], [5, 0, 0], [1, 2, 3]], "int32")
    windows = Windows(np.pad(right, ((0, 0), (0, 1))), np.zeros(3, "int32"))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*end in 0")
        model.predict(left, verbose=0)
    for method, *data in (
        (model.fit, right, right),
        (model.fit, windows.batches(3)),
        (model.evaluate, right, right[:, 0]),
        (model.predict, right),
    ):
        with pytest.warns(UserWarning, match="2 rows of x.* end in 0.*padding='pre'"):
            method(*data, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_no_rows_at_all_are_refused(make_model, method):
    data = [np.zeros((0, 3), "int32")] * (1 if method == "predict" else 2)
    with refused("x", says=r"at least one row, but its shape is \(0, 3\)"):
        getattr(make_model(num_blocks=1), method)(*data, verbose=0)


def test_an_array_without_targets_is_refused(make_model, sequences):
    with refused("y"):
        make_model(num_blocks=1).fit(sequences[0], verbose=0)


def test_one_target_a_row_is_warned_of(make_model, sequences):
    x, y = sequences
    with pytest.warns(StackRecWarning, match="y has one target per row") as caught:
        make_model(num_blocks=1).fit(x, y[:, -1], verbose=0)
    assert caught[0].filename == __file__
