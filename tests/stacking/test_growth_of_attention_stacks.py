"""HSTU's and LiGR's blocks grow as those of other stacks do."""

import keras
import numpy as np
import pytest
from keras import ops

from stackrec_keras.layers import HSTUStack, LiGRStack
from stackrec_keras.stacking.growth import Growth, grow
from stackrec_keras.stacking.in_place import optimized_variables, slot_lists


class Model(keras.Model):
    def __init__(self, num_blocks, kind):
        super().__init__()
        self.kind = kind
        sizes = {"max_length": 4, "time_bias": False} if kind is HSTUStack else {}
        self.stack = kind(num_blocks, 4, rezero=True, dropout=0.1, **sizes)
        self.stack.build((None, 4, 4))

    def call(self, x, training=None):
        return self.stack(x, training=training)

    def get_config(self):
        return {"num_blocks": self.stack.depth, "kind": self.kind}


@pytest.mark.parametrize(
    "kind", [pytest.param(HSTUStack, marks=pytest.mark.every_backend), LiGRStack]
)
def test_growing_carries_weights_and_the_state_of_the_optimizer(kind):
    x, y = np.random.default_rng(0).normal(size=(2, 4, 4, 4)).astype("float32")
    model = Model(2, kind)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.train_on_batch(x, y)
    before = ops.convert_to_numpy(model(x))
    moments = _moments(model)
    grow(model, Growth("stackC", optimizer_state="carry"))
    assert model.stack.depth == 4
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), before, atol=1e-5)
    for new, old in zip(_moments(model), moments):
        np.testing.assert_array_equal(new[:2], old)
    model.train_on_batch(x, y)


def _moments(model):
    moments = slot_lists(model.optimizer)["_momentums"]
    assert len(moments) == len(optimized_variables(model.optimizer))
    return [ops.convert_to_numpy(moment) for moment in moments]
