import keras
import numpy as np
import pytest

from stackrec_keras.layers.causal_attention import causal_attention

pytestmark = pytest.mark.every_backend


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("masked", [False, True])
def test_it_equals_attention_written_out(heads, masked):
    rng = np.random.default_rng(0)
    query, key, value = rng.normal(size=(3, 4, 6, heads, 5)).astype("float32")
    mask = None
    if masked:
        mask = rng.random((4, 1, 6, 6)) < 0.5
        mask[:, :, range(6), range(6)] = True
    expected = _slow(query, key, value, mask)
    fused = causal_attention(query, key, value, mask)
    np.testing.assert_allclose(_numpy(fused), expected, atol=1e-5)


def test_dropped_attention_is_the_same_on_average():
    rng = np.random.default_rng(0)
    query, key, value = rng.normal(size=(3, 1, 4, 1, 5)).astype("float32")
    seed = keras.random.SeedGenerator(1)
    many = [np.repeat(part, 4000, axis=0) for part in (query, key, value)]
    dropped = _numpy(causal_attention(*many, dropout=0.5, seed=seed))
    expected = _slow(query, key, value, None)
    assert np.abs(dropped - expected).max() > 0.1
    np.testing.assert_allclose(dropped.mean(axis=0), expected[0], atol=0.1)
    # Also without dropping anything, the form that can drop computes the same.
    kept = causal_attention(query, key, value, dropout=1e-9, seed=seed)
    np.testing.assert_allclose(_numpy(kept), expected, atol=1e-5)


def _slow(query, key, value, mask):
    result = np.zeros_like(query)
    for row, t, head in np.ndindex(*query.shape[:3]):
        seen = [s for s in range(t + 1) if mask is None or mask[row, 0, t, s]]
        scores = key[row, seen, head] @ query[row, t, head] / query.shape[-1] ** 0.5
        weights = np.exp(scores - scores.max())
        result[row, t, head] = weights / weights.sum() @ value[row, seen, head]
    return result


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)
