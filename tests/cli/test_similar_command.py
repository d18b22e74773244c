import json

import keras
import pytest


def test_each_item_gets_the_items_that_the_model_finds_similar(finished_run, stackrec):
    typed = ["film 1", "film 8"]
    arguments = ["--items", *typed, "--k", 3, "--json"]
    code, out, err = stackrec("similar", finished_run, *arguments)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert [entry["item"] for entry in found] == typed
    model = keras.saving.load_model(finished_run / "model.keras")
    for entry, items, cosines in zip(found, *model.similar_items(typed, k=3)):
        assert [s["item"] for s in entry["similar"]] == items.tolist()
        scores = [s["score"] for s in entry["similar"]]
        assert scores == pytest.approx(cosines.tolist(), abs=1e-6)


def test_people_get_a_table_for_each_item(finished_run, stackrec):
    file = finished_run / "model.keras"
    code, out, _ = stackrec("similar", file, "--items", "film 1", "film 8", "--k", 2)
    assert code == 0
    lines = out.splitlines()
    assert [lines[0], lines[3]] == ["Similar to film 1", "Similar to film 8"]
    assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]


def test_mistakes_are_told(finished_run, stackrec):
    code, _, err = stackrec("similar", finished_run, "--items", "film 1", "Film 13")
    assert code == 2
    assert "--items 'Film 13' is not an item of the model. Did you mean 'fi" in err
    code, _, err = stackrec("similar", finished_run, "--items", "film 1", "--k", 14)
    assert code == 2 and "must be an integer from 1 to 13" in err
    code, _, err = stackrec("similar", "no-such-folder", "--items", "film 1")
    assert code == 2 and "no-such-folder is not a run folder" in err
