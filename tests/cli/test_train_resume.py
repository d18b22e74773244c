import contextlib
import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from stackrec_keras import plot
from stackrec_keras.runs.callbacks.backup import Backup
from stackrec_keras.runs.callbacks.best_epoch import BestEpoch
from stackrec_keras.runs.callbacks.history_file import HistoryFile
from stackrec_keras.runs.folder import RunFolder

# Dies after the history row of epoch 2 and before its backup.
KILLED_RUN = """
import os, signal, sys
from stackrec_keras.runs.callbacks.backup import Backup

save = Backup.on_epoch_end

def save_or_die(self, epoch, logs=None):
    if epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, epoch, logs)

Backup.on_epoch_end = save_or_die
from stackrec_keras.cli import main

main(sys.argv[1:])
"""


def history(folder):
    return json.loads((folder / "history.json").read_text())


def assert_same_run(resumed, whole):
    """The same epochs with the same numbers, and the same final weights."""
    ours, theirs = history(resumed), history(whole)
    assert list(ours) == list(theirs)
    for name in ours:
        if not name.endswith("seconds"):
            assert ours[name] == theirs[name], name
    model, expected = (
        keras.saving.load_model(folder / "model.keras") for folder in (resumed, whole)
    )
    for weight, other in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(weight), keras.ops.convert_to_numpy(other)
        )


@pytest.fixture
def val_mrr(monkeypatch):
    """Function that decides what val_mrr@5 will be in each epoch, and returns a dict
    that comes to hold the weights at each epoch's end."""
    write, weights = HistoryFile.on_epoch_end, {}

    def set_to(values):
        def rigged(self, epoch, logs=None):
            logs["val_mrr@5"] = values[epoch]
            weights[epoch] = self.model.get_weights()
            write(self, epoch, logs)

        monkeypatch.setattr(HistoryFile, "on_epoch_end", rigged)
        return weights

    return set_to


@contextlib.contextmanager
def interruption(epoch):
    """An interruption at the end of an epoch, before its backup."""
    save = Backup.on_epoch_end

    def save_or_stop(self, now, logs=None):
        if now == epoch:
            raise KeyboardInterrupt
        save(self, now, logs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backup, "on_epoch_end", save_or_stop)
        yield


def test_a_killed_run_goes_on_to_what_it_would_have_become(
    tmp_path, log_path, stackrec, train_arguments
):
    more = "--epochs 4 --schedule 1:2 --loss sampled_softmax"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert stackrec(*train_arguments(log_path, whole, more))[0] == 0
    done = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *train_arguments(log_path, killed, more)],
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert len((killed / "history.csv").read_text().splitlines()) == 1 + 3
    assert not (killed / "model.keras").exists()
    code, out, err = stackrec("train", "--out", killed, "--resume")
    assert (code, err) == (0, "")
    assert "Epoch 3/4" in out and "Epoch 2/4" not in out
    assert history(killed)["num_blocks"] == [1, 2, 2, 2]
    assert_same_run(killed, whole)
    assert not (killed / "backup").exists()


