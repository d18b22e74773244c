import copy
import csv
import re

import keras
import numpy as np
import pytest
from small_data import NUM_ITEMS

import stackrec_keras as sr

pytestmark = pytest.mark.every_backend


def validation(sequences):
    x, y = sequences
    return x, y[:, -1]


def test_a_fit_grows_and_its_history_has_depth_and_seconds(
    make_model, sequences, capsys
):
    model = make_model()
    history = model.fit(
        *sequences, epochs=7, verbose=2, callbacks=[sr.StackingCallback("stackC")]
    ).history
    assert history["num_blocks"] == [2, 4, 4, 8, 8, 8, 8]
    assert [s > 0 for s in history["growth_seconds"]] == [
        epoch in (1, 3) for epoch in range(7)
    ]
    out = capsys.readouterr().out
    first = r"epoch 1: stackC 2 -> 4 blocks, \d\.\d s \(Epoch 2/7\)\n"
    second = r"epoch 3: stackC 4 -> 8 blocks, \d\.\d s \(Epoch 4/7\)\n"
    assert re.search(first, out) and re.search(second, out)


def test_it_says_nothing_when_fit_is_silent(make_model, sequences, capsys):
    callback = sr.StackingCallback("stackC", {1: 4})
    make_model().fit(*sequences, epochs=2, verbose=0, callbacks=[callback])
    assert capsys.readouterr().out == ""


def test_new_blocks_train_after_the_growth(make_model, sequences):
    model = make_model()
    grown = {}

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            grown[epoch] = keras.ops.convert_to_numpy(self.model.stack.kernel1)

    callbacks = [sr.StackingCallback("stackR", {1: 4}), Watch()]
    model.fit(*sequences, batch_size=16, epochs=4, verbose=0, callbacks=callbacks)
    end = keras.ops.convert_to_numpy(model.stack.kernel1)
    assert grown[0].shape[0] == 2 and grown[1].shape[0] == 4
    assert (end != grown[1]).any(axis=(1, 2, 3)).all()


def test_validation_after_a_growth_is_that_of_the_grown_net(make_model, sequences):
    model = make_model()
    x, y = validation(sequences)
    history = model.fit(
        *sequences,
        epochs=2,
        verbose=0,
        validation_data=(x, y),
        callbacks=[sr.StackingCallback("stackR", {1: 4})],
    ).history
    scores = keras.ops.convert_to_numpy(model.score(x)).astype("float64")
    rank = (scores >= scores[np.arange(len(y)), y][:, None]).sum(axis=1)
    assert history["val_mrr@5"][-1] == pytest.approx(
        np.where(rank <= 5, 1 / rank, 0).mean(), abs=1e-6
    )
    loss = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]
    assert history["val_loss"][-1] == pytest.approx(loss.mean(), rel=1e-5)
    predicted = model.predict(x, verbose=0)
    np.testing.assert_allclose(predicted[:, 1:], scores[:, 1:], atol=1e-5)


@pytest.mark.parametrize("kind", ["batches", "tf.data", "DataLoader"])
def test_it_works_with_every_kind_of_data(make_model, sequences, kind):
    model = make_model()
    data = _as_kind(kind, *sequences)
    history = model.fit(
        data, epochs=3, verbose=0, callbacks=[sr.StackingCallback("stackC")]
    ).history
    assert history["num_blocks"] == [2, 4, 8]
    assert history["loss"][-1] < history["loss"][0]


def _as_kind(kind, x, y):
    if kind == "batches":
        items = np.concatenate([x, y[:, -1:]], axis=1)
        return sr.data.Windows(items, np.arange(len(items))).batches(16)
    if kind == "tf.data":
        tf = pytest.importorskip("tensorflow")
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    return torch.utils.data.DataLoader(tensors, batch_size=16)


