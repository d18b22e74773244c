"""eSASRec: what it adds to the contract of all models."""

import numpy as np
import pytest
from keras import ops
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr


def build(**arguments):
    arguments = {"max_length": 6, "embedding_dim": 8, "num_heads": 2, **arguments}
    return sr.ESASRec(NUM_ITEMS, **arguments)


def test_states_are_those_of_its_stack():
    model = build(expansion=3)
    assert model.stack.dense1_kernel.shape == (2, 8, 24)
    items = ops.convert_to_tensor([[0, 0, 3, 1, 4, 2]])
    embedded = model.item_embedding(items) + model.position_embedding(ops.arange(6))
    expected = numpy(model.stack(embedded, context={"is_item": items != 0}))
    np.testing.assert_allclose(numpy(model(items)), expected, atol=1e-6)


def test_items_do_not_see_padding():
    model = build()
    items = np.array([[0, 0, 3, 1, 4, 2]])
    before = numpy(model(items))
    table = numpy(model.item_embedding.embeddings).copy()
    table[0] = 9.0
    model.item_embedding.embeddings.assign(table)
    after = numpy(model(items))
    np.testing.assert_allclose(after[:, 2:], before[:, 2:], atol=1e-6)
    assert np.abs(after[:, :2] - before[:, :2]).max() > 1e-3


def test_tables_start_small_whatever_the_catalogue():
    for num_items in (100, 5000):
        table = numpy(sr.ESASRec(num_items, 50, 32).item_embedding.embeddings)
        assert table.std() == pytest.approx(0.02, rel=0.1)


def test_heads_must_divide_the_width():
    with refused("num_heads", says="must divide dim=8"):
        build(num_heads=3)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)
