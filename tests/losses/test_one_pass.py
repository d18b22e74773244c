import keras
import numpy as np
import pytest
from keras import ops

from stackrec_keras.losses import FullSoftmax, one_pass
from stackrec_keras.losses.cross_entropy import cross_entropy


@pytest.fixture(params=[3, 8, 20])
def rows(request, monkeypatch):
    """Positions of a chunk; the case has 20, and 16 with a target."""
    monkeypatch.setattr(one_pass, "ROWS", request.param)
    return request.param


def weighted_sum(case, weights, include_padding):
    """Value and gradients of the weighted sum of losses, by NumPy in float64."""
    flat = case.hidden.reshape(-1, case.hidden.shape[-1]).astype("float64")
    y = case.y.ravel()
    logits = flat @ case.table.T.astype("float64") + case.bias
    if not include_padding:
        logits[:, 0] = -np.inf
    normalizers = np.log(np.exp(logits).sum(-1))
    losses = normalizers - logits[np.arange(len(y)), y]
    d_logits = np.exp(logits - normalizers[:, None])
    d_logits[np.arange(len(y)), y] -= 1
    d_logits *= weights[:, None]
    d_bias = d_logits.sum(0)
    losses = np.where(y > 0, losses, 0)
    value = (losses * weights).sum()
    return value, [d_logits @ case.table, d_logits.T @ flat, d_bias, losses]


@pytest.mark.every_backend
@pytest.mark.parametrize("include_padding", [False, True])
def test_sum_and_gradients_are_those_of_float64(rows, include_padding, case, gradients):
    y = case.y.ravel()
    weights = np.random.default_rng(4).random(y.size).astype("float32") * (y > 0)

    def function(hidden, table, bias, weights):
        hidden = ops.reshape(hidden, (-1, hidden.shape[-1]))
        # What follows multiplies all gradients.
        return 3 * one_pass.weighted_cross_entropy(
            ops.convert_to_tensor(y), hidden, table, bias, weights, include_padding
        )

    value, grads = gradients(function, *case.arrays[1:], weights)
    expected, expected_grads = weighted_sum(case, weights, include_padding)
    np.testing.assert_allclose(value, 3 * expected, rtol=1e-6)
    for gradient, right in zip(grads, expected_grads, strict=True):
        gradient = gradient.reshape(right.shape)
        np.testing.assert_allclose(gradient, 3 * right, rtol=1e-5, atol=1e-5)


def test_positions_without_a_target_cost_nothing(case, monkeypatch):
    chunks = []
    compute = one_pass._chunk
    monkeypatch.setattr(one_pass, "ROWS", 4)
    monkeypatch.setattr(
        one_pass, "_chunk", lambda *args: chunks.append(1) or compute(*args)
    )
    FullSoftmax()(*case.arrays)
    assert len(chunks) == 4  # of 16 targets among 20 positions
    case.y[:] = 0
    assert float(FullSoftmax()(*case.arrays)) == 0


def test_no_position_counts_twice_in_a_chunk_that_is_not_full(case, monkeypatch):
    monkeypatch.setattr(one_pass, "ROWS", 8)
    case.y[case.y == 0] = 1
    loss = FullSoftmax()(*case.arrays)
    np.testing.assert_allclose(float(loss), case.losses().mean(), rtol=1e-5)


def test_a_large_catalogue_lowers_the_positions_of_a_chunk(case, monkeypatch):
    sizes = []
    compute = one_pass._chunk
    monkeypatch.setattr(one_pass, "LOGITS", 5 * len(case.table))
    monkeypatch.setattr(
        one_pass, "_chunk", lambda *args: sizes.append(len(args[1])) or compute(*args)
    )
    FullSoftmax()(*case.arrays)
    assert set(sizes) == {5}


@pytest.mark.parametrize("method", ["training_losses", "exact_losses"])
def test_a_subclass_keeps_its_own_losses(method, case):
    def doubled(self, targets, hidden, table, bias, seed=None):
        size = hidden.shape[-1]
        flat = ops.reshape(targets, (-1,)), ops.reshape(hidden, (-1, size))
        return 2 * ops.reshape(cross_entropy(*flat, table, bias), targets.shape)

    loss = type("Doubled", (FullSoftmax,), {method: doubled})()
    expected = 2 * case.losses()[case.y > 0].mean()
    np.testing.assert_allclose(float(loss(*case.arrays)), expected, rtol=1e-5)


def test_other_devices_keep_the_plain_form():
    if keras.backend.backend() != "torch":
        pytest.skip("names a device of PyTorch")
    import torch

    assert one_pass.pays_in_one_pass(torch.zeros(3, 4))
    assert not one_pass.pays_in_one_pass(torch.zeros(3, 4, device="meta"))
    assert not one_pass.pays_in_one_pass(torch.zeros(0, 4))
