import json

import keras
import pytest


def history_of(user, log_path):
    rows = [line.split(",") for line in log_path.read_text().splitlines()[1:]]
    return [item for who, item, _ in rows if who == str(user)]


def test_a_user_is_recommended_what_the_model_says_of_the_whole_history(
    finished_run, log_path, stackrec
):
    arguments = ["--user", "3", "--k", "2", "--include-seen", "--json"]
    code, out, err = stackrec("recommend", finished_run, *arguments)
    assert (code, err) == (0, "")
    found = json.loads(out)
    history = history_of(3, log_path)
    assert found["history"] == history
    model = keras.saving.load_model(finished_run / "model.keras")
    items, scores = model.recommend([history], k=2, exclude_seen=False)
    assert [r["item"] for r in found["recommendations"]] == list(items[0])
    assert [r["score"] for r in found["recommendations"]] == pytest.approx(
        list(scores[0]), rel=1e-5
    )


def test_what_was_seen_is_left_out_unless_asked_for(finished_run, stackrec):
    def recommended(*more):
        arguments = ["--items", *seen, "--k", 14, "--json", *more]
        _, out, _ = stackrec("recommend", finished_run, *arguments)
        return {r["item"] for r in json.loads(out)["recommendations"]}

    seen = ["film 1", "film 8", "film 3"]
    assert recommended() == {f"film {i}" for i in range(14)} - set(seen)
    assert recommended("--include-seen") == {f"film {i}" for i in range(14)}


def test_people_get_a_table_of_the_last_items_and_the_best_ones(
    finished_run, log_path, stackrec
):
    code, out, _ = stackrec("recommend", finished_run, "--user", "7", "--k", "3")
    assert code == 0
    lines = out.splitlines()
    history = history_of(7, log_path)
    assert lines[0] == f"User 7: {len(history)} items. The last 5:"
    assert [line.strip() for line in lines[1:6]] == history[-5:]
    assert lines[7] == "Recommended"
    assert lines[8].split()[:2] == ["1", "film"]


def test_a_newer_log_can_give_the_history(finished_run, tmp_path, stackrec):
    newer = tmp_path / "newer.csv"
    newer.write_text("user,item,timestamp\nann,film 5,2\nann,film 4,1\n")
    arguments = ["--user", "ann", "--data", newer, "--json"]
    code, out, _ = stackrec("recommend", finished_run, *arguments)
    assert code == 0
    assert json.loads(out)["history"] == ["film 4", "film 5"]
    newer.write_text("who,item,timestamp\nann,film 5,2\n")
    code, _, err = stackrec("recommend", finished_run, *arguments)
    assert code == 2
    assert "'user'" in err and "the run's own log" in err
    assert "--user COLUMN" not in err


def test_an_unknown_user_is_an_error_that_shows_ids(finished_run, stackrec):
    for user in ("bob", "222"):  # 22 is there, but is a guess
        code, _, err = stackrec("recommend", finished_run, "--user", user)
        assert code == 2
        assert f"--user {user} is not in" in err
        assert "40 users, with ids such as '1', '2', '3'" in err


def test_an_unknown_user_is_an_error_that_shows_users_like_it(
    finished_run, tmp_path, stackrec
):
    newer = tmp_path / "newer.csv"
    rows = [f"{letter}-17,film 5,1" for letter in "ABCDE"]  # all as close but for case
    newer.write_text("\n".join(["user,item,timestamp", *rows]))
    arguments = ["--user", "a-17", "--data", newer]
    code, _, err = stackrec("recommend", finished_run, *arguments)
    assert code == 2
    assert f"--user a-17 is not in {newer}. Did you mean 'A-17'?" in err
    assert err.endswith("? For someone new, give --items instead.\n")


def test_an_unknown_item_is_an_error_that_shows_items_like_it(finished_run, stackrec):
    code, _, err = stackrec("recommend", finished_run, "--items", "film 1", "Film 13")
    assert code == 2
    assert "'Film 13' is not an item of the model. Did you mean 'film 13'" in err
    code, _, err = stackrec("recommend", finished_run, "--items", "zzz")
    assert "Give ids such as 'film 0'" in err


def test_too_many_recommendations_are_an_error(finished_run, stackrec):
    arguments = ["--items", "film 1", "--k", "15"]
    code, _, err = stackrec("recommend", finished_run, *arguments)
    assert code == 2
    assert "must be an integer from 1 to 14" in err


def test_ids_that_begin_with_a_dash_are_typed_after_an_equals_sign(
    finished_run, tmp_path, stackrec
):
    newer = tmp_path / "newer.csv"
    newer.write_text("user,item,timestamp\n-C3,film 5,1\n")
    arguments = ["--user=-C3", "--data", newer, "--json"]
    code, out, _ = stackrec("recommend", finished_run, *arguments)
    assert code == 0 and json.loads(out)["history"] == ["film 5"]
    each = ["--items=film 5", "--items=film 4", "--json"]
    code, out, _ = stackrec("recommend", finished_run, *each)
    assert code == 0 and json.loads(out)["history"] == ["film 5", "film 4"]


def _recommended(stackrec, run, *arguments):
    code, out, err = stackrec("recommend", run, "--json", *arguments)
    assert (code, err) == (0, "")
    return {found["item"] for found in json.loads(out)["recommendations"]}


def test_only_candidates_are_recommended(finished_run, tmp_path, stackrec):
    typed = ["film 3", "film 5", "film 12"]
    of_history = ["--items", "film 1", "film 5"]
    arguments = [*of_history, "--candidates", *typed]
    assert _recommended(stackrec, finished_run, *arguments) == {"film 3", "film 12"}
    file = tmp_path / "in_stock.txt"
    file.write_text("\ufefffilm 3\r\n\nfilm 5\nfilm 12\n", "utf-8")
    arguments = ["--user", "3", "--include-seen", "--candidates-file", file]
    assert _recommended(stackrec, finished_run, *arguments) == {*typed}


def test_mistakes_in_candidates_are_told(finished_run, tmp_path, stackrec):
    def error(*arguments):
        arguments = ["--items", "film 1", *arguments]
        code, out, err = stackrec("recommend", finished_run, *arguments)
        assert (code, out) == (2, "")
        return err

    message = error("--candidates", "film 3", "Film 13", "zzz")
    told = "'Film 13' is not an item of the model (2 of 3 ids are unknown). Did"
    assert told in message
    file = tmp_path / "in_stock.txt"
    assert f"No such file or directory: '{file}'" in error("--candidates-file", file)
    for content, told in (
        (b"", "is empty. Give one id per line"),
        (b"caf\xe9", "is not a text file in UTF-8"),
        (b"film 3\nzzz\n", "has 'zzz', which is not an item of the model"),
    ):
        file.write_bytes(content)
        message = error("--candidates-file", file)
        assert f"--candidates-file {file}" in message and told in message


def test_a_model_that_diverged_is_told(finished_run, tmp_path, stackrec):
    model = keras.saving.load_model(finished_run / "model.keras")
    model.set_weights([weight * float("nan") for weight in model.get_weights()])
    model.save(tmp_path / "diverged.keras")
    for command in ("recommend", "similar"):
        arguments = [tmp_path / "diverged.keras", "--items", "film 1"]
        code, out, err = stackrec(command, *arguments)
        assert (code, out) == (2, "")
        assert "are NaN, first in row 0. Some weights of the model" in err
