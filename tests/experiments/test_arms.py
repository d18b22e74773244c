from dataclasses import replace

import keras
import pytest
from refusals import refused

from stackrec_keras.experiments.arms import Arms, Stage
from stackrec_keras.experiments.stages import Stages
from stackrec_keras.runs.callbacks.history_file import read_rows
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.split_recipe import make_split
from stackrec_keras.runs.training import train_split


def test_the_seconds_of_a_loaded_model_count_as_the_first_stage(
    tmp_path, finished_run, log_path
):
    run = RunFolder(finished_run)
    config = replace(run.read_config(), load_model=str(finished_run))
    stages = Stages((4, 5), (1, 1), 2)
    arms = Arms(tmp_path, make_split(config), seed=0)
    stacked = arms.train("stacked", stages.of(config))
    before = read_rows(run.history)
    assert stacked.rows[: len(before)] == before
    assert [row["num_blocks"] for row in stacked.rows[len(before) :]] == [5]
    assert stacked.clock[3] == round(sum(row["seconds"] for row in before), 3)
    assert stacked.stages[-1] == Stage(5, 1.0, 1, stacked.rows[-1]["seconds"])
    assert (stacked.best_epoch, stacked.num_blocks) == (len(before), 5)


def test_a_start_that_failed_does_not_lock_the_folder(tmp_path, finished_run):
    bad = replace(RunFolder(finished_run).read_config(), epochs=3)
    arms = Arms(tmp_path, make_split(bad), seed=0)

    def fail(*args, **kwargs):
        raise ValueError("no such luck")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", fail)
        with pytest.raises(ValueError, match="no such luck"):
            arms.run("stacked", bad, arms.split, train_split)
    trained = []

    def train(split, config, folder, resume):
        assert resume
        trained.append(config.batch_size)

    good = replace(bad, batch_size=4)
    folder = arms.run("stacked", good, arms.split, train)
    assert trained == [4]
    # With an epoch behind it, it would be another run.
    folder.history.write_text("epoch\n0\n")
    with refused("batch_size", received=4, says="does not fit the run"):
        arms.run("stacked", good, arms.split, train)
