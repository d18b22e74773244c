import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.models.freezing import set_frozen

NUM_TARGETS = 20


@pytest.fixture
def pairs(sequences):
    x = sequences[0]
    return x, x[:, -1] % NUM_TARGETS + 1


@pytest.fixture
def make_transfer(make_model):
    """Function from an optimizer to a compiled TransferRecommender of 2 blocks."""

    def make(optimizer="auto"):
        model = sr.TransferRecommender(make_model(), NUM_TARGETS)
        model.compile(optimizer)
        return model

    return make


@pytest.mark.every_backend
def test_all_but_the_table_stands_still_for_the_first_epochs(make_transfer, pairs):
    # Weight decay moves what has no gradient; a growth step replaces the variables.
    model = make_transfer(keras.optimizers.AdamW(1e-2, weight_decay=0.1))
    watch = Watch()
    model.fit(
        *pairs,
        batch_size=32,
        epochs=4,
        verbose=0,
        callbacks=[watch, sr.FreezeStack(2), sr.StackingCallback("stackC", {1: 4})],
    )
    tables = {"target_table/table", "target_table/bias"}
    assert watch.changed[0] == tables
    assert watch.changed[1] == tables | watch.grown
    np.testing.assert_array_equal(
        watch.weights[2]["stack/kernel1"],
        np.tile(watch.weights[0]["stack/kernel1"], (2, 1, 1, 1)),
    )
    of_source = {"output_table/table", "output_table/bias"}
    assert watch.changed[2] == watch.changed[3] == set(watch.weights[0]) - of_source


def test_while_frozen_the_table_takes_plain_gradient_steps(make_transfer, pairs):
    model = make_transfer(keras.optimizers.SGD(1.0))
    x, y = pairs
    hidden = _numpy(model(x))[:, -1].astype("float64")
    table, bias = (_numpy(v).astype("float64") for v in model.output_table.weights)
    model.fit(x, y, batch_size=64, epochs=3, verbose=0, callbacks=[sr.FreezeStack(3)])
    for _ in range(3):
        chances = np.exp(hidden @ table.T + bias)
        chances[:, 0] = 0
        chances /= chances.sum(axis=1, keepdims=True)
        chances[np.arange(64), y] -= 1
        table = table - chances.T @ hidden / 64
        bias = bias - chances.mean(axis=0)
    np.testing.assert_allclose(_numpy(model.output_table.table), table, atol=1e-5)
    np.testing.assert_allclose(_numpy(model.output_table.bias), bias, atol=1e-5)


def test_the_optimizer_starts_anew_with_all_weights_at_its_learning_rate(
    make_transfer, pairs
):
    model = make_transfer()
    steps = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            optimizer = self.model.optimizer
            steps.append((int(optimizer.iterations), len(optimizer.variables)))
            if epoch == 0:
                optimizer.learning_rate = 0.5

    model.fit(
        *pairs,
        batch_size=32,
        epochs=2,
        verbose=0,
        callbacks=[sr.FreezeStack(1), Look()],
    )
    # Iterations, learning rate and two moments of each weight.
    assert steps == [(2, 6), (2, 26)]
    assert float(model.optimizer.learning_rate) == 0.5


def test_a_rate_schedule_goes_on_through_freezing_and_thawing(make_transfer, pairs):
    schedule = keras.optimizers.schedules.CosineDecay(1e-2, decay_steps=8)
    model = make_transfer(keras.optimizers.Adam(schedule))
    rates = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(_numpy(self.model.optimizer.learning_rate)))

    callbacks = [sr.FreezeStack(2), Look()]
    model.fit(*pairs, batch_size=32, epochs=4, verbose=0, callbacks=callbacks)
    expected = [float(_numpy(schedule(step))) for step in (2, 4, 6, 8)]
    assert rates == expected
    assert float(_numpy(model.optimizer.learning_rate)) == expected[-1]


def test_each_optimizer_of_several_goes_on_with_its_schedule(make_model, sequences):
    halving = keras.optimizers.schedules.ExponentialDecay(1e-2, 4, 0.5)
    of_table = keras.optimizers.SGD(halving)
    optimizers = keras.optimizers.OptimizerMap(
        keras.optimizers.Adam(1e-3), {"output_table/.*": of_table}
    )
    model = make_model(optimizer=keras.optimizers.MultiOptimizer(optimizers))
    callbacks = [sr.FreezeStack(1)]
    model.fit(*sequences, batch_size=32, epochs=2, verbose=0, callbacks=callbacks)
    rates = [float(_numpy(o.learning_rate)) for o in model.optimizer.optimizers]
    assert rates == pytest.approx([5e-3, 1e-3])


def test_averages_begin_at_the_weights_that_are_thawed(make_transfer, pairs):
    model = make_transfer(keras.optimizers.Adam(1e-2, use_ema=True))
    model.fit(*pairs, verbose=0, callbacks=[sr.FreezeStack(5)])
    before = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_fit_ends_with_all_trainable_that_was(make_transfer, pairs):
    model = make_transfer()
    model.source.item_embedding.trainable = False
    model.compile()
    names = [v.path for v in model.trainable_variables]
    model.fit(*pairs, epochs=1, verbose=0, callbacks=[sr.FreezeStack(5)])
    assert model.frozen is None
    assert [v.path for v in model.trainable_variables] == names


