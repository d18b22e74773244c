import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.layers import LiGRStack


def test_no_position_depends_on_a_later_one(x):
    stack = build()
    before = states(stack, x)
    x[:, 4:] += 1
    after = states(stack, x)
    np.testing.assert_array_equal(after[:, :4], before[:, :4])
    assert (after[:, 4:] != before[:, 4:]).any()


def test_items_do_not_see_padding(x):
    stack = build()
    context = {"is_item": np.arange(6) >= np.array([[2], [0]])}
    before = states(stack, x, context)
    x[0, :2] += 1
    after = states(stack, x, context)
    np.testing.assert_array_equal(after[context["is_item"]], before[context["is_item"]])
    assert np.isfinite(after).all()
    short = states(stack, x[:1, 2:], {"is_item": np.ones((1, 4), bool)})
    np.testing.assert_allclose(short, after[:1, 2:], atol=1e-6)


@pytest.mark.parametrize("activation", ["swiglu", "gelu", "relu"])
@pytest.mark.parametrize("use_ffn_bias", [False, True])
def test_blocks_whose_gates_are_0_are_the_identity(x, activation, use_ffn_bias):
    options = {"activation": activation, "use_ffn_bias": use_ffn_bias}
    stack = build(rezero=True, **options)
    np.testing.assert_array_equal(states(stack, x), x)
    stack.gate2.assign([1.0, 1.0])
    assert (states(stack, x) != x).all()


def test_dropout_is_only_on_in_training(x):
    stack = build(dropout=0.5)
    np.testing.assert_array_equal(states(stack, x), states(stack, x))
    assert (states(stack, x, training=True) != states(stack, x)).any()


def test_half_precision_is_close_to_single(x):
    expected = states(build(), x)
    for dtype in ("mixed_float16", "mixed_bfloat16"):
        np.testing.assert_allclose(states(build(dtype=dtype), x), expected, atol=0.05)


@pytest.mark.parametrize(
    "argument, value",
    [
        ("dim", 0),
        ("num_heads", 3),
        ("expansion", 1.5),
        ("activation", "silu"),
        ("use_ffn_bias", None),
        ("dropout", -0.1),
        ("rezero", 1),
    ],
)
def test_an_invalid_argument_is_refused(argument, value):
    with refused(argument, value):
        LiGRStack(**{"depth": 1, "dim": 8, argument: value})


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")


def build(**options):
    """Two blocks, the same each time."""
    keras.utils.set_random_seed(0)
    stack = LiGRStack(2, 8, num_heads=2, **options)
    stack.build()
    return stack


def states(stack, x, context=None, training=None):
    found = stack(x, training=training, context=context)
    return ops.convert_to_numpy(ops.cast(found, "float32"))
