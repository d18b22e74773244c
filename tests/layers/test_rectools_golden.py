"""HSTU's and LiGR's blocks against numbers computed with RecTools (torch)."""

import keras
import numpy as np
import pytest
from golden_numbers import RELATIVE, assert_close, with_prefix
from keras import ops

import stackrec_keras as sr

pytestmark = pytest.mark.every_backend


def test_every_block_computes_what_rectools_does(case):
    arrays, stack = case
    context = context_of(arrays)
    x = ops.convert_to_tensor(arrays["x"])
    for index, weights in enumerate(stack._weights_of_each_block()):
        x = stack.block(x, weights, 0, False, context)
        assert_close(x, arrays[f"state/{index}"])
    assert_close(stack(arrays["x"], context=context), _last_state(arrays))


def test_gradients_equal_those_of_rectools(case):
    # A step of plain SGD at rate 1 moves each weight by its gradient.
    arrays, stack = case
    model = Shifted(stack, arrays["x"].shape)
    before = _values(model)
    assert_close(_step(model, keras.optimizers.SGD(1.0), arrays), arrays["loss0"])
    gradients = [old - new for old, new in zip(before, _values(model))]
    expected = _rectools_values(stack, arrays, "grad0/") + [arrays["grad0/x"]]
    for gradient, theirs, weight in zip(gradients, expected, _weights(model)):
        # What is left of the weight in the difference is single precision's.
        np.testing.assert_allclose(
            gradient, theirs, RELATIVE, 2e-6, err_msg=weight.path
        )


@pytest.mark.parametrize("case", ["HSTU", "LiGR"], indirect=True)
def test_three_steps_of_training_equal_those_of_rectools(case):
    arrays, stack = case
    model = Shifted(stack, arrays["x"].shape)
    model.shift.trainable = False
    # torch's Adam adds its epsilon, 1e-8, after the bias correction, which multiplies
    # it by 0.03 in the first step and by 0.05 in the third.
    adam = keras.optimizers.Adam(1e-2, epsilon=4e-10)
    for step in range(3):
        assert_close(_step(model, adam, arrays), arrays[f"loss{step}"])
    expected = _rectools_values(stack, arrays, "param3/")
    for weight, theirs in zip(stack.weights, expected):
        ours = ops.convert_to_numpy(weight)
        if weight.name == "attention_bias":
            ours, theirs = _without_key_bias(ours), _without_key_bias(theirs)
        assert_close(ours, theirs, weight.path)


class Shifted(keras.Model):
    """Applies a stack to its input plus a variable, whose gradient is the input's."""

    def __init__(self, stack, shape):
        super().__init__()
        self.stack = stack
        self.shift = self.add_weight(shape=shape, initializer="zeros")

    def call(self, inputs, training=None):
        inputs = dict(inputs)
        x = inputs.pop("x") + self.shift
        return self.stack(x, training=training, context=inputs)


def build_stack(name, about, **options):
    if name.startswith("hstu"):
        return sr.layers.HSTUStack(
            about["blocks"],
            about["dim"],
            about["max_length"],
            num_heads=about["heads"],
            qk_dim=about["dqk"],
            v_dim=about["dv"],
            **options,
        )
    return sr.layers.LiGRStack(about["blocks"], about["dim"], about["heads"])


CASES = {
    "HSTU": ("hstu_torch_time_position", {}),
    "HSTU in chunks": ("hstu_torch_time_position", {"chunk_size": 3}),
    "LiGR": ("ligr_torch_swiglu", {}),
}


@pytest.fixture(params=CASES)
def case(golden, request):
    name, options = CASES[request.param]
    arrays, about = golden(name)
    stack = build_stack(name, about, **options)
    sr.convert.load_rectools_weights(stack, with_prefix(arrays, "param0/"))
    return arrays, stack


def context_of(arrays):
    if "timestamps" not in arrays:  # LiGR's numbers are without a mask of padding
        return {}
    times = arrays["timestamps"]
    return {
        "is_item": arrays["item_mask"],
        "timestamps": times[:, :-1],
        "next_timestamps": times[:, 1:],
    }


def _last_state(arrays):
    return arrays[max(name for name in arrays if name.startswith("state/"))]


def _step(model, optimizer, arrays):
    """Loss before a step of training."""
    if not model.compiled:
        loss = lambda weights, states: ops.sum(weights * states)  # noqa: E731
        eagerly = keras.backend.backend() == "tensorflow"  # tracing takes longer
        model.compile(optimizer, loss, run_eagerly=eagerly)
    inputs = {"x": arrays["x"], **context_of(arrays)}
    return model.train_on_batch(inputs, arrays["loss_weights"])


def _values(model):
    return [ops.convert_to_numpy(weight) for weight in _weights(model)]


def _weights(model):
    return [*model.stack.weights, model.shift]


def _rectools_values(stack, arrays, prefix):
    """RecTools' values in our layout, which only the converter knows."""
    weights = with_prefix(arrays, prefix)
    weights.pop("x", None)
    other = type(stack).from_config(stack.get_config())
    sr.convert.load_rectools_weights(other, weights)
    return [ops.convert_to_numpy(weight) for weight in other.weights]


def _without_key_bias(bias):
    # It adds the same to all scores of a query, so its gradient is 0 but for
    # rounding, which Adam blows up to whole steps.
    query, _, value = np.split(bias, 3, axis=-1)
    return np.concatenate([query, value], axis=-1)
