import keras
import numpy as np
import pytest


@pytest.fixture
def checkpoint(golden, tmp_path):
    torch = pytest.importorskip("torch")
    arrays, _ = golden("sasrec_torch_h1")
    weights = {
        name.removeprefix("var/"): torch.tensor(value)
        for name, value in arrays.items()
        if name.startswith("var/")
    }
    torch.save(weights, tmp_path / "sasrec.pt")
    return tmp_path / "sasrec.pt"


def test_it_writes_a_model_that_keras_loads(stackrec, golden, checkpoint, tmp_path):
    out = tmp_path / "model.keras"
    code, text, _ = stackrec("convert", checkpoint, "--model", "sasrec", "--out", out)
    assert code == 0 and text.startswith("SASRec, 3 blocks, 49 items")
    arrays, _ = golden("sasrec_torch_h1")
    scores = keras.saving.load_model(out).predict(arrays["in/batch"][:, :-1], verbose=0)
    np.testing.assert_allclose(
        scores[:, 1:], arrays["out/logits_last"][:, 1:], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "out, message",
    [("model.h5", "must end in .keras"), ("there.keras", "is there already")],
)
def test_it_writes_over_nothing(stackrec, checkpoint, tmp_path, out, message):
    (tmp_path / "there.keras").write_text("mine")
    code, _, error = stackrec(
        "convert", checkpoint, "--model", "sasrec", "--out", tmp_path / out
    )
    assert code == 2 and message in error
    assert (tmp_path / "there.keras").read_text() == "mine"


def test_a_checkpoint_of_another_model_is_an_error(stackrec, checkpoint, tmp_path):
    code, _, error = stackrec(
        "convert", checkpoint, "--model", "grec", "--out", tmp_path / "m.keras"
    )
    assert code == 2 and "is of no GRec" in error
