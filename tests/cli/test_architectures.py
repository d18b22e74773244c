"""`stackrec` with each of the models."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

import stackrec_keras as sr

OPTIONS = {
    "grec": "--mask-rate 0.4 --encoder --normalize --temperature 0.2",
    "sasrec": "--num-heads 2 --dropout 0.1 --norm pre --padding-mask --no-rezero",
    "ssept": "--user-noise 0.1 --method stackA",
    "hstu": "--num-heads 2 --qk-dim 3 --rezero --no-time-bias --no-position-bias",
    "esasrec": "--num-heads 2 --expansion 2 --dropout 0.3 --tied",
}


@pytest.mark.parametrize("model", OPTIONS)
def test_it_trains_grows_is_evaluated_and_recommends(
    stackrec, train_arguments, log_path, tmp_path, model
):
    folder = tmp_path / model
    options = f"--model {model} --epochs 2 --schedule 1:2 {OPTIONS[model]}"
    code, out, error = stackrec(*train_arguments(log_path, folder, options))
    assert code == 0, error
    trained = keras.saving.load_model(folder / "model.keras")
    assert type(trained).__name__.lower() == model and trained.num_blocks == 2
    for option in OPTIONS[model].split("--")[1:]:
        name, _, value = option.strip().replace("-", "_").partition(" ")
        expected = value or str(not name.startswith("no_"))
        if name != "method":
            found = trained.get_config()[name.removeprefix("no_")]
            assert str(found) == expected

    code, out, _ = stackrec("evaluate", folder, "--json")
    table = json.loads((folder / "metrics.json").read_text())
    found = json.loads(out)["results"]
    assert found.keys() == table["results"].keys()
    for name, values in found.items():
        assert values == pytest.approx(table["results"][name], abs=1e-6)

    code, out, _ = stackrec("recommend", folder, "--user", 3, "--json", "--k", 2)
    assert code == 0 and len(json.loads(out)["recommendations"]) == 2
    code, _, _ = stackrec("recommend", folder, "--items", "film 1", "film 2")
    assert code == 0
    code, out, _ = stackrec("evaluate", folder, "--data", log_path)
    assert code == 0 and "last item of 40 of 40 users" in out


def test_sse_pt_serves_users_whom_it_does_not_know(
    stackrec, train_arguments, write_log, tmp_path
):
    log, folder = write_log(tmp_path / "log.csv"), tmp_path / "run"
    options = "--model ssept --epochs 1 --schedule none"
    assert stackrec(*train_arguments(log, folder, options))[0] == 0
    write_log(log, users=50, seed=1)  # tomorrow's log, in place of today's
    code, out, error = stackrec("evaluate", folder, "--data", log)
    assert code == 0 and "10 users unknown to the model" in out, error
    assert stackrec("recommend", folder, "--user", 45, "--data", log)[0] == 0
    assert stackrec("recommend", folder, "--items", "film 1")[0] == 0


@pytest.mark.parametrize(
    "options, message",
    [
        (
            "--model sasrec --kernel-size 2",
            "--kernel-size 2 is an option of nextitnet and",
        ),
        (
            "--dropout 0.5",
            "--dropout 0.5 is an option of sasrec, ssept, hstu and esasrec only",
        ),
    ],
)
def test_an_option_of_another_model_is_an_error(
    stackrec, train_arguments, tmp_path, options, message
):
    code, _, error = stackrec(*train_arguments("log.csv", tmp_path, options))
    assert code == 2 and message in error


@pytest.mark.parametrize("options", ["--timestamp none", "--sequences"])
def test_times_that_a_log_does_not_have_are_asked_for_before_training(
    stackrec, train_arguments, tmp_path, options
):
    arguments = train_arguments("log.csv", tmp_path, f"--model hstu {options}")
    code, _, error = stackrec(*arguments)
    assert code == 2 and "--time-bias needs the time of each event" in error
    assert "Turn it off (--no-time-bias" in error
    code, _, error = stackrec(*arguments, "--no-time-bias")
    assert code == 2 and "No file" in error and "bias" not in error


def test_times_in_milliseconds_are_refused_before_there_is_a_folder(
    stackrec, train_arguments, log_path, tmp_path
):
    log, options = pd.read_csv(log_path), "--model hstu --epochs 1 --schedule none"
    run, other, path = tmp_path / "run", tmp_path / "other", tmp_path / "log.csv"
    assert stackrec(*train_arguments(log_path, run, options))[0] == 0
    log.assign(timestamp=1000 * log["timestamp"]).to_csv(path)
    for command in (
        train_arguments(path, other, options),
        ["grow", run, "--out", other, "--data", path],
    ):
        code, _, error = stackrec(*command)
        assert code == 2 and "--timestamp timestamp holds 1600000000000, " in error
        assert "Divide milliseconds by 1000, or give dates." in error
        assert not other.exists()


def test_hstu_recommends_for_the_time_of_a_request(
    stackrec, train_arguments, log_path, tmp_path
):
    folder = tmp_path / "run"
    options = "--model hstu --epochs 1 --schedule none"
    code, _, error = stackrec(*train_arguments(log_path, folder, options))
    assert code == 0, error
    model = keras.saving.load_model(folder / "model.keras")
    shape = model.stack.time_table.shape
    model.stack.time_table.assign(np.tile(np.linspace(-9, 9, shape[1]), (shape[0], 1)))
    model.save(folder / "model.keras")

    def found(*options):
        options = ("--json", "--include-seen", "--k", 3, *options)
        code, out, error = stackrec("recommend", folder, *options)
        assert code == 0, error
        return [entry["score"] for entry in json.loads(out)["recommendations"]]

    log = sr.data.read_interactions(log_path)
    events = log[log["user"] == 3]
    x = {"items": [events["item"].tolist()], "timestamps": [events["timestamp"]]}

    def expected(**at):
        scores = model.recommend(x, k=3, exclude_seen=False, **at)[1]
        return pytest.approx(scores[0].tolist(), rel=1e-5)

    user = ("--user", 3)
    assert found(*user) == expected()
    later = int(events["timestamp"].max()) + 10**6
    assert found(*user, "--at", later) == expected(at=later)
    assert found(*user, "--at", later) != expected()
    assert found(*user, "--at", np.datetime64(later, "s")) == expected(at=later)
    items = ("--items", *events["item"], "--times", *events["timestamp"])
    assert found(*items, "--at", later) == expected(at=later)

    for options, message in (
        (["--items", "film 1"], "--times must have 1 time, one for each item"),
        (["--items", "film 1", "--times", "1", "2"], "--times 1 2 must have 1 time"),
        (["--items", "film 1", "--times", "soon"], "--times soon must be a time"),
        ([*user, "--at", "0"], "--at 0 is before the last event"),
    ):
        code, _, error = stackrec("recommend", folder, *options)
        assert code == 2 and message in error, error


def test_a_model_that_does_not_read_times_refuses_them(finished_run, stackrec):
    for option in (("--at", 5), ("--times", 5)):
        code, _, error = stackrec(
            "recommend", finished_run, "--items", "film 1", *option
        )
        assert code == 2 and f"{option[0]} 5" in error, error
        assert "this model does not read. Leave it out." in error


def test_sse_pt_drops_units_unless_told_not_to(
    stackrec, train_arguments, log_path, tmp_path
):
    for options, rate in (("", 0.2), ("--dropout 0", 0.0)):
        folder = tmp_path / f"run{rate}"
        options += " --model ssept --epochs 1 --schedule none"
        assert stackrec(*train_arguments(log_path, folder, options))[0] == 0
        model = keras.saving.load_model(folder / "model.keras")
        assert model.get_config()["dropout"] == rate


def test_sse_pt_knows_its_users_again(
    stackrec, train_arguments, log_path, write_log, tmp_path
):
    folder = tmp_path / "run"
    options = "--model ssept --epochs 1 --schedule none"
    assert stackrec(*train_arguments(log_path, folder, options))[0] == 0
    model = keras.saving.load_model(folder / "model.keras")
    # Users tell a lot, so that a wrong index would show.
    rng = np.random.default_rng(0)
    table = model.user_embedding.embeddings
    table.assign(rng.normal(size=table.shape).astype("float32"))
    model.save(folder / "model.keras")
    _, out, _ = stackrec("evaluate", folder, "--json")
    windows = _test_windows(log_path)
    of_test = windows.batches(8, evaluation=True, with_users=True)
    expected = model.evaluate(of_test, verbose=0, return_dict=True)
    found = json.loads(out)["results"]["SSEPT, 1 block"]
    assert found["mrr@10"] == pytest.approx(expected["mrr@10"], abs=1e-6)
    without = model.evaluate(*windows.evaluation_arrays(), verbose=0, return_dict=True)
    assert found["mrr@10"] != pytest.approx(without["mrr@10"], abs=1e-6)
    _, out, _ = stackrec("recommend", folder, "--user", 7, "--json", "--k", 3)
    found = json.loads(out)
    # In the log users are 1 to 40, in the model 0 to 39, ordered as texts or numbers.
    _, scores = model.recommend({"items": [found["history"]], "users": [6]}, k=3)
    expected = [entry["score"] for entry in found["recommendations"]]
    np.testing.assert_allclose(scores[0], expected, atol=1e-5)


def _test_windows(log_path):
    log = sr.data.read_interactions(log_path)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    return sr.data.split_random(sr.data.make_windows(log, vocabulary, 8)).test


def test_sse_pt_needs_users(stackrec, train_arguments, tmp_path):
    code, _, error = stackrec(
        *train_arguments("rows.csv", tmp_path, "--model ssept --sequences")
    )
    assert code == 2 and "--model ssept learns a vector for each user" in error
    code, _, error = stackrec(*train_arguments("log.csv", tmp_path, "--user-column"))
    assert code == 2 and "log.csv is a log. Name the log's column of user ids" in error


def test_sse_pt_takes_rows_that_begin_with_the_user(
    users_first, stackrec, train_arguments, tmp_path
):
    options = "--model ssept --sequences --user-column --epochs 1 --schedule none"
    folder = tmp_path / "run"
    assert stackrec(*train_arguments(users_first, folder, options))[0] == 0
    split = json.loads((folder / "split.json").read_text())
    assert (split["num_users"], split["num_items"]) == (40, 9)
    _, out, _ = stackrec("data", users_first, *options.split()[2:4], "--length", "8")
    assert split["hash"] in out
    _, out, _ = stackrec("recommend", folder, "--user", 103, "--json", "--k", 3)
    found = json.loads(out)
    # The third user, of two rows of six items.
    assert found["history"] == [3, 6, 9, 3, 6, 9, 7, 1, 4, 7, 1, 4]
    model = keras.saving.load_model(folder / "model.keras")
    x = {"items": [found["history"]], "users": [2]}
    _, scores = model.recommend(x, k=3)
    expected = [entry["score"] for entry in found["recommendations"]]
    np.testing.assert_allclose(scores[0], expected, atol=1e-5)
