import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.layers import HSTUStack
from stackrec_keras.layers.bias_indices import time_buckets

LENGTH = 6


def test_no_position_depends_on_a_later_one(inputs):
    x, context = inputs
    stack = open_stack()
    before = states(stack, x, context)
    x[:, 4:] += 1
    for name, first in (("timestamps", 4), ("next_timestamps", 4)):
        context[name][:, first:] += 10**6
    after = states(stack, x, context)
    np.testing.assert_array_equal(after[:, :4], before[:, :4])
    assert (after[:, 4:] != before[:, 4:]).any()


def test_the_time_of_the_next_event_counts_from_its_query_on(inputs):
    x, context = inputs
    stack = open_stack()
    before = states(stack, x, context)
    context["next_timestamps"][:, 3] += 10**6
    after = states(stack, x, context)
    changed = (after != before).any(axis=(0, 2))
    assert changed.tolist() == [False, False, False, True, True, True]


def test_padding_is_not_seen_and_its_states_are_0(inputs):
    x, context = inputs
    stack = open_stack()
    context["is_item"][:, :2] = False
    padded = states(stack, x, context)
    x[:, :2] = np.nan
    context["timestamps"][:, :2] = 7
    np.testing.assert_array_equal(states(stack, x, context), padded)
    assert not padded[:, :2].any()
    short = {name: values[:, 2:] for name, values in context.items()}
    np.testing.assert_allclose(states(stack, x[:, 2:], short), padded[:, 2:], atol=1e-6)


@pytest.mark.parametrize("chunk_size", [1, 4, 100])
@pytest.mark.parametrize("biases", [(True, True), (False, True), (False, False)])
def test_chunks_compute_the_same(inputs, chunk_size, biases):
    x, context = inputs
    options = dict(zip(("time_bias", "position_bias"), biases))
    whole = open_stack(**options)
    chunked = open_stack(**options, chunk_size=chunk_size)
    chunked.set_weights(whole.get_weights())
    expected = states(whole, x, context)
    np.testing.assert_allclose(states(chunked, x, context), expected, atol=1e-6)


def test_blocks_whose_gates_are_0_are_the_identity(inputs):
    x, context = inputs
    stack = HSTUStack(2, 8, LENGTH, rezero=True)
    np.testing.assert_array_equal(states(stack, x, context), x)


def test_a_deep_stack_starts_close_to_the_identity():
    """With larger kernels, stacks of 8 blocks did not start to learn."""
    x = np.random.default_rng(0).normal(size=(2, LENGTH, 50)).astype("float32")
    stack = HSTUStack(8, 50, LENGTH, time_bias=False)
    y = states(stack, x, None)
    assert np.linalg.norm(y - x) < 0.5 * np.linalg.norm(x)
    kernel = ops.convert_to_numpy(stack.input_kernel)
    assert kernel.std() == pytest.approx(0.02, rel=0.05)


def test_buckets_of_times_are_those_of_their_difference():
    # The first and last seconds of buckets; in float32 times round to 128 seconds.
    seconds = np.array([[0, 1, 2, 3, 7, 10**9, -5]])
    found = time_buckets(1_700_000_000 + seconds, np.array([[1_700_000_000]]))
    assert ops.convert_to_numpy(found)[0, :, 0].tolist() == [0, 0, 2, 3, 6, 68, 5]


def test_half_precision_is_close_to_single(inputs):
    x, context = inputs
    expected = states(open_stack(), x, context)
    for dtype in ("mixed_float16", "mixed_bfloat16"):
        found = states(open_stack(dtype=dtype), x, context)
        np.testing.assert_allclose(found, expected, atol=0.05)


def test_without_times_the_time_bias_says_what_to_give(inputs):
    x, context = inputs
    context.pop("next_timestamps")
    with refused("context", says="no 'next_timestamps'.*time_bias=False"):
        open_stack()(x, context=context)
    open_stack(time_bias=False)(x, context=context)
    with refused("context['timestamps']", says="float"):
        times = context["timestamps"].astype("float32")
        context = {"timestamps": times, "next_timestamps": times}
        open_stack()(x, context=context)


def test_a_longer_input_is_refused(inputs):
    x, context = inputs
    with refused("x", says="6 positions, more than max_length=5"):
        HSTUStack(1, 8, 5)(x, context=context)


@pytest.mark.parametrize(
    "argument, value",
    [
        ("dim", 0),
        ("max_length", 2.5),
        ("num_heads", 3),
        ("qk_dim", 0),
        ("v_dim", True),
        ("dropout", 1.0),
        ("time_bias", None),
        ("position_bias", 1),
        ("rezero", "yes"),
        ("chunk_size", 0),
    ],
)
def test_an_invalid_argument_is_refused(argument, value):
    with refused(argument, value):
        HSTUStack(**{"depth": 1, "dim": 8, "max_length": LENGTH, argument: value})


@pytest.fixture
def inputs():
    """Hidden states of six positions, and their times."""
    rng = np.random.default_rng(0)
    times = 1_700_000_000 + rng.integers(0, 10**6, (2, LENGTH + 1)).cumsum(axis=1)
    context = {
        "is_item": np.ones((2, LENGTH), bool),
        "timestamps": times[:, :-1].copy(),
        "next_timestamps": times[:, 1:].copy(),
    }
    return rng.normal(size=(2, LENGTH, 8)).astype("float32"), context


def open_stack(**options):
    """Two blocks whose biases are large enough to be seen, the same each time."""
    keras.utils.set_random_seed(0)
    stack = HSTUStack(2, 8, LENGTH, num_heads=2, qk_dim=3, **options)
    stack.build()
    for weight in stack.weights:
        if "table" in weight.name:
            weight.assign(50 * weight)
    return stack


def states(stack, x, context):
    return ops.convert_to_numpy(ops.cast(stack(x, context=context), "float32"))
