"""Weight averages around growths and freezes, whatever the order of callbacks."""

import keras
import numpy as np
import pytest
from keras.callbacks import BackupAndRestore, SwapEMAWeights

import stackrec_keras as sr


@pytest.fixture
def fit(make_model, sequences):
    """Function from callbacks to a model fitted with them, whose averages lag far
    behind its weights, and its history."""

    def fit(callbacks, epochs=3, kind=keras.optimizers.Adam):
        keras.utils.set_random_seed(0)
        model = make_model(optimizer=kind(1e-2, use_ema=True, ema_momentum=0.9))
        x, y = sequences
        history = model.fit(
            x,
            y,
            batch_size=32,
            shuffle=False,
            epochs=epochs,
            verbose=0,
            validation_data=(x, y[:, -1]),
            callbacks=callbacks,
        )
        return model, history.history

    return fit


class HalvesTheRate(keras.callbacks.ReduceLROnPlateau):
    def on_epoch_end(self, epoch, logs=None):
        self.model.optimizer.learning_rate = 1e-2 / 2**epoch


class GrowsItself(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.grow("stackC", optimizer_state="reset")


CHANGES = {
    "carry": lambda: [sr.StackingCallback("stackC", {1: 4})],
    "reset": lambda: [sr.StackingCallback("stackC", {1: 4}, optimizer_state="reset")],
    "freeze": lambda: [sr.FreezeStack(2)],
    "own callback": lambda: [GrowsItself()],
}


@pytest.mark.parametrize("change", CHANGES)
def test_swapped_averages_change_no_step_in_any_order(fit, change):
    expected, history = fit(CHANGES[change]())
    for callbacks in (
        [*CHANGES[change](), SwapEMAWeights()],
        [*CHANGES[change](), SwapEMAWeights(swap_on_epoch=True)],
        [SwapEMAWeights(swap_on_epoch=True), *CHANGES[change]()],
    ):
        model, swapped = fit(callbacks)
        assert swapped["loss"] == history["loss"]
        assert swapped["val_loss"] != history["val_loss"]
        _assert_equal(model.get_weights(), expected.get_weights())


def test_what_begins_at_the_weights_does_not_begin_at_their_averages(fit):
    kind = keras.optimizers.ScheduleFreeAdamW
    expected, _ = fit(CHANGES["reset"](), kind=kind)
    model, _ = fit([*CHANGES["reset"](), SwapEMAWeights(True)], kind=kind)
    _assert_equal(model.get_weights(), expected.get_weights())


@pytest.mark.usefixtures("eager_on_tensorflow")
def test_averages_that_are_in_the_model_outlast_a_thaw_and_a_reset(fit):
    def changes():
        growing = sr.StackingCallback("stackC", {2: 4}, optimizer_state="reset")
        return [sr.FreezeStack(1), growing]

    expected, history = fit(changes())
    model, swapped = fit([*changes(), SwapEMAWeights(swap_on_epoch=True)])
    # On TensorFlow, Keras swaps by sums and differences.
    np.testing.assert_allclose(swapped["loss"], history["loss"], rtol=1e-5)
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_backup_holds_the_weights_and_not_their_averages(fit, tmp_path):
    def callbacks(*more):
        growing = sr.StackingCallback("stackC", {1: 4}, optimizer_state="reset")
        return [SwapEMAWeights(True), growing, HalvesTheRate(), *more]

    stop = keras.callbacks.LambdaCallback(on_epoch_begin=_interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(callbacks(BackupAndRestore(tmp_path), stop))
    resumed, _ = fit(callbacks(BackupAndRestore(tmp_path)))
    whole, _ = fit(callbacks())
    for part in ("weights", "optimizer.variables"):
        _assert_equal(*(_values(model, part) for model in (resumed, whole)))


def _interrupt(epoch, logs):
    if epoch == 2:
        raise KeyboardInterrupt


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_the_autopilot_restores_the_weights_that_were_validated(
    fit, sequences, swap_on_epoch
):
    plateau = sr.StackingSchedule.plateau("val_loss", patience=1, max_blocks=4)
    callbacks = [SwapEMAWeights(swap_on_epoch), sr.StackingCallback("stackC", plateau)]
    model, history = fit(callbacks, epochs=4)
    x, y = sequences
    loss = model.evaluate(x, y[:, -1], verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(min(history["val_loss"]), rel=1e-6)


def _values(model, part):
    variables = model.weights if part == "weights" else model.optimizer.variables
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
