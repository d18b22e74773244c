"""A fit, evaluation or prediction that fails leaves the model as it was."""

import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr


class Broken(sr.losses.FullSoftmax):
    """A user's own loss with an error that shows when a step is traced."""

    def training_losses(self, targets, hidden, table, bias, seed):
        raise RuntimeError("no such loss")


class BrokenMetric(sr.metrics.MRR):
    def update_state(self, *arguments, **named):
        raise RuntimeError("no such metric")


class BreaksAt(keras.callbacks.Callback):
    """Puts the broken loss in at an epoch, and grows so that it is traced."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.loss = Broken()
            self.model.grow("stackC")


@pytest.mark.every_backend
def test_an_error_in_the_first_step_keeps_all_weights(make_model, sequences):
    model = make_model(loss=Broken())
    before = _state(model)
    with pytest.raises(RuntimeError, match="no such loss"):
        model.fit(*sequences, verbose=0)
    _assert_equal(_state(model), before)
    model.compile()
    model.fit(*sequences, verbose=0)


def test_an_error_after_a_growth_keeps_the_grown_weights(make_model, sequences):
    model = make_model()
    with pytest.raises(RuntimeError, match="no such loss"):
        model.fit(*sequences, epochs=2, verbose=0, callbacks=[BreaksAt()])
    assert model.num_blocks == 4
    state = _state(model)
    assert any((weight != 0).any() for weight in state)
    kernel = keras.ops.convert_to_numpy(model.stack.kernel1)
    np.testing.assert_array_equal(kernel[:2], kernel[2:])


def test_an_error_in_validation_keeps_what_was_trained(make_model, sequences):
    x, y = sequences
    model = make_model(compiled=False)
    model.compile(metrics=[BrokenMetric(5)])
    before = _state(model)
    with pytest.raises(RuntimeError, match="no such metric"):
        model.fit(x, y, verbose=0, validation_data=(x, y[:, -1]))
    assert any((a != b).any() for a, b in zip(_state(model), before))


def test_an_error_in_evaluate_or_predict_keeps_all_weights(make_model, sequences):
    x, y = sequences
    model = make_model(compiled=False)
    model.compile(metrics=[BrokenMetric(5)])
    before = _state(model)
    with pytest.raises(RuntimeError, match="no such metric"):
        model.evaluate(x, y[:, -1], verbose=0)
    _assert_equal(_state(model), before)
    model.hidden_states = None
    with pytest.raises(TypeError):
        model.predict(x, verbose=0)
    _assert_equal(_state(model), before)


def test_targets_of_no_known_shape_are_refused(make_model, sequences):
    x, y = sequences
    model = make_model()
    with refused("y", says=r"item ids of shape \(64, 10, 1\)"):
        model.fit(x, y[:, :, None], verbose=0)


def _state(model):
    variables = [*model.weights, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _assert_equal(state, other):
    for ours, theirs in zip(state, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)