def test_early_stopping_remembers_its_best_epoch_over_a_restart(
    tmp_path, log_path, stackrec, val_mrr, train_arguments
):
    weights = val_mrr([0.2, 0.5, 0.4, 0.3, 0.5, 0.9])
    out = tmp_path / "run"
    more = "--epochs 6 --schedule 2:2,5:4 --patience 3"
    with interruption(epoch=2):
        code, _, err = stackrec(*train_arguments(log_path, out, more))
    hint = "To continue, run the same command with --resume"
    stopped = f"\nstackrec: stopped. {hint}\n"
    assert (code, err) == (130, stopped)
    best = weights[1]
    code, printed, _ = stackrec("train", "--out", out, "--resume")
    assert code == 0
    stopped = "Stopped after epoch 4: val_mrr@5 was best in epoch 1, with 1 block"
    assert stopped in printed
    assert "the model did not grow to 4 blocks at epoch 5" in printed
    assert history(out)["epoch"] == [0, 1, 2, 3, 4]
    assert history(out)["num_blocks"] == [1, 1, 2, 2, 2]
    # The best epoch came before the restart and before the growth.
    model = keras.saving.load_model(out / "model.keras")
    for weight, expected in zip(model.get_weights(), best, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_run_killed_after_its_stop_trains_no_epoch_more(
    tmp_path, log_path, stackrec, val_mrr, train_arguments
):
    weights = val_mrr([0.5, 0.4, 0.9])
    out = tmp_path / "run"
    more = "--epochs 3 --schedule none --patience 1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "write_model", _interrupt)
        assert stackrec(*train_arguments(log_path, out, more))[0] == 130
    assert stackrec("train", "--out", out, "--resume")[0] == 0
    assert history(out)["epoch"] == [0, 1]
    model = keras.saving.load_model(out / "model.keras")
    for weight, expected in zip(model.get_weights(), weights[0], strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_best_of_deepest_forgets_what_was_before_a_growth(tmp_path):
    history, weights = tmp_path / "history.csv", tmp_path / "best.weights.h5"
    history.write_text("epoch,num_blocks,val_mrr@5\n0,1,0.5\n1,2,0.2\n")
    saved = []
    model = SimpleNamespace(
        num_blocks=2, stop_training=False, save_weights=lambda path, **_: path.touch()
    )
    for deepest in (False, True):
        best = BestEpoch(9, weights, history, deepest=deepest)
        best.set_model(model)
        best.on_epoch_begin(2)
        best.on_epoch_end(2, {"val_mrr@5": 0.3})
        saved.append(weights.exists())
        model.num_blocks = 4  # 0.1 is the best there is at this depth
        best.on_epoch_end(3, {"val_mrr@5": 0.1})
        saved.append(best.best)
        model.num_blocks = 2
    assert saved == [False, 0.5, True, 0.1]


def test_a_run_cut_off_after_its_training_is_only_finished(
    tmp_path, log_path, stackrec, train_arguments
):
    out = tmp_path / "run"
    arguments = train_arguments(log_path, out, "--epochs 1 --schedule none --resume")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plot, "history", _interrupt)
        # --resume starts a run where there is none.
        assert stackrec(*arguments)[0] == 130
    code, printed, _ = stackrec(*arguments)
    assert code == 0
    assert "Epoch 1" not in printed
    assert (out / "metrics.json").exists()
    # And what is finished is left alone.
    written = (out / "metrics.json").stat().st_mtime_ns
    code, printed, _ = stackrec(*arguments)
    assert code == 0
    assert "already finished" in printed and "| popularity" in printed
    assert (out / "metrics.json").stat().st_mtime_ns == written


def test_a_run_stopped_in_its_first_epoch_may_start_with_other_options(
    tmp_path, log_path, stackrec, train_arguments
):
    out = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", _interrupt)
        more = "--epochs 3 --schedule none --seed 7"
        assert stackrec(*train_arguments(log_path, out, more))[0] == 130
    assert stackrec("train", "--out", out, "--resume", "--epochs", "1")[0] == 0
    config = json.loads((out / "config.json").read_text())
    assert (config["data"], config["epochs"]) == (str(log_path), 1)
    assert (config["schedule"], config["seed"]) == ("none", 7)


def test_resuming_with_another_option_or_other_data_is_an_error(
    tmp_path, log_path, stackrec, train_arguments
):
    data = tmp_path / "log.csv"
    data.write_text(log_path.read_text())
    out = tmp_path / "run"
    with interruption(epoch=0):
        stackrec(*train_arguments(data, out, "--epochs 2 --schedule none"))
    code, _, err = stackrec("train", "--out", out, "--resume", "--epochs", "3")
    assert code == 2
    assert "--epochs 3 does not fit the run" in err
    assert "started with 2" in err
    data.write_text(log_path.read_text().replace("film 1,", "film 2,", 1))
    code, _, err = stackrec("train", "--out", out, "--resume")
    assert code == 2
    assert "has changed" in err


def _interrupt(*args, **kwargs):
    raise KeyboardInterrupt
