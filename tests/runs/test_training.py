import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.runs.folder import RunFolder

pytestmark = pytest.mark.usefixtures("eager_on_tensorflow")


@pytest.fixture
def config(log_path):
    """That of `finished_run`."""
    return sr.runs.TrainConfig(
        data=str(log_path),
        length=8,
        embedding_dim=8,
        num_blocks=1,
        batch_size=8,
        learning_rate=0.03,
        epochs=4,
    )


def test_training_from_python_gives_what_the_command_gives(
    config, finished_run, tmp_path, capsys
):
    run = sr.runs.train(config, tmp_path / "run")
    assert "Run folder" not in capsys.readouterr().out
    by_command = sr.runs.read_run(finished_run)
    assert run.config == by_command.config == config
    assert run.results == by_command.results
    assert run.history["loss"] == by_command.history["loss"]
    ours, theirs = run.table.split("training")[0], by_command.table.split("training")[0]
    assert ours == theirs and str(run).startswith(ours)
    assert str(run).endswith(f"Run folder: {tmp_path / 'run'}")
    pairs = zip(run.model.get_weights(), by_command.model.get_weights(), strict=True)
    for weight, expected in pairs:
        np.testing.assert_array_equal(weight, expected)
    files = [sorted(p.name for p in f.iterdir()) for f in (run.folder, finished_run)]
    assert files[0] == files[1]


def test_a_run_without_a_folder_leaves_nothing_on_disk(config, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = sr.runs.train(sr.runs.TrainConfig(**{**vars(config), "epochs": 3}))
    assert run.folder is None and not list(tmp_path.iterdir())
    assert run.history["num_blocks"] == [1, 2, 4] and run.model.num_blocks == 4
    assert str(run) == run.table
    assert run.model.predict(np.array([[1, 2, 3]]), verbose=0).shape == (1, 15)


@pytest.mark.parametrize(
    "changes, arguments, argument, says",
    [
        ({}, {"resume": True}, "resume", "`out` is None"),
        ({"share_by": "time"}, {}, "share_by", "Give data shares"),
        (
            {"num_heads": 2},
            {},
            "num_heads",
            "an option of sasrec, ssept, hstu and esasrec only",
        ),
        ({"schedule": "0:x"}, {}, "schedule", "pairs of epoch and blocks"),
        ({"schedule": "9:x"}, {}, "schedule", "pairs of epoch and blocks"),
        ({"schedule": "9:8"}, {}, "schedule", "no growth step left"),
        ({"schedule": "2:8", "data_shares": "0"}, {}, "data_shares", "must be pairs"),
        ({"data_shares": "0:0.4"}, {}, "data_shares", "the schedule is 'doubling'"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_training(
    config, monkeypatch, changes, arguments, argument, says
):
    monkeypatch.setattr(keras.Model, "fit", None)
    config = sr.runs.TrainConfig(**{**vars(config), **changes})
    received = changes.get(argument, True)
    with refused(argument, received=received, says=says):
        sr.runs.train(config, **arguments)


def test_a_folder_with_a_run_is_kept_and_a_finished_run_is_read(config, finished_run):
    with refused("out", received=finished_run, says="already holds a run"):
        sr.runs.train(config, finished_run)
    again = sr.runs.train(config, finished_run, resume=True)
    assert (
        again.results
        == json.loads((finished_run / "metrics.json").read_text())["results"]
    )
    other = sr.runs.TrainConfig(**{**vars(config), "epochs": 5})
    with refused("epochs", received=5, says="does not fit the run.*started with 4"):
        sr.runs.train(other, finished_run, resume=True)


def test_a_model_grows_from_python_as_from_the_command_line(
    finished_run, write_log, tmp_path
):
    newer = write_log(tmp_path / "newer.csv", events=27)
    grown = sr.runs.grow(finished_run, data=newer, num_blocks=6, epochs=1)
    assert grown.folder is None and grown.model.num_blocks == 6
    assert list(grown.results)[0] == "before: NextItNet, 4 blocks"
    assert RunFolder(finished_run).read_model().num_blocks == 4
    with refused("num_heads", received=2, says="is not an option of grow"):
        sr.runs.grow(finished_run, data=newer, num_heads=2)


LOSS = {"loss": "gbce", "num_negatives": 0.5, "negatives_per": "position", "t": 0.5}


def test_a_recipe_says_how_items_are_scored_and_what_the_loss_draws(config, tmp_path):
    scoring = {"tied": True, "normalize": True, "temperature": 0.1}
    config = replace(config, epochs=3, **scoring, **LOSS)
    run = sr.runs.train(config, tmp_path)
    assert sr.runs.read_run(tmp_path).config == config
    for name, value in scoring.items():
        assert getattr(run.model, name) == value
    for name in ("num_negatives", "negatives_per", "t"):
        assert getattr(run.model.loss, name) == LOSS[name]


@pytest.mark.parametrize(
    "options, argument, says",
    [
        ({"num_negatives": 9}, "num_negatives", "the loss is full_softmax"),
        ({"loss": "sampled_softmax", "t": 0.5}, "t", "of gbce only"),
        ({**LOSS, "num_negatives": 0}, "num_negatives", "at least 1"),
        ({**LOSS, "t": 2}, "t", "from 0 to 1"),
        ({"model": "ssept", "tied": True}, "tied", "the model is ssept"),
    ],
)
def test_options_that_loss_or_model_lack_are_refused_before_data_are_read(
    config, options, argument, says
):
    with refused(argument, options[argument], says):
        sr.runs.train(replace(config, data="nowhere.csv", **options))
