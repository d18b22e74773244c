import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops
from models import serve
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr

_BACKEND = keras.backend.backend()
_TORCH = _BACKEND == "torch"
_FORMAT, _NAME = ("torch", "m.pt2") if _TORCH else ("tf_saved_model", "m")
_K = 5


def small_model(name, dim=8, **arguments):
    """A model with distinct scores that reads 10 items."""
    if name in ("NextItNet", "GRec"):
        model = getattr(sr, name)(NUM_ITEMS, embedding_dim=dim, num_blocks=1)
    elif name == "SSEPT":
        model = sr.SSEPT(NUM_ITEMS, 5, 10, item_dim=4, user_dim=4, num_blocks=1)
    else:
        kind = getattr(sr, name)
        model = kind(NUM_ITEMS, 10, embedding_dim=dim, num_blocks=1, **arguments)
    rng = np.random.default_rng(1)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    model.trained_length = 10
    return model


def histories(model, rows=1000, length=14):
    """What `recommend` takes: padded histories, most of them longer than 10 items,
    some with padding and an unknown item inside."""
    rng = np.random.default_rng(0)
    items = rng.integers(1, NUM_ITEMS + 1, (rows, length))
    items[np.arange(length) < rng.integers(0, length, (rows, 1))] = 0
    items[: rows // 4, -3] = 0
    items[rows // 4 : rows // 2, -2] = NUM_ITEMS + 5
    x = {"items": items.astype("int32")}
    if "users" in model.features:
        x["users"] = np.arange(rows, dtype="int32") % 7 - 1
    if "timestamps" in model.features:
        times = np.cumsum(rng.integers(0, 90_000, (rows, length)), axis=1)
        x["timestamps"] = times.astype("int32")
    return x


def recommended(model, x, at=None, **arguments):
    with pytest.warns(UserWarning, match="does not know"):
        return model.recommend(x, _K, at=at, **arguments)


def served_elsewhere(format, path, x):
    """What another process gets from a program."""
    folder = path.parent
    np.savez(folder / "x.npz", **x)
    arguments = [format, path, folder / "x.npz", folder / "out.npz"]
    command = [sys.executable, "-W", "ignore", serve.__file__, *map(str, arguments)]
    subprocess.run(command, check=True, cwd=folder)
    with np.load(folder / "out.npz") as out:
        return dict(out)


def assert_same(out, ids, scores):
    np.testing.assert_array_equal(out["ids"], ids)
    np.testing.assert_allclose(out["scores"], scores, atol=1e-5)


def check_served(model, path, format, served):
    x = histories(model)
    at = x["timestamps"][:, -1] + 60 if "timestamps" in x else None
    ids, scores = recommended(model, x, at)
    model.export_recommender(path, _K, format=format, verbose=False)
    inputs = x if at is None else {**x, "at": at}
    assert_same(served(format, path, inputs), ids, scores)


@pytest.mark.every_backend
def test_another_process_serves_what_recommend_gives(tmp_path):
    model = small_model("HSTU", chunk_size=4)
    check_served(model, tmp_path / _NAME, _FORMAT, served_elsewhere)


def test_a_model_without_a_longest_history_serves_what_recommend_gives(tmp_path):
    check_served(small_model("NextItNet"), tmp_path / _NAME, _FORMAT, serve.serve)


@pytest.mark.parametrize("name", ["SSEPT", "HSTU"])
def test_onnx_runtime_serves_what_recommend_gives(name, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    check_served(small_model(name), tmp_path / "m.onnx", "onnx", serve.serve)


def test_edge_cases_are_as_in_recommend(tmp_path):
    # At this width, products of a single row with equal vectors are not all equal.
    model = small_model("NextItNet", dim=37)
    ties = model.output_table
    vectors = ops.convert_to_numpy(ties.table)
    ties.table.assign(np.tile(vectors[:1], (NUM_ITEMS + 1, 1)))
    model.vocabulary = sr.data.Vocabulary([f"film {i}" for i in range(NUM_ITEMS)])
    ties.bias.assign(np.arange(NUM_ITEMS + 1) // 10 * 0.5)
    model.export_recommender(tmp_path / _NAME, NUM_ITEMS, format=_FORMAT, verbose=False)
    serve = program(tmp_path / _NAME)
    for x in ([[4]], [[0, 0, 7], [0, 0, 9]], np.arange(1, 26)[None]):
        x = np.asarray(x, "int32")
        ids, scores = model.recommend(x, NUM_ITEMS)
        out = serve(x)
        assert_same(out, ids, scores)
        if not _TORCH:
            raw = [f"film {i - 1}".encode() if i else b"" for i in ids.ravel()]
            assert out["items"].ravel().tolist() == raw
    text = (tmp_path / f"{_NAME}.items.json").read_text("utf-8")
    assert json.loads(text)["ids"] == model.vocabulary.ids.tolist()


def test_items_of_the_history_may_stay(tmp_path):
    model = small_model("NextItNet")
    x = histories(model, rows=20)["items"]
    model.export_recommender(tmp_path / _NAME, _K, False, _FORMAT, verbose=False)
    expected = recommended(model, x, exclude_seen=False)
    assert_same(program(tmp_path / _NAME)(x), *expected)
    assert not (tmp_path / f"{_NAME}.items.json").exists()


def test_a_transfer_model_has_a_file_for_each_catalogue(tmp_path):
    source = small_model("NextItNet")
    source.vocabulary = sr.data.Vocabulary([f"film {i}" for i in range(NUM_ITEMS)])
    model = sr.TransferRecommender(source, num_targets=7)
    model.target_vocabulary = sr.data.Vocabulary(range(70, 77))
    model.export_recommender(tmp_path / _NAME, 7, format=_FORMAT, verbose=False)
    x = np.array([[3, 4, 5]], "int32")
    assert_same(program(tmp_path / _NAME)(x), *model.recommend(x, 7))
    for name, vocabulary in (
        ("items", model.target_vocabulary),
        ("history_items", model.vocabulary),
    ):
        text = (tmp_path / f"{_NAME}.{name}.json").read_text("utf-8")
        assert sr.data.Vocabulary.from_json(text) == vocabulary


def test_wrong_arguments_are_refused(make_model, tmp_path):
    model, path = make_model(), tmp_path / _NAME
    with refused("k", says=f"from 1 to {NUM_ITEMS}"):
        model.export_recommender(path, NUM_ITEMS + 1, format=_FORMAT)
    with refused("exclude_seen"):
        model.export_recommender(path, exclude_seen="no", format=_FORMAT)
    with refused("format"):
        model.export_recommender(path, format="pt2")
    with refused("input_signature", says="has not been trained"):
        model.export_recommender(path, format="torch")


def test_a_model_that_was_not_trained_takes_histories_of_one_length(tmp_path):
    model = small_model("NextItNet")
    model.trained_length = None
    six = [keras.InputSpec(shape=(None, 6), dtype="int32")]
    model.export_recommender(
        tmp_path / _NAME, _K, True, _FORMAT, verbose=False, input_signature=six
    )
    x = np.arange(1, 19, dtype="int32").reshape(3, 6)
    assert_same(program(tmp_path / _NAME)(x), *model.recommend(x, _K))


def program(path):
    """A function that serves an array of items."""
    return lambda items: serve.serve(_FORMAT, path, {"items": items})
