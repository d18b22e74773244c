"""`stackrec grow`."""

import json
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

import stackrec_keras as sr
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.growing import set_learning_rate

pytestmark = pytest.mark.usefixtures("eager_on_tensorflow")

MORE = "--epochs 2 --batch-size 8"


@pytest.fixture(scope="module")
def newer_log(log_path, tmp_path_factory):
    """The log of the finished run, ten steps later: with two new items in them, and
    two new users."""
    old = pd.read_csv(log_path)
    rng = np.random.default_rng(1)
    steps = range(17, 27)
    users = [*range(1, 41), 90, 91]
    new = pd.DataFrame(
        [(u, rng.integers(16), 1_600_000_000 + 3600 * s) for s in steps for u in users],
        columns=["user", "item", "timestamp"],
    )
    new["item"] = "film " + new["item"].astype(str)
    path = tmp_path_factory.mktemp("data") / "newer.csv"
    pd.concat([old, new]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def grown_run(finished_run, newer_log, tmp_path_factory):
    """The folder of a run that grew out of `finished_run`. Tests must not change it."""
    folder = tmp_path_factory.mktemp("runs") / "today"
    assert sr.cli.main(grow_arguments(finished_run, newer_log, folder)) == 0
    return RunFolder(folder)


def grow_arguments(old, data, out, more=MORE):
    return ["grow", str(old), "--data", str(data), "--out", str(out), *more.split()]


def test_the_learning_rate_may_fall_at_the_end_of_a_grown_run(
    finished_run, newer_log, tmp_path
):
    more = f"{MORE} --decay 0.5 --learning-rate 0.01"
    arguments = grow_arguments(finished_run, newer_log, tmp_path / "today", more)
    assert sr.cli.main(arguments) == 0
    optimizer = RunFolder(tmp_path / "today").read_model().optimizer
    assert optimizer._learning_rate.schedule.learning_rate == 0.01
    assert float(keras.ops.convert_to_numpy(optimizer.learning_rate)) == 0
    # A number cannot take a schedule's place.
    set_learning_rate(optimizer, sr.runs.TrainConfig(learning_rate=0.02))
    rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
    assert float(rate) == pytest.approx(0.02)


def test_yesterdays_model_grows_on_todays_log(finished_run, grown_run):
    old, new = RunFolder(finished_run).read_model(), grown_run.read_model()
    assert new.num_blocks == 2 * old.num_blocks == 8
    assert new.vocabulary.ids[:14].tolist() == old.vocabulary.ids.tolist()
    assert new.vocabulary.ids[14:].tolist() == ["film 14", "film 15"]
    assert set(grown_run.read("history_json")["num_blocks"]) == {8}
    # Trained on: not what the growth left.
    start = grown_run.read_model("start")
    assert start.num_blocks == 4 and start.num_items == new.num_items == 16
    assert int(keras.ops.convert_to_numpy(new.optimizer.iterations)) > int(
        keras.ops.convert_to_numpy(old.optimizer.iterations)
    )
    assert grown_run.curve.exists() and not grown_run.backup.exists()


@pytest.mark.parametrize("whole", [True, False])
def test_a_log_of_the_new_part_alone_is_remarked_upon(
    finished_run, newer_log, tmp_path, stackrec, monkeypatch, whole
):
    monkeypatch.setattr("stackrec_keras.runs.growing.train_on", lambda *_: None)
    log = pd.read_csv(newer_log)
    new = log[log["timestamp"] >= 1_600_000_000 + 3600 * 17]
    path = tmp_path / "log.csv"
    (log if whole else new).to_csv(path, index=False)
    code, out, _ = stackrec(*grow_arguments(finished_run, path, tmp_path / "run"))
    assert code == 0
    assert ("Give the whole log up to now" in out) != whole


def test_the_old_model_is_in_the_table_on_the_same_rows(finished_run, grown_run):
    found = grown_run.read("metrics")["results"]
    assert list(found) == [
        "before: NextItNet, 4 blocks",
        "NextItNet, 8 blocks",
        "popularity",
    ]
    log = sr.data.read_interactions(grown_run.read("config")["data"])
    split = sr.data.split_by_time(
        log,
        8,
        **grown_run.read("split")["arguments"],
        vocabulary=RunFolder(finished_run).read_model().vocabulary,
    )
    # Two steps are held out of the ten that are new.
    assert split.validation.end_time.min() == 1_600_000_000 + 3600 * 25
    assert split.test.end_time.min() == 1_600_000_000 + 3600 * 26
    counts = np.bincount(split.train.items.ravel(), minlength=17)[1:]
    assert grown_run.read_model().vocabulary.counts.tolist() == counts.tolist()
    before = grown_run.read_model("start").evaluate(
        *split.test.evaluation_arrays(), verbose=0, return_dict=True
    )
    ours = found["before: NextItNet, 4 blocks"]
    assert ours == pytest.approx({name: before[name] for name in ours}, abs=1e-5)


def test_a_grown_run_is_evaluated_and_recommends(grown_run, stackrec):
    code, out, _ = stackrec("evaluate", grown_run.path)
    assert code == 0
    assert out.split() == grown_run.table.read_text().split()
    code, out, _ = stackrec("recommend", grown_run.path, "--items", "film 15", "--json")
    assert code == 0
    assert len(json.loads(out)["recommendations"]) == 10


def test_the_card_of_a_grown_run_names_its_command_and_the_model_before(
    grown_run, tmp_path
):
    pytest.importorskip("huggingface_hub")
    card = (
        sr.runs.publish(grown_run.path, tmp_path / "films") / "README.md"
    ).read_text()
    assert "stackrec grow OLD_RUN --data newer.csv --epochs 2" in card
    assert "--num-blocks 8 --out runs/films" in card
    assert "before: NextItNet, 4 blocks" in card


def test_a_grown_run_that_was_stopped_goes_on_without_the_old_model(
    finished_run, newer_log, grown_run, tmp_path, stackrec, monkeypatch
):
    from stackrec_keras.runs.callbacks.history_file import HistoryFile

    write = HistoryFile.on_epoch_end

    def stop(self, epoch, logs=None):
        write(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(HistoryFile, "on_epoch_end", stop)
    out = tmp_path / "stopped"
    assert stackrec(*grow_arguments(finished_run, newer_log, out))[0] == 130
    monkeypatch.undo()
    error = stackrec("train", "--out", out, "--resume")
    assert error[0] == 2 and "stackrec grow OLD" in error[2]
    gone = str(tmp_path / "gone")
    code, _, error = stackrec("grow", gone, "--out", out, "--resume", "--num-blocks", 9)
    assert code == 2 and "--num-blocks 9 does not fit the run" in error
    assert stackrec("grow", gone, "--out", out, "--resume")[0] == 0
    resumed, whole = RunFolder(out).read_model(), grown_run.read_model()
    for ours, theirs in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    code, printed, _ = stackrec("grow", gone, "--out", out, "--resume")
    assert code == 0 and "already finished" in printed


def test_a_file_without_new_items_is_trained_on_without_growth(
    log_path, tmp_path, stackrec
):
    log = sr.data.read_interactions(log_path)
    windows = sr.data.make_windows(log, sr.data.Vocabulary.from_items(log["item"]), 8)
    model = sr.SASRec(14, 7, embedding_dim=4, num_blocks=1)
    model.vocabulary = windows.vocabulary
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(windows.batches(64), verbose=0)
    model.save(tmp_path / "old.keras")
    arguments = grow_arguments(
        tmp_path / "old.keras", log_path, tmp_path / "new", f"{MORE} --num-blocks 1"
    )
    code, out, error = stackrec(*arguments)
    assert code == 0, error
    assert "0 new items" in out and "no growth" in out
    assert "does not record when its training data end" in out
    config = RunFolder(tmp_path / "new").read_config()
    assert (config.model, config.length, config.learning_rate) == ("sasrec", 8, 0.02)
    assert (config.embedding_dim, config.num_blocks, config.schedule) == (4, 1, "none")
    found = RunFolder(tmp_path / "new").read("split")["arguments"]
    assert found["test_start"] == 1_600_000_000 + 3600 * 15


def test_a_model_that_knows_users_gets_the_new_ones(
    log_path, newer_log, train_arguments, tmp_path, stackrec
):
    old, new = tmp_path / "old", tmp_path / "new"
    arguments = train_arguments(
        log_path, old, "--model ssept --epochs 1 --schedule none --embedding-dim 4"
    )
    assert stackrec(*arguments)[0] == 0
    code, out, error = stackrec(
        *grow_arguments(old, newer_log, new, f"{MORE} --epochs 1 --method append")
    )
    assert code == 2 and "append" in error
    code, out, error = stackrec(
        *grow_arguments(old, newer_log, new, "--epochs 1 --top-blocks 1")
    )
    assert code == 0, error
    assert "2 new items and 2 new users" in out
    folder = RunFolder(new)
    assert folder.read("users") == [*RunFolder(old).read("users"), 90, 91]
    assert folder.read_model().num_users == 42
    assert folder.read_model().num_blocks == 2
    assert stackrec("evaluate", new)[0] == 0
    code, _, error = stackrec(
        *grow_arguments(new / "model.keras", newer_log, tmp_path / "newest")
    )
    assert code == 2 and "does not say which users" in error


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda log: log.assign(item=log["item"].str[5:]), "cannot equal known ids"),
        (
            lambda log: log.assign(item=log["item"] + "!"),
            "has no item that the old",
        ),
        (lambda log: log[log["timestamp"] <= 1_600_000_000 + 3600 * 16], "no event"),
        (
            lambda log: log.assign(
                timestamp=log["timestamp"].clip(upper=1_600_000_000 + 3600 * 17)
            ),
            "newest events all at one time, 1600061200",
        ),
        (
            lambda log: log.assign(
                timestamp=pd.to_datetime(log["timestamp"], unit="s")
            ),
            "Give times of the same form",
        ),
    ],
)
def test_logs_that_do_not_fit_are_refused(
    finished_run, newer_log, tmp_path, stackrec, edit, message
):
    path = tmp_path / "log.csv"
    edit(pd.read_csv(newer_log)).to_csv(path, index=False)
    code, _, error = stackrec(*grow_arguments(finished_run, path, tmp_path / "new"))
    assert code == 2 and message in error
    assert not (tmp_path / "new").exists()


