"""A model whose optimizer averages its weights, over several fits.

On JAX, Keras ends a fit by giving each weight and its average one buffer.
"""

import keras
import numpy as np
import pytest
from keras import optimizers

import stackrec_keras as sr

every_backend = pytest.mark.every_backend
not_tensorflow = pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="slow, and no step deletes a buffer"
)


class Evaluates(keras.callbacks.Callback):
    def __init__(self, sequences):
        super().__init__()
        self.x, self.y = sequences

    def on_train_end(self, logs=None):
        self.model.evaluate(self.x, self.y[:, -1], verbose=0)


class Stops(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        raise KeyboardInterrupt


class Broken(sr.losses.FullSoftmax):
    def training_losses(self, targets, hidden, table, bias, seed):
        raise RuntimeError("no such loss")


def _averaging():
    return optimizers.Adam(1e-2, use_ema=True)


def _schedule_free():
    return optimizers.ScheduleFreeAdamW(1e-2)


@every_backend
@not_tensorflow
def test_a_fitted_model_is_extended_and_trained_on(make_model, sequences):
    model = make_model(num_blocks=1, optimizer=_averaging())
    model.fit(*sequences, verbose=0, callbacks=[Evaluates(sequences)])
    _assert_finite(model)  # evaluating has not deleted the averages
    model.extend_items(3)
    model.fit(*sequences, verbose=0)
    model.train_on_batch(*sequences)
    _assert_finite(model)


@every_backend
@not_tensorflow
def test_a_source_predicts_between_fits_of_its_transfer(make_model, sequences):
    x, y = sequences
    transfer = sr.TransferRecommender(make_model(num_blocks=1), num_targets=30)
    transfer.compile(_averaging())
    transfer.fit(x, y[:, -1], verbose=0)
    transfer.source.predict(x, verbose=0)
    transfer.fit(x, y[:, -1], verbose=0)
    _assert_finite(transfer)


@every_backend
def test_a_fit_that_ends_before_its_first_step_keeps_the_weights(make_model, sequences):
    model = make_model(optimizer=_averaging())
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        model.fit(*sequences, verbose=0, callbacks=[Stops()])
    model.fit(*sequences, epochs=1, initial_epoch=1, verbose=0)
    _assert_equal(model.get_weights(), before)


@every_backend
@not_tensorflow
def test_an_error_in_a_step_is_not_hidden_by_averages(make_model, sequences):
    model = make_model(optimizer=_averaging(), loss=Broken())
    before = model.get_weights()
    with pytest.raises(RuntimeError, match="no such loss"):
        model.fit(*sequences, verbose=0)
    _assert_equal(model.get_weights(), before)


def test_schedule_free_adamw_starts_at_weights_given_after_compile(
    make_model, sequences
):
    given = make_model().get_weights()
    trained = []
    for compiled in (True, False):
        model = make_model(compiled=compiled, optimizer=_schedule_free())
        model.set_weights(given)
        if not compiled:
            model.compile(_schedule_free())
        model.fit(*sequences, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    _assert_equal(*trained)


def _assert_finite(model):
    for variable in [*model.weights, *model.optimizer.variables]:
        assert np.isfinite(keras.ops.convert_to_numpy(variable)).all()


def _assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