def test_a_file_of_the_frozen_time_goes_on_frozen_and_holds_the_moments(
    make_transfer, tmp_path
):
    model = make_transfer()
    model.save_weights(tmp_path / "thawed.weights.h5")
    _freeze_and_mark(model)
    model.save(tmp_path / "frozen.keras")
    loaded = keras.saving.load_model(tmp_path / "frozen.keras")
    assert loaded.frozen is not None
    assert len(loaded.trainable_variables) == 2
    assert [float(np.max(_numpy(v))) for v in loaded.optimizer.variables] == [7.0] * 6
    loaded.load_weights(tmp_path / "thawed.weights.h5")
    assert loaded.frozen is None
    assert len(loaded.optimizer.variables) == 26


def test_a_file_that_does_not_fit_leaves_the_model_thawed(
    make_transfer, make_model, tmp_path
):
    other = sr.TransferRecommender(make_model(embedding_dim=4), NUM_TARGETS)
    other.compile()
    _freeze_and_mark(other)
    other.save_weights(tmp_path / "other.weights.h5")
    model = make_transfer()
    model.optimizer.iterations.assign(5)
    with refused("filepath"):
        model.load_weights(tmp_path / "other.weights.h5")
    assert model.frozen is None
    assert len(model.trainable_variables) == 12
    assert int(model.optimizer.iterations) == 5


def test_a_fit_without_it_trains_what_an_interrupted_one_left_frozen(
    make_transfer, pairs
):
    model = make_transfer()
    set_frozen(model, True)
    model.compile()
    watch = Watch()
    model.fit(*pairs, verbose=0, callbacks=[watch])
    assert model.frozen is None
    assert len(watch.changed[0]) == 12


def test_a_fit_without_it_trains_what_a_backup_of_the_frozen_time_holds(
    make_transfer, pairs, tmp_path
):
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    stop = keras.callbacks.LambdaCallback(on_epoch_begin=_stop_at_1)
    with pytest.raises(KeyboardInterrupt):
        make_transfer().fit(
            *pairs, epochs=3, verbose=0, callbacks=[sr.FreezeStack(3), backup, stop]
        )
    watch = Watch()
    model = make_transfer()
    history = model.fit(*pairs, epochs=3, verbose=0, callbacks=[backup, watch])
    assert history.epoch == [1, 2]
    assert model.frozen is None
    assert len(watch.changed[-1]) == 12


@pytest.mark.parametrize("by", ["var_list", "var_names"])
def test_what_is_excluded_from_weight_decay_stays_so_through_freezing_and_growth(
    make_transfer, pairs, by
):
    model = make_transfer()
    # Gradients move nothing, and the decay a lot.
    optimizer = keras.optimizers.AdamW(1e-20, weight_decay=1e18)
    kernel = model.source.stack.kernel1
    optimizer.exclude_from_weight_decay(
        **{by: {"var_list": [kernel], "var_names": ["kernel1"]}[by]}
    )
    model.compile(optimizer)
    watch = Watch()
    callbacks = [watch, sr.FreezeStack(1), sr.StackingCallback("stackC", {1: 4})]
    model.fit(*pairs, epochs=3, verbose=0, callbacks=callbacks)
    assert "stack/kernel2" in watch.changed[2]
    assert "stack/kernel1" not in watch.changed[2]


def test_a_next_item_recommender_is_frozen_too(make_model, sequences):
    model = make_model()
    watch = Watch()
    model.fit(*sequences, verbose=0, callbacks=[watch, sr.FreezeStack(1)])
    assert watch.changed[0] == {"output_table/table", "output_table/bias"}


@pytest.mark.parametrize("epochs", [0, 1.5, True])
def test_epochs_must_be_a_whole_number(epochs):
    with refused("epochs", epochs):
        sr.FreezeStack(epochs)


def test_another_model_is_refused():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse")
    with refused("callbacks", says="FreezeStack, .* not a Sequential"):
        model.fit(np.ones((2, 1)), np.ones((2, 1)), callbacks=[sr.FreezeStack(1)])


def _freeze_and_mark(model):
    set_frozen(model, True)
    for variable in model.optimizer.variables:
        variable.assign(np.full(variable.shape, 7))


def _stop_at_1(epoch, logs):
    if epoch == 1:
        raise KeyboardInterrupt


class Watch(keras.callbacks.Callback):
    """Notes which weights each epoch changed, and those that grew."""

    def __init__(self):
        super().__init__()
        self.weights, self.changed, self.grown = [], [], set()

    def on_train_begin(self, logs=None):
        self.weights.append(self._now())

    def on_epoch_end(self, epoch, logs=None):
        before, now = self.weights[-1], self._now()
        self.grown |= {p for p in now if now[p].shape != before[p].shape}
        self.changed.append({p for p in now if not np.array_equal(now[p], before[p])})
        self.weights.append(now)

    def _now(self):
        return {v.path: _numpy(v) for v in self.model.weights}


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)
