import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr

pytestmark = pytest.mark.every_backend

_BACKEND = keras.backend.backend()
_TORCH = _BACKEND == "torch"
_FORMAT = "torch" if _TORCH else "tf_saved_model"
# What the backend needs to write an ONNX file.
_WRITES_ONNX = {"tensorflow": "tf2onnx", "jax": "jax2onnx", "torch": "onnxscript"}

# Other backends take long to export: they do one model of each kind of block.
_EXPORTED = ["NextItNet", "SASRec"]
_EXPORTED += ["GRec, encoder", "SSEPT", "HSTU", "ESASRec"] * _TORCH


@pytest.mark.parametrize("kind", _EXPORTED, indirect=True)
def test_an_exported_model_gives_what_predict_gives(kind, sequences, tmp_path):
    items = sequences[0]
    model = kind.build(num_blocks=1)
    model.grow("stackC")
    model.trained_length = items.shape[1]
    others = [items[:1]] if _TORCH else [items[:1], items[:2, 4:]]
    for x in map(kind.inputs, [items[:3], *others]):
        served = _served(model, tmp_path, x, _FORMAT)
        np.testing.assert_allclose(
            served[:, 1:], model.predict(x, verbose=0)[:, 1:], atol=1e-4
        )


@pytest.mark.parametrize("kind", ["GRec, encoder", "SASRec"], indirect=True)
def test_an_onnx_file_gives_what_predict_gives(kind, sequences, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip(_WRITES_ONNX[_BACKEND])
    padded = {"padding_mask": True} if kind.name == "SASRec" else {}
    model = kind.build(num_blocks=1, **padded)
    items = sequences[0][:3]
    items[:, :2] = 0
    model.trained_length = items.shape[1]
    for x in (kind.inputs(items), kind.inputs(items[:1])):
        served = _served(model, tmp_path, x, "onnx")
        np.testing.assert_allclose(
            served[:, 1:], model.predict(x, verbose=0)[:, 1:], atol=1e-4
        )


def test_a_transfer_model_exports_too(sequences, tmp_path):
    source = sr.NextItNet(NUM_ITEMS, embedding_dim=4, num_blocks=1)
    model = sr.TransferRecommender(source, num_targets=7)
    model.trained_length = sequences[0].shape[1]
    served = _served(model, tmp_path, sequences[0][:1], _FORMAT)
    assert served.shape == (1, 8)


def test_a_file_must_end_as_its_format_needs(make_model, tmp_path):
    if _BACKEND == "jax":
        pytest.skip("JAX writes no format whose files must have a suffix")
    form, suffix = ("torch", "pt2") if _TORCH else ("litert", "tflite")
    says = rf"in \.{suffix} for the format"
    with refused("filepath", tmp_path / "m.onnx", says=says):
        make_model().export(tmp_path / "m.onnx", format=form)
    with refused("path", "m", says=says):
        make_model().export_recommender("m", format=form)


@pytest.mark.skipif(not _TORCH, reason="other backends export any length")
def test_a_format_of_one_length_asks_for_it(kind, tmp_path):
    with refused("input_signature", says="has not been trained"):
        kind.build().export(tmp_path / "model.pt2", format="torch")


@pytest.mark.skipif(not _TORCH, reason="other backends export any length")
def test_a_length_that_is_left_open_is_refused(make_model, tmp_path):
    model = make_model()
    model.trained_length = 10
    anything = [keras.InputSpec(shape=(None, None), dtype="int32")]
    with refused("input_signature", says="the given signature leaves it open"):
        model.export(tmp_path / "m.pt2", format="torch", input_signature=anything)
    length = [keras.InputSpec(shape=(2, 6), dtype="int32")]
    model.export(tmp_path / "m.pt2", "torch", verbose=False, input_signature=length)
    assert _program("torch", tmp_path)(np.ones((2, 6), "int32")).shape == (2, 31)


def test_a_format_that_the_backend_cannot_write_is_refused(make_model, tmp_path):
    other, here, where = {
        "tensorflow": ("torch", "'tf_saved_model' or 'onnx'", "'torch'"),
        "jax": ("openvino", "'tf_saved_model' or 'onnx'", "'tensorflow' or 'torch'"),
        "torch": ("tf_saved_model", "'onnx' or ", "'tensorflow' or 'jax'"),
    }[_BACKEND]
    reason = f"must be {here}.* on the {_BACKEND} backend"
    with refused("format", received=other, says=f"{reason}.*{where}"):
        make_model().export(tmp_path / "m", format=other)
    with refused("format", received="pt2", says=reason):
        make_model().export(tmp_path / "m", format="pt2")


def test_a_package_that_is_missing_is_named(make_model, tmp_path, monkeypatch):
    monkeypatch.setattr("stackrec_keras.models.exporting.find_spec", lambda name: None)
    package = _WRITES_ONNX[_BACKEND]
    with pytest.raises(ImportError, match=f"format='onnx' .*pip install {package}"):
        make_model().export(tmp_path / "m.onnx", format="onnx")


def _served(model, folder, x, format):
    if not list(folder.iterdir()):
        model.export(_path(format, folder), format, verbose=False)
    return _program(format, folder)(x)


def _path(format, folder):
    names = {"torch": "m.pt2", "onnx": "m.onnx", "tf_saved_model": ""}
    return str(folder / names[format])


def _program(format, folder):
    path = _path(format, folder)
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        names = [spec.name for spec in session.get_inputs()]
        return lambda x: session.run(None, dict(zip(names, _int32(x))))[0]
    if format == "torch":
        import torch

        program = torch.export.load(path).module()
        return lambda x: ops.convert_to_numpy(
            program(keras.tree.map_structure(lambda a: torch.tensor(a).int(), x))
        )
    import tensorflow as tf

    program = tf.saved_model.load(path)
    return lambda x: program.serve(x).numpy()


def _int32(x):
    return [part.astype("int32") for part in keras.tree.flatten(x)]
