import keras
import numpy as np
import pytest
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.stacking.growth import block_stacks

NUM_USERS = 5
COMPILED = ("NextItNet", "SASRec")
_SMALL = {"embedding_dim": 8}
_TRANSFORMER = {"max_length": 10, "num_heads": 2, "dropout": 0.1}

KINDS = {
    "NextItNet": lambda **arguments: sr.NextItNet(NUM_ITEMS, **_SMALL, **arguments),
    "GRec": lambda **arguments: sr.GRec(NUM_ITEMS, **_SMALL, **arguments),
    "GRec, encoder": lambda **arguments: sr.GRec(
        NUM_ITEMS, encoder=True, **_SMALL, **arguments
    ),
    "SASRec": lambda **arguments: sr.SASRec(
        NUM_ITEMS, **_SMALL, **{**_TRANSFORMER, **arguments}
    ),
    "SASRec, pre-norm": lambda **arguments: sr.SASRec(
        NUM_ITEMS, **_SMALL, norm="pre", **{**_TRANSFORMER, **arguments}
    ),
    "SSEPT": lambda **arguments: sr.SSEPT(
        NUM_ITEMS,
        NUM_USERS,
        item_dim=4,
        user_dim=4,
        user_noise=0.2,
        **{**_TRANSFORMER, **arguments},
    ),
    "HSTU": lambda **arguments: sr.HSTU(
        NUM_ITEMS, **_SMALL, **{**_TRANSFORMER, "rezero": True, **arguments}
    ),
    "ESASRec": lambda **arguments: sr.ESASRec(
        NUM_ITEMS, **_SMALL, **{**_TRANSFORMER, "rezero": True, **arguments}
    ),
}


class Kind:
    """One of the models, small, and the inputs that it takes."""

    def __init__(self, name):
        self.name = name

    def build(self, num_blocks=2, compiled=True, **arguments):
        """A model whose gates are open, so that its blocks count."""
        model = KINDS[self.name](num_blocks=num_blocks, **arguments)
        self.open_gates(model)
        if compiled:
            model.compile()
        return model

    def open_gates(self, model):
        for stack in block_stacks(model):
            for name, weight in stack.block_weights().items():
                if weight.gate:
                    gate = np.linspace(0.3, 0.9, stack.depth).astype("float32")
                    getattr(stack, name).assign(gate)

    def inputs(self, items):
        if self.name == "SSEPT":
            return {"items": items, "users": np.arange(len(items)) % NUM_USERS}
        if self.name == "HSTU":
            times = np.outer(60 + np.arange(len(items)), np.arange(items.shape[1]))
            times = 1_600_000_000 + times**2
            return {
                "items": items,
                "timestamps": times,
                "next_timestamps": np.append(times[:, 1:], times[:, -1:] + 9, axis=1),
            }
        return items


@pytest.fixture(params=KINDS)
def kind(request):
    return Kind(request.param)


@pytest.fixture(params=KINDS if keras.backend.backend() == "torch" else COMPILED)
def trained_kind(request):
    """A model for a test that trains, or that grows in many ways. TensorFlow and JAX
    take long to compile each: they train one model of each kind of block."""
    return Kind(request.param)
