"""A column of the log reaches a block by its name: one layer, one model, no more."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.models import exporting

pytestmark = pytest.mark.every_backend

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "price_recommender.py"
FORMAT = "torch" if keras.backend.backend() == "torch" else "tf_saved_model"
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("price_recommender", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def split():
    """Rows whose next item is the next in number, or the one after it if the item
    was expensive."""
    rng = np.random.default_rng(0)
    price = rng.integers(0, 2, (60, 9))
    start = rng.integers(0, NUM_ITEMS, (60, 1))
    items = start + np.cumsum(1 + price, axis=1) - (1 + price)
    log = pd.DataFrame(
        {
            "user": np.repeat(np.arange(60), 9),
            "item": (items % NUM_ITEMS + 1).ravel(),
            "timestamp": np.tile(np.arange(9), 60),
            "price": price.ravel().astype("float32"),
        }
    )
    log = sr.data.read_interactions(log, columns=["price"])
    vocabulary = sr.data.Vocabulary(range(1, NUM_ITEMS + 1))
    return sr.data.split_leave_one_out(log, vocabulary, length=8)


@pytest.fixture
def model(example):
    model = example.PriceRecommender(NUM_ITEMS, 8, num_blocks=2)
    model.stack.gate.assign([0.5, 0.5])
    # Tracing a few steps takes TensorFlow longer than running them.
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=ON_TENSORFLOW)
    return model


@pytest.fixture
def x(split):
    return split.test.evaluation_arrays(features=("items", "price"))[0]


def test_a_column_of_the_log_goes_from_the_file_to_the_recommendations(
    model, split, x, tmp_path
):
    rows = {"features": model.features}
    history = model.fit(
        split.train.batches(32, **rows),
        validation_data=split.validation.batches(evaluation=True, **rows),
        epochs=3,
        callbacks=[sr.StackingCallback("stackC", {1: 4})],
        verbose=0,
    ).history
    assert history["num_blocks"] == [2, 4, 4]
    assert history["loss"][-1] < history["loss"][0]
    model.evaluate(split.test.batches(evaluation=True, **rows), verbose=0)
    ids, scores = model.recommend(x, k=3)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.recommend(x, k=3)[0], ids)
    # The gates of copies start at 0 and have learned to let the price pass.
    other = {**x, "price": 1 - x["price"]}
    assert np.abs(loaded.recommend(other, k=3)[1] - scores).max() > 1e-3


def test_values_go_with_their_items_in_lists_and_in_arrays(model, x):
    model.trained_length = 4
    whole, _ = model.recommend(x, k=3)
    items = [row[row > 0].tolist() for row in x["items"]]
    price = [p[row > 0].tolist() for row, p in zip(x["items"], x["price"])]
    lists, _ = model.recommend({"items": items, "price": price}, k=3)
    np.testing.assert_array_equal(lists, whole)
    # An item that the model does not know takes its value with it.
    items[0].insert(-1, 99)
    price[0].insert(-1, 7.0)
    with pytest.warns(sr.errors.StackRecWarning, match="does not know 1 "):
        lists, _ = model.recommend({"items": items, "price": price}, k=3)
    np.testing.assert_array_equal(lists, whole)


def test_a_feature_that_is_missing_is_named_with_the_way_to_it(model, split, x):
    with refused("x", says=r"lacks 'price'.*features=model\.features"):
        model.fit(split.train.batches(32), verbose=0)
    for run in (model.predict, model.recommend, model.score, model.predict_on_batch):
        with refused("x", says="lacks 'price'"):
            run(x["items"])
    with refused("inputs", says="lacks 'price'"):
        model(x["items"])


@pytest.mark.parametrize(
    "price, reason",
    [
        (np.zeros((12, 3)), "must have the shape of the items"),
        (np.full((12, 7), np.nan), "must be finite, but has nan"),
        (np.full((12, 7), "cheap"), "must hold numbers"),
        (np.full((12, 7), 10**12), "must fit into 32 bits"),
    ],
)
def test_values_that_a_step_could_not_read_are_refused(model, x, price, reason):
    items = x["items"][:12]
    with refused("x['price']", says=reason):
        model.predict({"items": items, "price": price}, verbose=0)
    with refused("x: x['price']", says=reason):
        model.predict(({"items": i, "price": p} for i, p in [(items, price)]))


def test_other_features_are_refused(model, make_model, x):
    with refused("x", says="has 'size', but this model takes only 'items', 'price'"):
        model.predict({**x, "size": x["price"]}, verbose=0)
    with refused("x", says="has 'price', but this model takes only 'items'"):
        make_model().predict(x, verbose=0)


def test_a_list_of_values_that_does_not_match_its_items_is_refused(model):
    with refused("x['price']", says="one value for each item, but row 1 does not"):
        model.recommend({"items": [[1, 2], [3]], "price": [[1, 2], [3, 4]]})
    with refused("x['price']", says=r"\(2,\), one value for each history"):
        model.recommend({"items": [[1, 2], [3]], "price": [1.0]})


def test_a_value_a_row_is_cut_like_the_rows(example):
    class OfRows(example.PriceRecommender):
        def hidden_states(self, features, training):
            price = keras.ops.repeat(features["price"][:, None], 3, axis=1)
            return super().hidden_states({**features, "price": price}, training)

    model = OfRows(NUM_ITEMS, 8, num_blocks=1)
    model.stack.gate.assign([0.5])
    items = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    x = {"items": items, "price": np.array([0.0, 1.0, 0.0], "float32")}
    _, scores = model.recommend(x, k=3, batch_size=2)
    np.testing.assert_allclose(scores[0], scores[2], rtol=1e-5)
    assert np.abs(scores[0] - scores[1]).max() > 1e-4


def test_a_pipeline_of_tensorflow_is_checked_in_its_graph(model, x):
    tf = pytest.importorskip("tensorflow")
    for price, reason in (
        (np.where(x["items"] > 0, np.inf, 0.0), "must be finite"),
        (np.zeros((len(x["items"]), 3)), "must have the shape of the items"),
    ):
        rows = tf.data.Dataset.from_tensor_slices(({**x, "price": price},))
        with refused("x: x['price']", says=reason):
            model.predict(rows.batch(16), verbose=0)
    rows = tf.data.Dataset.from_tensor_slices((x,)).batch(16)
    scores = model.predict(rows, verbose=0)[:, 1:]
    whole = model.predict(x, verbose=0)[:, 1:]
    np.testing.assert_allclose(scores, whole, rtol=1e-4)


def test_a_program_takes_the_features_of_training(model, split, x, tmp_path):
    with refused("input_signature", says="including 'price'"):
        model.export(tmp_path / "model.pt2", FORMAT)
    model.fit(split.train.batches(32, features=model.features), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    (signature,) = exporting._signature(loaded, loaded.features, 7)
    assert {name: (s.dtype, s.shape) for name, s in signature.items()} == {
        "items": ("int32", (None, 7)),
        "price": ("float32", (None, 7)),
    }
