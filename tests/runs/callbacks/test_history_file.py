import os

import pytest

from stackrec_keras.runs.callbacks.history_file import HistoryFile, read_rows


def test_a_resumed_run_that_is_killed_again_loses_no_row_of_its_history(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,seconds\n0,1.5\n1,2.5\n2,3.5\n")

    def stop(*args):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", stop)
        HistoryFile(path).on_epoch_begin(2)
    assert [row["epoch"] for row in read_rows(path)] == [0, 1, 2]
    HistoryFile(path).on_epoch_begin(2)
    assert read_rows(path) == [
        {"epoch": 0, "seconds": 1.5},
        {"epoch": 1, "seconds": 2.5},
    ]
    HistoryFile(path).on_epoch_begin(0)
    assert not path.exists()
