import json
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.cli.conftest import train_arguments

# Dies after the history row of epoch 2 and before its backup.
KILLED_RUN = """
import os, signal, sys
import keras

save = keras.callbacks.BackupAndRestore.on_epoch_end

def save_or_die(self, epoch, logs=None):
    if epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, epoch, logs)

keras.callbacks.BackupAndRestore.on_epoch_end = save_or_die
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
def interrupted(monkeypatch):
    """Makes the backup of that epoch an interruption, once."""

    def at(epoch):
        save = keras.callbacks.BackupAndRestore.on_epoch_end

        def interrupt(self, now, logs=None):
            if now == epoch:
                monkeypatch.undo()
                raise KeyboardInterrupt
            save(self, now, logs)

        monkeypatch.setattr(
            keras.callbacks.BackupAndRestore, "on_epoch_end", interrupt
        )

    return at


def test_a_killed_run_goes_on_to_what_it_would_have_become(
    tmp_path, log_path, stackrec
):
    more = "--epochs 4 --loss sampled_softmax"
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert stackrec(*train_arguments(log_path, whole, more))[0] == 0
    done = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *train_arguments(log_path, killed, more)],
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert len((killed / "history.csv").read_text().splitlines()) == 1 + 3
    assert not (killed / "model.keras").exists()
    code, out, err = stackrec("train", "--out", killed, "--resume")
    assert (code, err) == (0, "")
    assert "Epoch 3/4" in out and "Epoch 2/4" not in out
    assert history(killed)["num_blocks"] == [1, 2, 4, 4]
    assert_same_run(killed, whole)
    assert not (killed / "backup").exists()


def test_early_stopping_remembers_its_best_epoch_over_a_restart(
    tmp_path, log_path, stackrec, interrupted, monkeypatch
):
    from stackrec_keras.cli import best_epoch

    # Best in epoch 1, before the restart; stops after epoch 4.
    values = {0: 0.2, 1: 0.5, 2: 0.4, 3: 0.3, 4: 0.5, 5: 0.9}
    evaluated = best_epoch.BestEpoch.on_epoch_end

    def rigged(self, epoch, logs=None):
        evaluated(self, epoch, {"val_mrr@5": values[epoch]})

    monkeypatch.setattr(best_epoch.BestEpoch, "on_epoch_end", rigged)
    monkeypatch.setattr(best_epoch, "rows_before", lambda epoch, path: [
        {"val_mrr@5": values[e]} for e in range(epoch)
    ])
    more = "--epochs 6 --schedule 2:2 --patience 3"
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert stackrec(*train_arguments(log_path, whole, more))[0] == 0
    assert history(whole)["epoch"] == [0, 1, 2, 3, 4]
    model = keras.saving.load_model(whole / "model.keras")
    assert model.num_blocks == 1  # epoch 1 came before the growth