@pytest.mark.parametrize(
    "arguments, epochs, message",
    [
        ({"schedule": {9: 4}}, 3, "grows nothing"),
        ({"schedule": {1: 1}}, 3, "a net only grows"),
        ({"schedule": {1: 5}, "top_blocks": 2}, 3, "gives 4 blocks, not 5"),
        ({"schedule": None}, 2, "epochs=2 is too few"),
        (
            {"schedule": sr.StackingSchedule.plateau("val_mrr@7")},
            3,
            "'val_mrr@7' is not among the logs.*val_mrr@5",
        ),
        (
            {"schedule": sr.StackingSchedule.plateau("mrr@5")},
            3,
            "'mrr@5' is not among the logs.*loss, val_loss",
        ),
        (
            {"schedule": sr.StackingSchedule.plateau(max_blocks=3)},
            3,
            "max_blocks=3 leaves no growth for a model built with 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_any_training(
    make_model, sequences, arguments, epochs, message
):
    model = make_model()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(
            *sequences,
            epochs=epochs,
            verbose=0,
            validation_data=validation(sequences),
            callbacks=[sr.StackingCallback("stackC", **arguments)],
        )
    assert int(model.optimizer.iterations) == 0 and model.num_blocks == 2
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_an_optimizer_that_cannot_grow_is_refused_before_any_training(
    make_model, sequences
):
    model = make_model(optimizer=keras.optimizers.Lamb())
    with pytest.raises(ValueError, match="optimizer=Lamb cannot follow a growth"):
        model.fit(
            *sequences, epochs=3, verbose=0, callbacks=[sr.StackingCallback("stackC")]
        )
    assert int(model.optimizer.iterations) == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "stackB"}, "method must be one of"),
        ({"method": "stackC", "schedule": "often"}, "schedule must be None, a dict"),
        ({"method": "stackC", "inherit": "half"}, "inherit must be one of"),
        (
            {"method": "stackC", "schedule": "plateau", "top_blocks": -4},
            "top_blocks must be an integer of at least 1. Received: top_blocks=-4",
        ),
        ({"method": "stackC", "top_blocks": 2.0}, "top_blocks must be.*=2.0"),
        ({"method": "stackC", "cycle": 0}, "cycle must be an integer.*cycle=0"),
        ({"method": "stackC", "seed": "x"}, "seed must be an integer.*seed='x'"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        sr.StackingCallback(**arguments)


def test_a_monitored_metric_needs_validation_data(make_model, sequences):
    with pytest.raises(ValueError, match="needs validation_data"):
        make_model().fit(
            *sequences, verbose=0, callbacks=[sr.StackingCallback("stackC", "plateau")]
        )


def test_a_model_of_another_kind_is_refused(sequences):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Embedding(NUM_ITEMS + 1, 3), layers.Flatten(), layers.Dense(10)]
    )
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="grows a SequentialRecommender"):
        model.fit(*sequences, verbose=0, callbacks=[sr.StackingCallback("stackC")])


def test_a_callback_can_be_copied_and_used_again(make_model, sequences):
    callback = sr.StackingCallback("stackR", sr.StackingSchedule.shares([2, 4], [1, 1]))
    copies = [copy.deepcopy(callback), callback, copy.deepcopy(callback)]
    for each in copies:
        model = make_model()
        model.fit(*sequences, epochs=2, verbose=0, callbacks=[each])
        assert model.num_blocks == 4


def test_a_second_fit_does_not_double_again(make_model, sequences):
    model = make_model()
    callback = sr.StackingCallback("stackC")
    model.fit(*sequences, epochs=3, verbose=0, callbacks=[callback])
    with pytest.warns(UserWarning, match=r"built with 2 .* has 8 .*\{1: 16\}"):
        model.fit(*sequences, epochs=3, verbose=0, callbacks=[callback])
    assert model.num_blocks == 8


def test_a_growth_that_a_net_has_behind_it_is_warned_of(make_model, sequences):
    model = make_model()
    model.grow("stackC")
    with pytest.warns(UserWarning, match=r"has 4 already: the growths \{1: 4\} of"):
        model.fit(
            *sequences, epochs=3, verbose=0, callbacks=[sr.StackingCallback("stackC")]
        )
    assert model.num_blocks == 8