def test_options_that_do_not_fit_are_refused(
    finished_run, newer_log, tmp_path, stackrec
):
    for old, out, more, message in (
        (finished_run, finished_run, "--overwrite", "which is never overwritten"),
        (
            finished_run / "model.keras",
            finished_run,
            "--overwrite",
            "which is never overwritten",
        ),
        (
            finished_run,
            tmp_path / "new",
            "--num-blocks 2",
            "or the same number to train",
        ),
        (
            finished_run,
            tmp_path / "new",
            "--num-blocks 7 --top-blocks 2",
            "or stack the top 3",
        ),
        (tmp_path / "none.keras", tmp_path / "new", "", "does not exist"),
        (tmp_path / "none", tmp_path / "new", "", "is not a run folder"),
    ):
        code, _, error = stackrec(*grow_arguments(old, newer_log, out, more))
        assert code == 2 and message in error, error
    assert not (tmp_path / "new").exists()
    arguments = grow_arguments(newer_log, newer_log, finished_run, "--resume")
    code, _, error = stackrec(*arguments)
    assert code == 2 and "already holds a run" in error
    code, _, error = stackrec("grow", finished_run / "model.keras", "--out", "new")
    assert code == 2 and "--data is missing" in error


def test_a_file_that_says_too_little_is_refused(newer_log, tmp_path, stackrec):
    path = Path(tmp_path) / "old.keras"
    for model, message in (
        (sr.SASRec(14, 7, embedding_dim=4, num_blocks=1), "has no vocabulary"),
        (keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), "Sequential"),
    ):
        model.save(path)
        code, _, error = stackrec(*grow_arguments(path, newer_log, tmp_path / "new"))
        assert code == 2 and message in error
