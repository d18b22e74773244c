"""`optimizer_state="reset"`: moments start again, and everything else continues."""

import keras
import numpy as np
import pytest
from keras import optimizers

import stackrec_keras as sr

MOMENTS = {
    "amsgrad": lambda: optimizers.Adam(1e-2, amsgrad=True),
    "nadam": lambda: optimizers.Nadam(1e-2),
    "adamax": lambda: optimizers.Adamax(1e-2),
    "adagrad": lambda: optimizers.Adagrad(1e-2),
    "ftrl": lambda: optimizers.Ftrl(1e-2),
    "rmsprop": lambda: optimizers.RMSprop(1e-2, momentum=0.9, centered=True),
    "schedule_free": lambda: optimizers.ScheduleFreeAdamW(1e-2),
    "nadam in a loss scale": lambda: optimizers.LossScaleOptimizer(
        optimizers.Nadam(1e-2)
    ),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_after_a_reset_an_optimizer_steps_as_a_new_one(make_model, sequences, name):
    grown = make_model(optimizer=MOMENTS[name](), run_eagerly=True)
    for _ in range(2):
        grown.train_on_batch(*sequences)
    grown.grow("stackC", optimizer_state="reset")
    new = make_model(4, optimizer=MOMENTS[name](), run_eagerly=True)
    new.set_weights(grown.get_weights())
    new.compile(MOMENTS[name](), run_eagerly=True)
    for model in (grown, new):
        for _ in range(2):
            model.train_on_batch(*sequences)
    for ours, theirs in zip(grown.get_weights(), new.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def cosine():
    return optimizers.schedules.CosineDecay(1e-2, decay_steps=12)


class Own(optimizers.schedules.LearningRateSchedule):
    """A schedule that is not registered and has no config."""

    def __call__(self, step):
        return 1e-2 / (1 + keras.ops.cast(step, "float32"))


SCHEDULES = {
    "cosine": lambda: optimizers.Adam(cosine()),
    "own": lambda: optimizers.Adam(Own()),
    "accumulation": lambda: optimizers.Adam(cosine(), gradient_accumulation_steps=3),
    "loss scale": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(Own())),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_rate_schedule_continues(make_model, sequences, name):
    rates = {"carry": [], "reset": []}
    for state, found in rates.items():
        model = make_model(optimizer=SCHEDULES[name](), run_eagerly=True)
        for step in range(5):
            if step in (2, 4):
                model.grow("stackC", num_blocks=step + 1, optimizer_state=state)
            model.train_on_batch(*sequences)
            found.append(_number(model.optimizer.learning_rate))
    assert rates["carry"] == rates["reset"]
    assert len(set(rates["carry"])) == 5
    # The step count, which the bias correction follows, started again.
    assert int(model.optimizer.iterations) == {"accumulation": 0}.get(name, 1)


def test_steps_of_a_fit_take_the_rate_of_the_schedule(make_model, sequences):
    # SGD has no moments, so a reset does not change its steps.
    weights = []
    for state in ("carry", "reset"):
        keras.utils.set_random_seed(0)
        model = make_model(optimizer=optimizers.SGD(cosine()))
        growing = sr.StackingCallback("stackC", {1: 3}, optimizer_state=state)
        model.fit(
            *sequences,
            batch_size=32,
            shuffle=False,
            epochs=2,
            verbose=0,
            callbacks=[growing],
        )
        weights.append(model.get_weights())
    for carried, reset in zip(*weights, strict=True):
        np.testing.assert_array_equal(carried, reset)


@pytest.mark.every_backend
def test_files_hold_the_position_of_a_schedule(make_model, sequences, tmp_path):
    model = make_model(optimizer=optimizers.Adam(cosine()))
    model.save_weights(tmp_path / "new.weights.h5")
    model.fit(*sequences, batch_size=16, verbose=0)
    model.grow("stackC", optimizer_state="reset")
    rate = _number(model.optimizer.learning_rate)
    model.save(tmp_path / "grown.keras")
    model.save_weights(tmp_path / "grown.weights.h5")

    assert _rate_of(keras.saving.load_model(tmp_path / "grown.keras")) == rate
    other = make_model(optimizer=optimizers.Adam(cosine()))
    other.load_weights(tmp_path / "grown.weights.h5")
    assert _rate_of(other) == rate < _number(cosine()(0))
    with pytest.raises(ValueError, match="does not fit"):
        other.load_weights(_file_of_another_width(make_model, tmp_path))
    assert _rate_of(other) == rate
    other.load_weights(tmp_path / "new.weights.h5")
    assert _rate_of(other) == _number(cosine()(0))


def _file_of_another_width(make_model, folder):
    path = folder / "wide.weights.h5"
    make_model(embedding_dim=4, optimizer=optimizers.Adam(cosine())).save_weights(path)
    return path


def _rate_of(model):
    return _number(model.optimizer.learning_rate)


def test_accumulated_gradients_and_the_scale_of_the_loss_continue(
    make_model, sequences
):
    weights = []
    for state in ("carry", "reset"):
        keras.utils.set_random_seed(0)
        inner = optimizers.SGD(0.1, gradient_accumulation_steps=2)
        scaled = optimizers.LossScaleOptimizer(inner, dynamic_growth_steps=3)
        model = make_model(optimizer=scaled, run_eagerly=True)
        for step in range(8):
            if step in (3, 5):
                model.grow("stackC", num_blocks=2, optimizer_state=state)
            model.train_on_batch(*(part[8 * step : 8 * step + 8] for part in sequences))
        assert _number(scaled.dynamic_scale) == 2**17
        assert _number(scaled.step_counter) == 2
        weights.append(model.get_weights())
    for carried, reset in zip(*weights, strict=True):
        np.testing.assert_array_equal(carried, reset)


def test_an_average_is_never_0(make_model, sequences):
    model = make_model(optimizer=optimizers.Adam(1e-2, use_ema=True))
    model.fit(*sequences, verbose=0)
    before = keras.ops.convert_to_numpy(model.stack.kernel1)
    model.grow("stackC", optimizer_state="reset")
    model.optimizer.finalize_variable_values(model.trainable_variables)
    after = keras.ops.convert_to_numpy(model.stack.kernel1)
    np.testing.assert_array_equal(after, before[[0, 1, 0, 1]])


def test_averages_start_again_with_weights_of_another_depth(make_model, sequences):
    model = make_model(optimizer=optimizers.Adam(1e-2, use_ema=True))
    shallow = model.get_weights()
    model.grow("stackA")
    model.fit(*sequences, verbose=0)
    model.set_weights(shallow)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for ours, theirs in zip(model.get_weights(), shallow, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def _number(value):
    return float(keras.ops.convert_to_numpy(value))


def test_a_growth_step_resets_the_moments_by_default(make_model, sequences):
    assert sr.runs.TrainConfig("log.csv").optimizer_state == "reset"
    assert sr.stacking.Growth("stackC").optimizer_state == "reset"
    growing = sr.StackingCallback("stackC", {1: 4})
    model = make_model(optimizer=optimizers.Adam(1e-2))
    model.fit(*sequences, epochs=2, verbose=0, callbacks=[growing])
    of_callback = int(model.optimizer.iterations)
    model.grow("stackC")
    assert of_callback == len(sequences[0]) // 32 and model.optimizer.iterations == 0
    moments = [v for v in model.optimizer.variables if "momentum" in v.path]
    assert moments and not any(keras.ops.any(moment != 0) for moment in moments)