def test_a_growth_that_this_fit_does_not_come_to_is_warned_of(
    make_model, sequences, recwarn
):
    partial = sr.StackingSchedule({0: 3, 4: 6}, partial=True)
    for schedule in (partial, {0: 3, 4: 6}):
        assert not [w for w in recwarn if "last epoch" in str(w.message)]
        callback = sr.StackingCallback("stackR", schedule)
        make_model().fit(*sequences, epochs=1, verbose=0, callbacks=[callback])
    (warning,) = [w for w in recwarn if "last epoch" in str(w.message)]
    assert "before the growths {4: 6} of schedule={0: 3, 4: 6}" in str(warning.message)


def test_a_run_that_starts_late_catches_up_growth_by_growth(make_model, sequences):
    model = make_model()
    callback = sr.StackingCallback("stackA", {1: 3, 2: 6})
    history = model.fit(
        *sequences, initial_epoch=2, epochs=4, verbose=0, callbacks=[callback]
    ).history
    assert history["num_blocks"] == [6, 6]


def test_the_log_keys_are_there_for_callbacks_before_it(
    make_model, sequences, tmp_path
):
    path = tmp_path / "log.csv"
    logger = keras.callbacks.CSVLogger(path)
    make_model().fit(
        *sequences,
        epochs=3,
        verbose=0,
        callbacks=[logger, sr.StackingCallback("stackC")],
    )
    rows = list(csv.DictReader(path.open()))
    assert [int(float(row["num_blocks"])) for row in rows] == [2, 4, 8]


def test_a_checkpoint_has_the_depth_that_earned_its_score(
    make_model, sequences, tmp_path
):
    model = make_model()
    checkpoint = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "{epoch}.keras"), save_best_only=False
    )
    history = model.fit(
        *sequences,
        epochs=3,
        verbose=0,
        validation_data=validation(sequences),
        callbacks=[checkpoint, sr.StackingCallback("stackC")],
    ).history
    for epoch, depth in enumerate([2, 4, 8]):
        loaded = keras.saving.load_model(tmp_path / f"{epoch + 1}.keras")
        assert loaded.num_blocks == depth and loaded.initial_blocks == 2
        again = loaded.evaluate(*validation(sequences), verbose=0, return_dict=True)
        assert again["loss"] == pytest.approx(history["val_loss"][epoch], rel=1e-5)


def test_early_stopping_gives_a_shallower_best_model_back(make_model, sequences):
    model = make_model()
    best = {}

    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                best["weights"] = self.model.get_weights()

        def on_epoch_end(self, epoch, logs=None):
            logs["quality"] = -epoch

    callbacks = [
        sr.StackingCallback("stackC", {1: 4}),
        Spoil(),
        keras.callbacks.EarlyStopping(
            "quality", mode="max", patience=2, restore_best_weights=True
        ),
    ]
    model.fit(*sequences, epochs=5, verbose=0, callbacks=callbacks)
    assert model.num_blocks == 2
    model.fit(*sequences, verbose=0)
    kernels = [v for v in model.optimizer.variables if "kernel1" in v.path]
    assert kernels and all(v.shape[0] == 2 for v in kernels)


def test_plateau_goes_on_over_epochs_without_validation(make_model, sequences):
    model = make_model(optimizer=keras.optimizers.SGD(0.0))
    history = model.fit(
        *sequences,
        epochs=8,
        verbose=0,
        validation_data=validation(sequences),
        validation_freq=2,
        callbacks=[sr.StackingCallback("stackC", sr.StackingSchedule.plateau())],
    ).history
    assert history["num_blocks"] == [2] * 6 + [4] * 2


def test_a_record_left_by_the_autopilot_does_not_disturb_another_schedule(
    make_model, sequences
):
    model = make_model()
    model.growth_record = sr.StackingSchedule.plateau().start(0, 2)
    callback = sr.StackingCallback("stackC", {1: 4})
    model.fit(*sequences, epochs=2, verbose=0, callbacks=[callback])
    assert model.num_blocks == 4 and model.growth_record is None


def test_depths_are_checked_from_the_one_the_model_has_now(make_model, sequences):
    model = make_model()
    model.grow("stackC", num_blocks=3)
    callback = sr.StackingCallback("stackC", {1: 4}, top_blocks=2)
    with pytest.raises(ValueError, match="gives 5 blocks, not 4"):
        model.fit(*sequences, epochs=2, verbose=0, callbacks=[callback])
    assert int(model.optimizer.iterations) == 0


