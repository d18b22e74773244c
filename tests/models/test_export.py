import keras
import numpy as np
import pytest
from keras import ops
from small_data import NUM_ITEMS

import stackrec_keras as sr

pytestmark = pytest.mark.every_backend

_TORCH = keras.backend.backend() == "torch"


def test_an_exported_model_gives_what_predict_gives(kind, sequences, tmp_path):
    items = sequences[0]
    model = kind.build()
    model.grow("stackC")
    model.trained_length = items.shape[1]
    for x in _histories(kind, items):
        served = _served(model, tmp_path, x)
        np.testing.assert_allclose(
            served[:, 1:], model.predict(x, verbose=0)[:, 1:], atol=1e-4
        )


def test_a_transfer_model_exports_too(sequences, tmp_path):
    source = sr.NextItNet(NUM_ITEMS, embedding_dim=4, num_blocks=1)
    model = sr.TransferRecommender(source, num_targets=7)
    model.trained_length = sequences[0].shape[1]
    served = _served(model, tmp_path, sequences[0][:1])
    assert served.shape == (1, 8)


@pytest.mark.skipif(not _TORCH, reason="other backends export any length")
def test_a_format_of_one_length_asks_for_it(kind, tmp_path):
    with pytest.raises(ValueError, match="was not trained yet.*input_signature="):
        kind.build().export(tmp_path / "model.pt2", format="torch")


def _histories(kind, items):
    if _TORCH:  # Keras exports one row of one length
        return [kind.inputs(items[:1])]
    return [kind.inputs(items[:3]), kind.inputs(items[:2, 4:])]


def _served(model, folder, x):
    if _TORCH:
        import torch

        path = str(folder / "model.pt2")
        model.export(path, format="torch", verbose=False)
        program = torch.export.load(path).module()
        tensors = keras.tree.map_structure(
            lambda a: ops.convert_to_tensor(a, "int32"), x
        )
        return ops.convert_to_numpy(program(tensors))
    tf = pytest.importorskip("tensorflow")
    if not (folder / "saved_model.pb").exists():
        model.export(folder, verbose=False)
    program = tf.saved_model.load(str(folder))
    return program.serve(x).numpy()
