import importlib.util
import re
from pathlib import Path

import keras
import numpy as np
import pytest

import stackrec_keras as sr

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "gmlp_recommender.py"
OTHER_EXAMPLE = DOCS / "examples" / "price_recommender.py"  # see test_open_inputs
METHODS = [method.name for method in sr.stacking.methods()]


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("gmlp_recommender", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", [EXAMPLE, OTHER_EXAMPLE], ids=lambda path: path.stem)
def test_the_guide_shows_the_example_as_it_is_in_under_80_lines(path):
    code = path.read_text("utf-8")
    assert f"```python\n{code}```" in (DOCS / "adding_a_model.md").read_text("utf-8")
    assert len(code.splitlines()) < 80


@pytest.mark.parametrize("method", METHODS)
def test_it_grows_by_every_method(example, method, sequences):
    model = example.GMLPRecommender(30, 10, 4, num_blocks=2)
    model.stack.gate.assign([0.5, 0.5])
    before = numpy(model(sequences[0][:2]))
    model.grow(method)
    after = numpy(model(sequences[0][:2]))
    assert model.num_blocks == 4
    as_before = method not in ("from_scratch", "stackE", "split")
    assert np.allclose(before, after, atol=1e-5) == as_before


def test_no_position_sees_a_later_one_and_padding_does_not_move_the_others(example):
    model = example.GMLPRecommender(30, 6, 4, num_blocks=1)
    model.stack.gate.assign([1.0])
    x = np.array([[3, 4, 5, 6]])
    changed = numpy(model(np.array([[3, 4, 9, 9]])))
    np.testing.assert_allclose(numpy(model(x))[:, :2], changed[:, :2], atol=1e-6)
    assert np.abs(numpy(model(x)) - changed)[:, 2:].max() > 1e-4
    longer = np.array([[1, 2, 1, 2, 3, 4, 5, 6]])
    cut = longer[:, 2:]
    np.testing.assert_allclose(numpy(model(longer)), numpy(model(cut)), atol=1e-6)


def test_it_learns_through_a_growth_and_a_file_holds_it(example, sequences, tmp_path):
    x, y = sequences
    model = example.GMLPRecommender(30, 10, 8, num_blocks=1)
    model.compile(keras.optimizers.Adam(0.03))
    growing = sr.StackingCallback("stackC", {2: 2})
    history = model.fit(x, y, epochs=6, verbose=0, callbacks=[growing]).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.num_blocks == 2
    np.testing.assert_allclose(numpy(loaded(x[:3])), numpy(model(x[:3])), atol=1e-5)


@pytest.fixture(scope="module")
def timed():
    """The model of the guide's last section, from the code in the guide."""
    names = {}
    guide = (DOCS / "adding_a_model.md").read_text("utf-8")
    for code in re.findall(r"^```python\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL):
        if "\nclass " in code:
            exec(code, names)
    model = names["TimedGMLPRecommender"](30, 6, 4, num_blocks=2)
    model.stack.gate.assign([1.0, 1.0])
    return model


def test_a_time_bias_is_one_layer(timed):
    times = 1_600_000_000 + np.array([[0, 10, 90, 4000, 90_000]])
    x = {"items": np.array([[3, 4, 5, 6]]), "timestamps": times[:, :-1]}
    x["next_timestamps"] = times[:, 1:]
    later = {**x, "next_timestamps": times[:, 1:] + np.array([0, 0, 0, 10**6])}
    np.testing.assert_array_equal(numpy(timed(later)), numpy(timed(x)))
    timed.stack.times.assign(np.tile(np.linspace(-3, 3, 129), (2, 1)))
    before, after = numpy(timed(x)), numpy(timed(later))
    np.testing.assert_array_equal(after[:, :3], before[:, :3])
    assert np.abs(after[:, 3] - before[:, 3]).max() > 1e-4


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)
