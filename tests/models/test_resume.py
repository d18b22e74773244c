import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from models import resume_run


@pytest.mark.parametrize(
    "case, kill_at, depth_then",
    [
        ("stackC", 2, 4),  # after a growth step that is in the backup, before another
        # right after a growth step that is not in the backup yet
        pytest.param("stackR", 2, 4, marks=pytest.mark.every_backend),
        ("plateau", 4, None),
        ("look_ahead", 3, 4),  # before the second half of a trial, and in it
        ("look_ahead", 4, 4),
        ("GRec", 2, 4),
        ("SSEPT", 3, 4),
        ("transfer", 2, 4),  # grown and frozen; the optimizer knows only the table
    ],
)
def test_a_killed_run_that_goes_on_ends_as_one_that_was_not(
    tmp_path, case, kill_at, depth_then
):
    folder = str(tmp_path / "backup")
    if case == "stackR":  # a process for each case would take long to start
        _kill(folder, case, kill_at)
    else:
        with pytest.raises(resume_run.Stopped):
            resume_run.run(folder, case, kill_at, resume_run.stop)
    assert depth_then in (None, int(np.load(folder + ".depth.npy")))
    assert Path(folder).exists()

    resumed = resume_run.run(folder, case)
    whole = resume_run.run(None, case)
    assert resumed.history.epoch[0] == kill_at
    assert resumed.num_blocks == whole.num_blocks
    assert (
        resumed.history.history["num_blocks"]
        == (whole.history.history["num_blocks"][kill_at:])
    )
    pairs = zip(
        resumed.weights + resumed.optimizer.variables,
        whole.weights + whole.optimizer.variables,
        strict=True,
    )
    for ours, theirs in pairs:
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours),
            keras.ops.convert_to_numpy(theirs),
            atol=1e-6,
            err_msg=ours.path,
        )


def _kill(folder, case, kill_at):
    """Kills a process that runs it."""
    killed = subprocess.run(
        [sys.executable, resume_run.__file__, folder, case, str(kill_at)],
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
