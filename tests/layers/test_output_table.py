import keras
import numpy as np
import pytest
from keras import ops

from stackrec_keras.layers import OutputTable

pytestmark = pytest.mark.every_backend


def test_scores_are_products_with_the_item_vectors_and_the_padding_has_minus_inf():
    layer = OutputTable(5, 3)
    layer.build()
    hidden = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    table, bias = layer.get_weights()
    scores = ops.convert_to_numpy(layer(hidden))
    np.testing.assert_allclose(
        scores[..., 1:], (hidden @ table.T + bias)[..., 1:], 1e-5
    )
    assert np.isneginf(scores[..., 0]).all()
    assert np.allclose(bias, 0.1) and 0 < np.abs(table).max() < 0.06


def test_it_comes_back_from_its_config():
    layer = OutputTable(5, 3, name="scores")
    copy = OutputTable.from_config(layer.get_config())
    assert (copy.num_items, copy.dim, copy.name) == (5, 3, "scores")
    symbolic = keras.Input((7, 3))
    assert layer(symbolic).shape == (None, 7, 6)
