import inspect
import re

import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.layers import BlockStack, BlockWeight

pytestmark = pytest.mark.every_backend


class Scaling(BlockStack):
    """Blocks that add `scale * x`, drawn from a fan-based initializer."""

    def block_weights(self):
        return {
            "kernel": BlockWeight(
                (100, 3), lambda seed: keras.initializers.GlorotUniform(seed=seed)
            ),
            "scale": BlockWeight((), lambda seed: keras.initializers.Ones()),
        }

    cycle = 2

    def block(self, x, weights, kind, training, context=None):
        return x + weights["scale"] * (kind + 1)


@pytest.fixture
def stack():
    stack = Scaling(3)
    stack.build()
    return stack


def test_blocks_are_applied_in_order_with_their_own_weights(stack):
    stack.scale.assign(np.array([1.0, 10.0, 100.0], "float32"))
    out = ops.convert_to_numpy(stack(np.zeros((1, 2, 1), "float32")))
    np.testing.assert_allclose(out, 1 * 1 + 2 * 10 + 1 * 100)


def test_each_weight_is_one_variable_with_depth_first(stack):
    assert [tuple(w.shape) for w in stack.weights] == [(3, 100, 3), (3,)]
    assert stack.depth == 3


def test_fans_are_those_of_a_block_not_of_the_stack(stack):
    limit = np.sqrt(6 / (100 + 3))
    kernel = ops.convert_to_numpy(stack.kernel)
    assert 0.95 * limit < np.abs(kernel).max() <= limit


def test_every_block_has_a_gradient(stack):
    # Through unstacking, so that one tensor of gradients comes back for the stack.
    x = np.ones((2, 2, 1), "float32")
    model = keras.Sequential([stack])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = ops.convert_to_numpy(stack.scale)
    model.train_on_batch(x, np.zeros_like(x))
    assert (ops.convert_to_numpy(stack.scale) != before).all()


def test_an_unbuilt_stack_knows_its_depth():
    assert Scaling(5).depth == 5
    assert Scaling(5).get_config()["depth"] == 5


@pytest.mark.parametrize("depth", [0, -1, 2.5])
def test_a_depth_that_is_not_a_positive_integer_is_refused(depth):
    with refused("depth", depth):
        Scaling(depth)


def test_the_example_in_the_docstring_is_a_stack_of_identities_at_first():
    example = re.search(r"```python\n(.*?)```", inspect.getdoc(BlockStack), re.S)[1]
    names = {"keras": keras, "sr": sr}
    exec(example, names)
    stack = names["DenseStack"](2, dim=3)
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(stack(x)), x)
    stack.gate.assign(np.ones(2, "float32"))
    assert (ops.convert_to_numpy(stack(x)) != x).any()
    assert type(stack).from_config(stack.get_config()).dim == 3


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's")
@pytest.mark.parametrize("jit, expected", [(False, 2), (True, 6)])
def test_a_plain_graph_holds_each_kind_of_block_once(jit, expected):
    import tensorflow as tf

    traced = []

    class Counting(Scaling):
        def block(self, x, weights, kind, training, context=None):
            traced.append(kind)
            return super().block(x, weights, kind, training, context)

    stack = Counting(6)
    stack.build()
    stack.scale.assign(np.arange(6.0, dtype="float32"))
    x = np.zeros((1, 2, 1), "float32")
    found = tf.function(stack, jit_compile=jit)(x)
    np.testing.assert_allclose(found, 0 + 2 * 1 + 2 + 2 * 3 + 4 + 2 * 5)
    assert len(traced) == expected