def test_plateau_ends_with_the_best_model_at_its_own_depth(make_model, sequences):
    model = make_model()
    schedule = sr.StackingSchedule.plateau("val_loss", patience=1, max_blocks=8)
    values = iter([0.5, 0.3, 0.4, 0.6, 0.7, 0.8])
    snapshots = []

    class Scripted(sr.StackingCallback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = next(values)
            snapshots.append(self.model.get_weights())
            super().on_epoch_end(epoch, logs)

    history = model.fit(
        *sequences,
        epochs=6,
        verbose=0,
        validation_data=validation(sequences),
        callbacks=[Scripted("stackC", schedule)],
    ).history
    assert history["num_blocks"] == [2, 2, 2, 4, 4, 4]
    assert model.num_blocks == 2 and model.growth_record is None
    for weight, best in zip(model.get_weights(), snapshots[1]):
        np.testing.assert_array_equal(weight, best)


def test_plateau_with_no_epoch_left_changes_nothing(make_model, sequences):
    model = make_model()
    before = model.get_weights()
    schedule = sr.StackingSchedule.plateau("loss")
    callbacks = [sr.StackingCallback("stackC", schedule)]
    model.fit(*sequences, initial_epoch=3, epochs=3, verbose=0, callbacks=callbacks)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("kind", [list, keras.callbacks.CallbackList])
def test_two_of_them_in_one_fit_are_refused(make_model, sequences, kind):
    model = make_model()
    callbacks = kind([sr.StackingCallback("stackC", {i: 2 + i}) for i in (1, 2)])
    with pytest.raises(ValueError, match="2 StackingCallbacks.*one schedule"):
        model.fit(*sequences, epochs=3, verbose=0, callbacks=callbacks)
    assert int(model.optimizer.iterations) == 0


def test_a_fit_that_does_not_grow_forgets_an_interrupted_autopilot(
    make_model, sequences
):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    model = make_model()
    schedule = sr.StackingSchedule.plateau("loss")
    callbacks = [sr.StackingCallback("stackC", schedule), Interrupt()]
    with pytest.raises(KeyboardInterrupt):
        model.fit(*sequences, verbose=0, callbacks=callbacks)
    assert model.growth_record.best_weights
    model.fit(*sequences, verbose=0)
    assert model.growth_record is None


def test_the_best_weights_come_back_if_items_came_since(make_model, sequences):
    seen = []

    class EverWorse(sr.StackingCallback):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            if epoch == 1:
                self.model.extend_items(5)

        def on_epoch_end(self, epoch, logs=None):
            logs["loss"] = float(epoch)
            seen.append(self.model.get_weights())
            super().on_epoch_end(epoch, logs)

    schedule = sr.StackingSchedule.plateau("loss", patience=1)
    stopping = keras.callbacks.EarlyStopping(
        "loss", patience=9, restore_best_weights=True
    )
    model = make_model(num_blocks=1)
    callbacks = [EverWorse("stackC", schedule), stopping]
    with pytest.warns(UserWarning, match="lack 5 items.*stay as they are") as warned:
        history = model.fit(*sequences, epochs=3, verbose=0, callbacks=callbacks)
    assert sum("lack 5 items" in str(w.message) for w in warned) == 2  # both restore
    assert history.history["num_blocks"] == [1, 1, 2]
    assert model.num_blocks == 1
    best, last = seen[0], seen[-1]
    for variable, old, new in zip(model.weights, best, last, strict=True):
        weight = keras.ops.convert_to_numpy(variable)
        np.testing.assert_array_equal(weight[: len(old)], old, variable.path)
        np.testing.assert_array_equal(weight[len(old) :], new[len(old) : len(weight)])


def test_its_repr_says_how_and_when_it_grows():
    assert repr(sr.StackingCallback("stackC")) == "StackingCallback('stackC', None)"
    callback = sr.StackingCallback("split", {2: 8})
    assert repr(callback) == (
        "StackingCallback('split', StackingSchedule({2: 8}, partial=False))"
    )
