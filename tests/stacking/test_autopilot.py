"""The depth autopilot in `fit`."""

import keras
import numpy as np
import pytest

import stackrec_keras as sr
from stackrec_keras.stacking.growth_record import GrowthRecord


def test_plateau_goes_on_over_epochs_without_validation(
    make_model, sequences, validation
):
    model = make_model(optimizer=keras.optimizers.SGD(0.0))
    history = model.fit(
        *sequences,
        epochs=8,
        verbose=0,
        validation_data=validation,
        validation_freq=2,
        callbacks=[sr.StackingCallback("stackC", sr.StackingSchedule.plateau())],
    ).history
    assert history["num_blocks"] == [2] * 6 + [4] * 2


def test_a_record_left_by_the_autopilot_does_not_disturb_another_schedule(
    make_model, sequences
):
    model = make_model()
    model.growth_record = GrowthRecord({"due": np.array(8)})
    callback = sr.StackingCallback("stackC", {1: 4})
    model.fit(*sequences, epochs=2, verbose=0, callbacks=[callback])
    assert model.num_blocks == 4 and model.growth_record is None


@pytest.mark.every_backend
def test_plateau_ends_with_the_best_model_at_its_own_depth(
    make_model, sequences, validation
):
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
        validation_data=validation,
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
    assert "best_weights_0000" in model.growth_record.arrays
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
    with pytest.warns(UserWarning, match="extended by 5 items after") as warned:
        history = model.fit(*sequences, epochs=3, verbose=0, callbacks=callbacks)
    both = [w for w in warned if "extended by 5 items" in str(w.message)]
    assert len(both) == 2  # EarlyStopping and the schedule restore weights
    assert history.history["num_blocks"] == [1, 1, 2]
    assert model.num_blocks == 1
    best, last = seen[0], seen[-1]
    for variable, old, new in zip(model.weights, best, last, strict=True):
        weight = keras.ops.convert_to_numpy(variable)
        np.testing.assert_array_equal(weight[: len(old)], old, variable.path)
        np.testing.assert_array_equal(weight[len(old) :], new[len(old) : len(weight)])
