import csv
import json

import keras
import keras_tuner
import pytest

pytestmark = pytest.mark.usefixtures("eager_on_tensorflow")

SPACE = "--start-blocks 1 --growths 1 --method stackC --width 4 --batch-size 8"


@pytest.fixture
def tune(stackrec, log_path, tmp_path):
    """Function that runs `stackrec tune` into tmp_path and returns (code, out, err)."""

    def run(more):
        arguments = f"tune --data {log_path} --out {tmp_path / 'run'} --length 8 {more}"
        return stackrec(*arguments.split())

    return run


def read_trials(tmp_path):
    with open(tmp_path / "run" / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_a_search_that_was_cut_off_goes_on_and_ends_as_a_run_of_its_best_trial(
    tune, stackrec, tmp_path
):
    run = tmp_path / "run"
    options = f"--epochs 2 --tuner grid --learning-rate 0.03,0.01 {SPACE} --growths 0,1"
    fixed = (
        " --stage-ratio 1 --first-data-share 0.5 --inherit all --optimizer-state carry"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_tuner.Tuner, "on_trial_begin", _stop_at("1"))
        assert tune(options + fixed)[0] == 130
    assert [row["status"] for row in read_trials(tmp_path)] == ["COMPLETED", "RUNNING"]
    first = read_trials(tmp_path)[0]

    code, _, err = stackrec("tune", "--out", run, "--resume", "--epochs", 3)
    assert code == 2 and "was started with other options" in err

    code, out, err = stackrec("tune", "--out", run, "--resume")
    assert (code, err) == (0, "")
    rows = read_trials(tmp_path)
    assert rows[0].items() >= first.items()
    found = {(row["learning_rate"], row["growths"]) for row in rows}
    assert found == {(rate, n) for rate in ("0.03", "0.01") for n in ("0", "1")}

    best = max(rows, key=lambda row: float(row["score"]))
    config = json.loads((run / "config.json").read_text())
    assert config["learning_rate"] == float(best["learning_rate"])
    grew = best["growths"] == "1"
    assert config["schedule"] == ("1:2" if grew else "none")
    assert config["data_shares"] == ("0:0.5,1:1.0" if grew else None)
    assert (config["num_blocks"], config["embedding_dim"]) == (1, 4)
    # As the trial was: all epochs, and the weights of the best one.
    assert (config["patience"], config["max_seconds"]) == (2, None)
    model = keras.saving.load_model(run / "model.keras")
    assert model.num_blocks == int(best["num_blocks"])
    for picture in ("quality_vs_time.png", "learning_curve.png"):
        assert (run / picture).stat().st_size > 1000

    # It is a run folder like any other, and finished.
    code, table, _ = stackrec("evaluate", run)
    assert code == 0 and table.strip() in out
    code, out, _ = stackrec("tune", "--out", run, "--resume")
    assert code == 0 and "already finished" in out and table.strip() in out


def test_the_time_to_a_quality_is_an_objective(tune, tmp_path):
    options = "--objective time --target 1e-6 --time-budget 100 --trials 1 --epochs 2"
    assert tune(f"{options} {SPACE} --model sasrec --dropout 0.1,0.2")[0] == 0
    (row,) = read_trials(tmp_path)
    assert row["score"] == row["seconds_to_quality"] == row["training_seconds"]
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["model"], config["max_seconds"]) == ("sasrec", 100.0)
    assert config["dropout"] == float(row["dropout"])


@pytest.mark.parametrize(
    "options, message",
    [
        (
            "--tuner hyperband --trials 3",
            "--trials 3 is not an option of",
        ),
        ("--trials 0", "--trials 0 must be an integer of at least 1"),
        ("--objective time --time-budget 9", "--objective time needs a target"),
        ("--objective both", "--objective both needs a time budget"),
        ("--target 0.1", "--objective quality takes no target"),
        ("--method stackC,stackX", "stackX"),
        (
            "--learning-rate 0.1:0.01",
            "--learning-rate 0.1:0.01 must be a value",
        ),
        ("--growths 0,many", "growths"),
        ("--growths 3 --epochs 3", "4 stages"),
        ("--dropout 0.1", "dropout"),
        ("--num-heads 2", "--num-heads 2 is an option of sasrec, ssept, hstu"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    options, message, tune, tmp_path
):
    code, _, err = tune(options)
    assert code == 2
    assert message in err
    assert not (tmp_path / "run").exists()


def test_a_search_all_of_whose_trials_fail_says_why(tune, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("no luck")

    monkeypatch.setattr(keras.Model, "fit", fail)
    code, _, err = tune(f"--trials 4 --epochs 2 {SPACE}")
    assert code == 2
    assert "because its trials failed: ValueError: no luck" in err


def _stop_at(trial_id):
    def on_trial_begin(self, trial):
        if trial.trial_id.lstrip("0") == trial_id:
            raise KeyboardInterrupt

    return on_trial_begin
