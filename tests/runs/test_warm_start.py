import shutil

import keras
import numpy as np
import pytest
from refusals import refused

from stackrec_keras.experiments.arms import earlier_rows
from stackrec_keras.runs.folder import RunFolder

pytestmark = pytest.mark.usefixtures("eager_on_tensorflow")


def test_a_run_starts_from_the_weights_of_another(
    tmp_path, log_path, stackrec, train_arguments, finished_run
):
    # At this rate it also ends with them.
    more = "--num-blocks 4 --schedule none --epochs 1 --learning-rate 1e-12 --seed 5"
    command = train_arguments(log_path, tmp_path, f"{more} --load-model {finished_run}")
    code, _, err = stackrec(*command)
    assert code == 0, err
    ours, theirs = (
        keras.saving.load_model(folder / "model.keras")
        for folder in (tmp_path, finished_run)
    )
    for weight, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)
    assert ours.optimizer.iterations == 7  # of this run alone


@pytest.mark.parametrize(
    "more, message",
    [
        ("--num-blocks 2", "has 4 blocks, but the run is to start with 2"),
        ("--num-blocks 4 --dilations 1", "--dilations 1 does not fit the model in"),
        ("--num-blocks 4 --split-seed 1", "was trained on the split"),
    ],
)
def test_a_model_of_other_options_or_other_rows_is_refused(
    tmp_path, log_path, stackrec, train_arguments, finished_run, more, message
):
    more = f"{more} --schedule none --load-model {finished_run}"
    code, _, err = stackrec(*train_arguments(log_path, tmp_path / "run", more))
    assert code == 2 and message in err
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_finished_run_is_refused(
    tmp_path, log_path, stackrec, train_arguments
):
    more = f"--load-model {tmp_path / 'nothing'}"
    code, _, err = stackrec(*train_arguments(log_path, tmp_path / "run", more))
    assert code == 2 and "is not the folder of a finished run" in err


def test_an_interrupted_run_continues_without_the_model_that_it_started_from(
    tmp_path, log_path, stackrec, train_arguments, finished_run
):
    old, out = tmp_path / "old", tmp_path / "run"
    shutil.copytree(finished_run, old)
    more = f"--num-blocks 4 --schedule none --epochs 1 --load-model {old}"

    def stop(*args):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "write_model", stop)  # its backup is all there is
        assert stackrec(*train_arguments(log_path, out, more))[0] == 130
    shutil.rmtree(old)
    code, _, err = stackrec("train", "--out", out, "--resume")
    assert code == 0, err
    # Starting over, or adding up the seconds of both, takes the model.
    code, _, err = stackrec(*train_arguments(log_path, out, f"{more} --overwrite"))
    assert code == 2 and "is not the folder of a finished run" in err
    with refused("load_model", says="is gone, but the table needs the seconds"):
        earlier_rows(RunFolder(out).read_config())
