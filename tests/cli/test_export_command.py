import keras

from stackrec_keras.data import Vocabulary
from stackrec_keras.models import SequentialRecommender


def test_a_program_gives_what_the_run_recommends(finished_run, stackrec, tmp_path):
    import torch

    path = tmp_path / "m.pt2"
    typed = ["export", finished_run, "--out", path, "--format", "torch", "--k", 3]
    code, out, _ = stackrec(*typed)
    assert code == 0
    assert out == f"Wrote {path} and {path}.items.json\n"
    history = ["film 1", "film 8"]
    model = keras.saving.load_model(finished_run / "model.keras")
    items, _ = model.recommend([history], k=3)
    vocabulary = Vocabulary.from_json((tmp_path / "m.pt2.items.json").read_text())
    x = torch.tensor(vocabulary.encode(history)[None])
    served = torch.export.load(path).module()(x)
    assert vocabulary.decode(served["ids"].numpy()).tolist() == items.tolist()


def test_what_is_typed_reaches_the_export(finished_run, stackrec, monkeypatch):
    typed = []
    method = "export_recommender"
    record = lambda self, *args, **kwargs: typed.append(args)  # noqa: E731
    monkeypatch.setattr(SequentialRecommender, method, record)
    more = ["--out", "m.onnx", "--format", "onnx", "--include-seen"]
    assert stackrec("export", finished_run / "model.keras", *more)[0] == 0
    assert stackrec("export", finished_run, "--out", "m", "--k", 3)[0] == 0
    assert typed == [("m.onnx", 10, False, "onnx"), ("m", 3, True, "tf_saved_model")]


def test_mistakes_are_told(finished_run, stackrec, tmp_path):
    typed = ["export", finished_run, "--out", tmp_path / "m.pt2"]
    code, _, err = stackrec(*typed, "--format", "pt2")
    assert code == 2 and "--format pt2 must be" in err
    code, _, err = stackrec(*typed, "--format", "torch", "--k", 99)
    assert code == 2 and "--k 99 must be an integer from 1 to" in err
    typed = ["export", finished_run, "--out", "m", "--format", "torch"]
    code, _, err = stackrec(*typed)
    assert code == 2 and "--out m must end in .pt2 for the format 'torch'." in err
