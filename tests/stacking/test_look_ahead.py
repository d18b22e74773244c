"""The autopilot that tries growth steps and takes them back."""

import math

import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.stacking.growth_record import GrowthRecord
from stackrec_keras.stacking.schedules.look_ahead import LookAheadState
from stackrec_keras.stacking.schedules.plateau import PlateauState
from stackrec_keras.stacking.snapshot import Snapshot

look_ahead = sr.StackingSchedule.look_ahead


def state_of(model):
    snapshot = Snapshot.of(model)
    return [*snapshot.weights, *snapshot.state]


class Scripted(sr.StackingCallback):
    """Replaces the values of the monitored metric, and records the model's state and
    learning rate. A value of `None` stands for an epoch without validation."""

    def __init__(self, values, schedule, **arguments):
        super().__init__("stackC", schedule, **arguments)
        self.values = iter(values)
        self.begun, self.ended, self.rates = [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.begun.append(state_of(self.model))

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(float(self.model.optimizer.learning_rate))
        self.ended.append(state_of(self.model))
        value = next(self.values)
        if value is None:
            del logs["loss"]
        else:
            logs["loss"] = value
        super().on_epoch_end(epoch, logs)


def run(model, sequences, values, growing=None, **arguments):
    """Fits an epoch for each value, and returns the callback and the depths."""
    schedule = look_ahead("loss", **{"trial_epochs": 1, **arguments})
    callback = Scripted(values, schedule, **(growing or {}))
    fitted = model.fit(
        *sequences, epochs=len(values), verbose=0, callbacks=[callback], batch_size=32
    )
    return callback, fitted.history["num_blocks"]


def assert_equal(states, others):
    for ours, theirs in zip(states, others, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.every_backend
def test_a_trial_that_gains_too_little_is_taken_back_to_the_bit(make_model, sequences):
    model = make_model(loss="sampled_softmax")
    # Epochs: before, shallow, deep (gains .2), shallow, deep (gains .005), after.
    values = [5.0, 4.0, 3.8, 3.5, 3.495, 3.4]
    callback, depths = run(model, sequences, values, {"optimizer_state": "reset"})
    assert depths == [2, 2, 4, 4, 8, 4]
    assert_equal(callback.begun[5], callback.ended[3])
    assert model.growth_record is None


def test_both_halves_of_a_trial_start_from_the_same_state(make_model, sequences):
    model = make_model(num_blocks=1, optimizer=keras.optimizers.SGD(0.1))
    growing = {"optimizer_state": "carry"}
    callback, depths = run(model, sequences, [5.0, 4.0, 3.0, 3.0], growing)
    assert depths == [1, 1, 2, 2]
    for before, shallow, deep in zip(
        callback.ended[0], callback.begun[1], callback.begun[2], strict=True
    ):
        np.testing.assert_array_equal(before, shallow)
        if deep.shape == shallow.shape:
            np.testing.assert_array_equal(deep, shallow)
        else:
            np.testing.assert_array_equal(deep[:1], shallow)


def test_a_half_lasts_trial_epochs_and_counts_its_best_epoch(make_model, sequences):
    values = [5.0, 5.0, 4.0, 4.5, 3.9, 3.95, 4.0, 4.0, 4.0, 4.0, 4.0]
    arguments = {"start_epoch": 2, "trial_epochs": 2, "max_blocks": 8}
    _, depths = run(make_model(), sequences, values, **arguments)
    assert depths == [2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 4]
    _, depths = run(make_model(), sequences, values, min_gain=0.2, **arguments)
    assert depths == [2, 2, 2, 2, 4, 4, 2, 2, 2, 2, 2]


class StopsAfter(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == self.epoch


@pytest.mark.parametrize("deep, blocks", [(3.0, 2), (None, 1)])
def test_a_fit_that_stops_keeps_a_trial_only_if_it_is_complete_and_won(
    make_model, sequences, deep, blocks
):
    model = make_model(num_blocks=1)
    callback = Scripted([5.0, 4.0, deep], look_ahead("loss", trial_epochs=1))
    callbacks = [callback, StopsAfter(2)]
    model.fit(*sequences, epochs=9, verbose=0, callbacks=callbacks)
    assert model.num_blocks == blocks


@pytest.mark.every_backend
def test_a_fit_that_stops_in_a_lost_trial_ends_with_averages(make_model, sequences):
    ended = []
    for stop in (1, 2):  # at the end of the first half, and of the second
        keras.utils.set_random_seed(0)
        model = make_model(optimizer=keras.optimizers.Adam(0.1, use_ema=True))
        callback = Scripted([5.0, 4.0, 4.0], look_ahead("loss", trial_epochs=1))
        callbacks = [callback, StopsAfter(stop)]
        model.fit(*sequences, epochs=9, verbose=0, callbacks=callbacks, shuffle=False)
        ended.append(model.get_weights())
    assert_equal(*ended)


def test_a_loss_scale_optimizer_is_taken_back_as_a_whole(make_model, sequences):
    products = []
    for values in ([5.0, 4.0, 4.0, 4.0], [5.0, 4.0, 4.0]):  # the second has no trial
        inner = keras.optimizers.Nadam()
        model = make_model(optimizer=keras.optimizers.LossScaleOptimizer(inner))
        run(model, sequences, values)
        products.append(keras.ops.convert_to_numpy(inner._u_product))
    np.testing.assert_array_equal(*products)


def test_both_halves_of_a_trial_have_as_many_epochs(make_model, sequences):
    # Only every second epoch has a value.
    values = [5.0, None, 4.0, None, 4.0, None, 4.0, None]
    _, depths = run(make_model(), sequences, values, max_blocks=4)
    assert depths == [2, 2, 2, 4, 4, 2, 2, 2]
    _, depths = run(make_model(), sequences, [None, *values], max_blocks=4)
    assert depths == [2, 2, 2, 2, 4, 4, 2, 2, 2]
    _, depths = run(make_model(), sequences, values[:4], max_blocks=4)
    assert depths == [2] * 4


def test_a_trial_waits_until_all_weights_are_trained(make_model, sequences):
    x, y = sequences
    source = make_model(num_blocks=1)
    model = sr.TransferRecommender(source, num_targets=NUM_ITEMS)
    model.compile()
    callbacks = [
        Scripted([5.0] * 7, look_ahead("loss", trial_epochs=1)),
        sr.FreezeStack(3),
    ]
    fitted = model.fit(x, y[:, -1], epochs=7, verbose=0, callbacks=callbacks)
    assert fitted.history["num_blocks"][:6] == [1, 1, 1, 1, 1, 2]


def test_a_lost_trial_is_repeated_after_as_many_epochs(make_model, sequences):
    wins, loses = [4.0, 3.0], [4.0, 4.0]
    values = [5, *loses, 4, *loses, 4, *wins, *loses, 4, *loses, 4]
    _, depths = run(make_model(num_blocks=1), sequences, values, max_blocks=4)
    changes = {e: depths[e] for e in range(1, 15) if depths[e] != depths[e - 1]}
    assert changes == {2: 2, 3: 1, 5: 2, 6: 1, 8: 2, 10: 4, 11: 2, 13: 4, 14: 2}


def test_no_trial_begins_that_the_fit_cannot_end(make_model, sequences):
    values = [5.0, 4.0, 3.0, 2.0, 1.0]
    _, depths = run(make_model(), sequences, values, trial_epochs=2)
    assert depths == [2] * 5


@pytest.mark.parametrize(
    "shallow, deep, stays",
    [(math.nan, 4.0, True), (4.0, math.nan, False), (math.nan, math.nan, False)],
)
def test_a_model_whose_loss_is_nan_loses_the_trial(
    make_model, sequences, shallow, deep, stays
):
    model = make_model()
    run(model, sequences, [5.0, shallow, deep, 4.0])
    assert model.num_blocks == (4 if stays else 2)


@pytest.mark.parametrize("optimizer_state", ["carry", "reset"])
@pytest.mark.parametrize("deep", [3.0, 4.5])
def test_the_rate_repeats_in_a_trial_and_then_skips_ahead(
    make_model, sequences, deep, optimizer_state
):
    steps = 2 * 6
    rate = keras.optimizers.schedules.PolynomialDecay(0.1, steps, 0.0)
    model = make_model(optimizer=keras.optimizers.Adam(rate))
    values = [5.0, 4.0, deep, 4.0, 4.0, 4.0]
    callback, _ = run(
        *(model, sequences, values, {"optimizer_state": optimizer_state}),
        trial_epochs=1,
        max_blocks=4,
    )
    share = np.array(callback.rates) / 0.1 * steps
    np.testing.assert_allclose(share, [10, 8, 8, 4, 2, 0], atol=1e-4)


def test_a_depth_is_tried_only_up_to_max_blocks(make_model, sequences):
    _, depths = run(make_model(), sequences, [5, 4, 3, 2, 1, 1], max_blocks=7)
    assert depths == [2, 2, 4, 4, 4, 4]


def test_a_state_left_by_an_earlier_fit_does_not_count(make_model, sequences):
    model = make_model()
    state = LookAheadState(epoch=3, due=8, steps_taken_back=9)
    model.growth_record = GrowthRecord(state.to_arrays())
    assert model.growth_record.steps_taken_back(4) == 9
    assert model.growth_record.steps_taken_back(0) == 0
    _, depths = run(model, sequences, [5.0, 4.0, 4.0, 4.0])
    assert depths == [2, 2, 4, 2]


def test_items_that_come_during_a_trial_stay(make_model, sequences):
    class Extends(Scripted):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            if epoch == 2:
                self.model.extend_items(5)

    model = make_model()
    schedule = look_ahead("loss", trial_epochs=1)
    callback = Extends([5.0, 4.0, 4.0, 3.0], schedule)
    with pytest.warns(UserWarning, match="extended by 5 items"):
        model.fit(*sequences, epochs=4, verbose=0, callbacks=[callback])
    assert model.num_blocks == 2 and model.num_items == NUM_ITEMS + 5


def test_one_autopilot_can_follow_an_interrupted_other(make_model, sequences):
    of_plateau = GrowthRecord(PlateauState(epoch=-1, due=8).to_arrays())
    of_look_ahead = GrowthRecord(LookAheadState(epoch=-1, due=8).to_arrays())
    model = make_model()
    model.growth_record = of_plateau
    assert run(model, sequences, [5.0, 4.0, 4.0, 4.0])[1] == [2, 2, 4, 2]
    model.growth_record = of_look_ahead
    callback = sr.StackingCallback("stackC", sr.StackingSchedule.plateau("loss"))
    fitted = model.fit(*sequences, verbose=0, callbacks=[callback])
    assert fitted.history["num_blocks"] == [2]


def test_a_state_survives_being_saved():
    held = Snapshot([np.ones(2), np.zeros(3)], [np.array(4)], [5])
    state = LookAheadState(3, 8, 1, 2, 1, True, 0.5, 0.4, 7, held)
    copy = LookAheadState.from_arrays(state.to_arrays())
    assert {**vars(copy), "held": None} == {**vars(state), "held": None}
    assert type(copy.due) is int
    assert copy.held.starts == [5]
    for old, new in zip(held.weights + held.state, copy.held.weights + copy.held.state):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "argument, value",
    [
        ("monitor", None),
        ("start_epoch", 0),
        ("trial_epochs", 0),
        ("trial_epochs", 1.5),
        ("min_gain", math.nan),
        ("max_blocks", 0),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(argument, value):
    with refused(argument) as caught:
        look_ahead(**{argument: value})
    assert caught.value.received is value
