import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused

from stackrec_keras.losses import FullSoftmax, one_pass
from stackrec_keras.losses.cross_entropy import EAGER_CHUNK

pytestmark = pytest.mark.every_backend


def value_and_gradients(loss, case, gradients):
    return gradients(lambda *tensors: loss(case.y, *tensors), *case.arrays[1:])


def reference_gradients(case):
    """Of the mean loss, by hand: softmax less one at the target."""
    flat = case.hidden.reshape(-1, case.hidden.shape[-1]).astype("float64")
    y = case.y.ravel()
    logits = flat @ case.table.T + case.bias
    logits[:, 0] = -np.inf
    d_logits = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    d_logits[np.arange(len(y)), y] -= 1
    d_logits *= (y > 0)[:, None] / (y > 0).sum()
    d_hidden = (d_logits @ case.table).reshape(case.hidden.shape)
    return d_hidden, d_logits.T @ flat, d_logits.sum(0)


@pytest.mark.parametrize("chunk_size", [None, 1, 4, 7, 21, 50])
def test_value_and_gradients_are_exact_in_chunks_of_any_size(
    chunk_size, case, gradients
):
    value, grads = value_and_gradients(FullSoftmax(chunk_size), case, gradients)
    np.testing.assert_allclose(value, case.losses()[case.y > 0].mean(), rtol=1e-5)
    for gradient, expected in zip(grads, reference_gradients(case), strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_a_catalogue_larger_than_the_eager_pieces_is_exact(make_case, gradients):
    case = make_case(num_items=2 * EAGER_CHUNK + 10)
    value, grads = value_and_gradients(FullSoftmax(), case, gradients)
    np.testing.assert_allclose(value, case.losses()[case.y > 0].mean(), rtol=1e-5)
    for gradient, expected in zip(grads, reference_gradients(case), strict=True):
        np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_training_and_evaluation_are_the_same(case):
    for loss in (FullSoftmax(), FullSoftmax(chunk_size=8)):
        training = float(loss(*case.arrays, training=True))
        exact = float(loss(*case.arrays, training=False))
        assert training == pytest.approx(exact, rel=1e-6)


def test_chunks_train_as_the_whole_does_under_compilation(fit):
    np.testing.assert_allclose(fit(FullSoftmax(8)), fit(FullSoftmax()), rtol=1e-4)


def test_chunks_never_hold_the_scores_of_all_items(make_case):
    # Sizes that nothing but the scores has: 20 positions, 499 items.
    case = make_case(num_items=499)
    assert largest_tensor(FullSoftmax(), case) >= 20 * 500
    assert largest_tensor(FullSoftmax(chunk_size=50), case) < 20 * 500


def test_training_never_holds_the_scores_of_all_positions(make_case, monkeypatch):
    monkeypatch.setattr(one_pass, "ROWS", 4)
    case = make_case(num_items=499)
    assert largest_tensor(FullSoftmax(), case) < 20 * 500


def largest_tensor(loss, case):
    """Elements of the largest tensor of forward and backward pass."""
    backend = keras.backend.backend()
    return {
        "tensorflow": _largest_in_tensorflow,
        "jax": _largest_in_jax,
        "torch": _largest_in_torch,
    }[backend](loss, case)


def _largest_in_tensorflow(loss, case):
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(a) for a in case.arrays[1:]]

    @tf.function(jit_compile=True)
    def step(*tensors):
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(case.y, *tensors)
        return tape.gradient(value, tensors)

    return _largest_in_hlo(step.experimental_get_compiler_ir(*tensors)("optimized_hlo"))


def _largest_in_jax(loss, case):
    import jax

    step = jax.jit(jax.grad(lambda *t: loss(case.y, *t), (0, 1, 2)))
    return _largest_in_hlo(step.lower(*case.arrays[1:]).compile().as_text())


def _largest_in_hlo(text):
    import re

    shapes = re.findall(r"f32\[([\d,]+)\]", text)
    return max(np.prod([int(n) for n in shape.split(",")]) for shape in shapes)


def _largest_in_torch(loss, case):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    sizes = []

    class Record(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            sizes.append(getattr(result, "numel", int)())
            return result

    # Pieces for speed hide the whole's size: count what autograd keeps instead.
    kept = []
    hooks = torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: kept.append(tensor.numel()) or tensor, lambda tensor: tensor
    )
    tensors = [torch.tensor(a, requires_grad=True) for a in case.arrays[1:]]
    with Record(), hooks:
        loss(case.y, *tensors).backward()
    return max(sizes + kept)


def test_chunks_do_not_leave_their_inputs_behind(case):
    if keras.backend.backend() != "torch":
        pytest.skip("only eager gradients are held by Python objects")
    import gc
    import weakref

    gc.disable()
    try:
        table = ops.convert_to_tensor(case.table) * 1.0
        table.requires_grad_(True)
        freed = weakref.ref(table)
        FullSoftmax(chunk_size=8)(case.y, case.hidden, table, case.bias).backward()
        del table
        assert freed() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("chunk_size", [0, -4, 2.5, True, "big"])
def test_a_chunk_size_out_of_range_is_refused(chunk_size):
    with refused("chunk_size", received=chunk_size):
        FullSoftmax(chunk_size=chunk_size)


def test_the_configuration_holds_every_argument():
    config = FullSoftmax(chunk_size=9, include_padding=True).get_config()
    assert config == {"chunk_size": 9, "include_padding": True}
    assert FullSoftmax.from_config(config).get_config() == config
