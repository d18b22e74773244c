import json
import shutil

import keras
import numpy as np
import pytest


def test_a_run_is_evaluated_as_it_was_at_its_end(finished_run, stackrec):
    code, out, err = stackrec("evaluate", finished_run)
    assert (code, err) == (0, "")
    assert out == (finished_run / "metrics.md").read_text()


def test_the_results_come_as_json(finished_run, stackrec):
    code, out, _ = stackrec("evaluate", finished_run, "--json")
    assert code == 0
    then = json.loads((finished_run / "metrics.json").read_text())
    found = json.loads(out)
    assert found["rows"] == then["rows"]
    for name, values in then["results"].items():
        assert found["results"][name] == pytest.approx(values, rel=1e-5)


def test_another_log_is_evaluated_on_the_last_item_of_each_user(
    finished_run, tmp_path, stackrec, write_log
):
    other = write_log(tmp_path / "other.csv", users=15, seed=1)
    text = other.read_text()
    # A user's newest item is unknown, and a user has no item to go by.
    text += "5,film 999,1900000000\n77,film 1,1900000000\n"
    other.write_text(text.replace("user,item", "who,what"))
    columns = ["--user", "who", "--item", "what"]
    code, out, _ = stackrec("evaluate", finished_run, "--data", other, *columns)
    assert code == 0
    assert "last item of 15 of 16 users" in out
    assert "1 of 257 events left out" in out
    model = keras.saving.load_model(finished_run / "model.keras")
    last = np.array([_last_items(other, str(u), model) for u in range(1, 16)])
    expected = model.evaluate(last[:, :-1], last[:, -1], verbose=0, return_dict=True)
    arguments = ["--data", other, *columns, "--json"]
    found = json.loads(stackrec("evaluate", finished_run, *arguments)[1])
    assert found["results"]["NextItNet, 4 blocks"] == pytest.approx(
        {name: expected[name] for name in expected if name != "loss"}, rel=1e-5
    )


def test_another_log_has_the_columns_of_the_run_unless_others_are_named(
    finished_run, tmp_path, stackrec, write_log
):
    run = shutil.copytree(finished_run, tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "user": "who"}))
    other = write_log(tmp_path / "other.csv", users=15, seed=1)
    other.write_text(other.read_text().replace("user,item", "who,item"))
    code, out, _ = stackrec("evaluate", run, "--data", other)
    assert code == 0
    assert "last item of 15 of 15 users" in out


def test_data_that_have_changed_are_noticed(
    tmp_path, log_path, stackrec, train_arguments
):
    data = tmp_path / "log.csv"
    data.write_text(log_path.read_text())
    more = "--epochs 1 --schedule none --split time"
    assert stackrec(*train_arguments(data, tmp_path / "run", more))[0] == 0
    assert stackrec("evaluate", tmp_path / "run")[0] == 0
    data.write_text(data.read_text().replace("film 1,", "film 2,", 1))
    code, _, err = stackrec("evaluate", tmp_path / "run")
    assert code == 2
    assert "has changed: it gives the split" in err
    assert "evaluate --data" in err


def test_a_log_without_known_items_is_an_error(finished_run, tmp_path, stackrec):
    other = tmp_path / "other.csv"
    other.write_text("user,item,timestamp\n1,a,1\n1,b,2\n")
    code, _, err = stackrec("evaluate", finished_run, "--data", other)
    assert code == 2
    assert "no user with two items that the model knows" in err


def test_a_folder_without_a_run_or_with_half_a_run_is_an_error(
    finished_run, tmp_path, stackrec
):
    code, _, err = stackrec("evaluate", tmp_path)
    assert code == 2
    assert "is not a run folder" in err
    (tmp_path / "config.json").write_text((finished_run / "config.json").read_text())
    code, _, err = stackrec("evaluate", tmp_path)
    assert code == 2
    assert "its run is not finished" in err and "--resume" in err


def test_a_model_file_is_an_error_that_names_its_run_folder(
    finished_run, tmp_path, stackrec
):
    code, _, err = stackrec("evaluate", finished_run / "model.keras")
    assert code == 2
    assert "model.keras is only a model" in err
    assert err.endswith(f"Give the run folder: {finished_run}\n")
    _, _, err = stackrec("evaluate", tmp_path / "mine.keras", "--data", "log.csv")
    assert err.endswith("Give the run folder of `stackrec train`.\n")


def _last_items(path, user, model):
    """The user's last 8 items that the model knows, as indices."""
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    items = [item for who, item, _ in rows if who == user]
    known = [i for i in model.vocabulary.encode(items) if i > 0]
    return known[-8:]


def test_items_of_the_history_may_be_left_out(
    log_path, finished_run, train_arguments, stackrec, tmp_path
):
    _, out, _ = stackrec("evaluate", finished_run)
    assert "10 targets are in their own history" in out and "exclude_seen" in out
    _, out, _ = stackrec("evaluate", finished_run, "--exclude-seen")
    assert "items of the history left out" in out
    _, out, _ = stackrec("evaluate", finished_run, "--exclude-seen", "--json")
    results = json.loads(out)["results"]
    assert len(results) == 2  # the model and popularity
    assert all(table["hit_rate@10"] <= 6 / 16 for table in results.values())
    # A run with this option from the start uses it in validation, at its end and here.
    folder = tmp_path / "told"
    more = "--epochs 1 --schedule none --exclude-seen"
    assert stackrec(*train_arguments(log_path, folder, more))[0] == 0
    assert "items of the history left out" in (folder / "metrics.md").read_text()
    assert stackrec("evaluate", folder)[1] == (folder / "metrics.md").read_text()
    model = keras.saving.load_model(folder / "model.keras")
    assert model.exclude_seen is True
    _, out, _ = stackrec("evaluate", folder, "--no-exclude-seen")
    assert "targets are in their own history" in out
