import functools
import gc
import json
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from small_data import NUM_ITEMS

pytest_plugins = ["small_runs"]


def pytest_collection_modifyitems(config, items):
    """Runs on PyTorch, the quickest, all tests; on the others those marked
    `every_backend`. Without PyTorch another backend runs all."""
    if keras.backend.backend() == "torch" or find_spec("torch") is None:
        return
    here = [item for item in items if item.get_closest_marker("every_backend")]
    config.hook.pytest_deselected(items=[item for item in items if item not in here])
    items[:] = here


@pytest.fixture(autouse=True, scope="module")
def few_objects_to_collect():
    """The garbage collector leaves alone what is there before the tests of a file. To
    go through all objects of a backend takes it most of a second each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture
def eager_on_tensorflow(monkeypatch):
    """On TensorFlow, fits run their few steps eagerly: tracing them takes longer."""
    if keras.backend.backend() == "tensorflow":
        from stackrec_keras.models import SequentialRecommender

        compile = SequentialRecommender.compile
        eager = functools.partialmethod(compile, run_eagerly=True)
        monkeypatch.setattr(SequentialRecommender, "compile", eager)


@pytest.fixture
def golden():
    """Function from a name to (arrays, description) of numbers that were computed
    with StackRec's reference implementation."""

    def load(name):
        path = Path(__file__).parent / "golden" / name
        arrays = dict(np.load(path.with_suffix(".npz")))
        return arrays, json.loads(path.with_suffix(".json").read_text())

    return load


@pytest.fixture
def sequences():
    """(x, y) of 64 sequences of 10 items in which every item is followed by the
    next in number, but for some noise."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, NUM_ITEMS, (64, 1))
    items = (start + np.arange(11)) % NUM_ITEMS + 1
    noise = rng.random(items.shape) < 0.1
    items = np.where(noise, rng.integers(1, NUM_ITEMS + 1, items.shape), items)
    return items[:, :-1].astype("int32"), items[:, 1:].astype("int32")


@pytest.fixture
def make_model():
    """Function that builds and compiles a small NextItNet with open gates."""
    import stackrec_keras as sr

    def make(
        num_blocks=2,
        compiled=True,
        optimizer="auto",
        loss="auto",
        run_eagerly=False,
        **arguments,
    ):
        arguments = {"num_items": NUM_ITEMS, "embedding_dim": 8, **arguments}
        model = sr.NextItNet(num_blocks=num_blocks, **arguments)
        if model.rezero:
            gate = model.stack.gate
            gate.assign(np.linspace(0.3, 0.9, gate.shape[0]).astype("float32"))
        if compiled:
            model.compile(optimizer, loss, run_eagerly=run_eagerly)
        return model

    return make
