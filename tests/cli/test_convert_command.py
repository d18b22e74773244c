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
    [("model.h5", "must end in .keras"), ("there.keras", "already exists")],
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
    assert code == 2 and "not a checkpoint of GRec" in error


def test_with_its_sequences_it_recommends_by_ids(stackrec, checkpoint, tmp_path):
    ids = [str(id) for id in range(549, 500, -1)]
    path = tmp_path / "sequences.csv"
    path.write_text("\n".join(",".join(ids[i : i + 7]) for i in range(0, 49, 7)))
    out = tmp_path / "model.keras"
    code, _, error = stackrec(
        *("convert", checkpoint, "--model", "sasrec"),
        *("--sequences", path, "--out", out),
    )
    assert code == 0, error
    code, text, error = stackrec("recommend", out, "--items", "549", "540", "--k", "3")
    assert code == 0, error
    model = keras.saving.load_model(out)
    best, _ = model.recommend([[549, 540]], 3)
    for item in best[0]:
        assert f"  {item}  " in text


def test_a_model_without_ids_recommends_none(stackrec, checkpoint, tmp_path):
    out = tmp_path / "model.keras"
    stackrec("convert", checkpoint, "--model", "sasrec", "--out", out)
    code, _, error = stackrec("recommend", out, "--items", "1")
    assert code == 2 and "without a vocabulary" in error and "--sequences" in error
    code, _, error = stackrec("recommend", out, "--user", "1")
    assert code == 2 and "needs a run folder" in error
