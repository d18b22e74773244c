import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.schedules import WarmupStableDecay


def rates(schedule, steps):
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in range(steps)]


class Rates(keras.callbacks.Callback):
    """The rate of each step of a fit."""

    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_begin(self, batch, logs=None):
        rate = self.model.optimizer.learning_rate
        self.rates.append(float(keras.ops.convert_to_numpy(rate)))


@pytest.mark.every_backend
def test_it_rises_stays_and_falls():
    schedule = WarmupStableDecay(1.0, warmup=2, decay=0.4, steps=10)
    expected = [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    np.testing.assert_allclose(rates(schedule, 10), expected)
    assert rates(schedule, 12)[10:] == [0, 0]


def test_it_takes_its_length_from_the_fit_and_holds_through_a_growth(
    make_model, sequences
):
    model = make_model(optimizer=keras.optimizers.Adam(WarmupStableDecay(0.1)))
    watch = Rates()
    growth = sr.StackingCallback("stackC", {1: 4}, optimizer_state="reset")
    # 64 rows: 4 epochs of 5 steps, the last 4 of which decay.
    model.fit(*sequences, batch_size=13, epochs=4, verbose=0, callbacks=[growth, watch])
    expected = [0.1] * 17 + [0.075, 0.05, 0.025]
    np.testing.assert_allclose(watch.rates, expected, rtol=1e-5)


def test_a_second_fit_goes_on_at_the_high_rate_and_decays_at_its_end(
    make_model, sequences
):
    schedule = WarmupStableDecay(0.1, warmup=2, decay=0.25)
    model = make_model(optimizer=keras.optimizers.Adam(schedule))
    watch = Rates()
    for _ in range(2):
        model.fit(*sequences, batch_size=16, epochs=1, verbose=0, callbacks=[watch])
    expected = [0.05, 0.1, 0.1, 0.1] + [0.1, 0.1, 0.1, 0.05]
    np.testing.assert_allclose(watch.rates, expected, rtol=1e-5)


def test_a_fit_after_a_reset_counts_the_steps_before_it(make_model, sequences):
    schedule = WarmupStableDecay(0.1, decay=0.25)
    model = make_model(optimizer=keras.optimizers.Adam(schedule))
    watch = Rates()
    growth = sr.StackingCallback("stackC", {1: 4}, optimizer_state="reset")
    for callbacks in ([watch, growth], [watch]):
        model.fit(*sequences, batch_size=16, epochs=2, verbose=0, callbacks=callbacks)
    expected = [0.1] * 7 + [0.05] + [0.1] * 5 + [0.075, 0.05, 0.025]
    np.testing.assert_allclose(watch.rates, expected, rtol=1e-5)


def test_a_fit_that_is_resumed_has_the_rates_of_one_that_was_not(
    make_model, sequences, tmp_path
):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def fit(*callbacks):
        model = make_model(optimizer=keras.optimizers.Adam(WarmupStableDecay(0.1)))
        watch = Rates()
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(backup, "on_train_end", lambda logs=None: None)
            try:
                model.fit(
                    *sequences,
                    batch_size=16,
                    epochs=5,
                    verbose=0,
                    callbacks=[backup, watch, *callbacks],
                )
            except KeyboardInterrupt:
                pass
        return watch.rates

    begun = fit(Stop())
    assert len(begun) == 8 and begun + fit() == pytest.approx(
        [0.1] * 17 + [0.075, 0.05, 0.025], rel=1e-5
    )


def test_a_file_holds_it(make_model, sequences, tmp_path):
    model = make_model(optimizer=keras.optimizers.Adam(WarmupStableDecay(0.1)))
    model.fit(*sequences, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    schedule = loaded.optimizer._learning_rate
    assert schedule.get_config() == {
        "learning_rate": 0.1,
        "warmup": 0,
        "decay": 0.2,
        "steps": None,
        "fit_steps": 2,
    }


def test_before_a_fit_the_rate_is_the_highest():
    assert rates(WarmupStableDecay(0.1, warmup=5), 1) == [pytest.approx(0.1)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0),
        ("learning_rate", "fast"),
        ("warmup", -1),
        ("warmup", 1.0),
        ("decay", 1.5),
        ("decay", True),
        ("steps", 0),
    ],
)
def test_arguments_are_checked(name, value):
    with refused(name, received=value):
        WarmupStableDecay(**{name: value})


def test_parts_that_do_not_fit_are_refused_before_the_first_step(make_model, sequences):
    with refused("warmup", received=8):
        WarmupStableDecay(warmup=8, decay=4, steps=10)
    schedule = WarmupStableDecay(decay=3)
    model = make_model(optimizer=keras.optimizers.Adam(schedule))
    with refused("decay", received=3, says="takes 3 of 2 steps"):
        model.fit(*sequences, verbose=0)
    assert model.optimizer.iterations == 0


def test_a_fit_that_cannot_tell_its_steps_asks_for_them(make_model, sequences):
    def endless():
        while True:
            yield sequences

    model = make_model(optimizer=keras.optimizers.Adam(WarmupStableDecay()))
    with refused("steps", says="does not know how many batches"):
        model.fit(endless(), verbose=0)
    items = np.concatenate([sequences[0], sequences[1][:, -1:]], axis=1)
    windows = sr.data.Windows(items, np.arange(64, dtype="int32"))
    schedule = sr.StackingSchedule({1: 4}, data_shares={0: 0.5, 1: 1.0})
    growth = sr.StackingCallback("stackC", schedule)
    with refused("steps", says="epochs have different numbers of rows"):
        model.fit(windows.batches(16), epochs=2, verbose=0, callbacks=[growth])
