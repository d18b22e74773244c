import json
from dataclasses import replace

import keras
import numpy as np
import pytest

import stackrec_keras as sr
from stackrec_keras.experiments.fine_tuning import FineTuning
from stackrec_keras.runs.folder import RunFolder

FITS = "--stages 1,2 --epochs 2 --target-epochs 1 --target-batch-size 64"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of source rows and of source and target rows, 30 users of both."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("transfer")
    source = [(3 * start + np.arange(7)) % 13 + 1 for start in range(30)]
    target = [100 + rng.choice(110, 12, replace=False) for _ in source]
    texts = [[",".join(map(str, row)) for row in rows] for rows in (source, target)]
    paths = folder / "source.csv", folder / "pairs.csv"
    paths[0].write_text("\n".join(texts[0]))
    paths[1].write_text("\n".join(f"{s},,{t}" for s, t in zip(*texts, strict=True)))
    return paths


def read(path):
    return json.loads(path.read_text())


def test_nets_are_pre_trained_and_fine_tuned_and_one_is_not_pre_trained(
    tmp_path, files, stackrec, scenario_arguments
):
    more = f"{FITS} --source {files[0]}"
    code, out, err = stackrec(*scenario_arguments("tf", files[1], tmp_path, more))
    assert code == 0, err
    arms = {arm["name"]: arm for arm in read(tmp_path / "scenario.json")["arms"]}
    stages = {
        name: [(stage["task"], stage["num_blocks"]) for stage in arm["stages"]]
        for name, arm in arms.items()
    }
    assert stages == {
        "stacked": [("source", 1), ("source", 2), ("target", 2)],
        "from scratch": [("source", 2), ("target", 2)],
        "shallow, as long": [("source", 1), ("target", 1)],
        "no pre-training": [("target", 2)],
    }
    run = tmp_path / "seed-0" / "stacked"
    tuned = keras.saving.load_model(run / "target" / "model.keras")
    assert type(tuned).__name__ == "TransferRecommender"
    results = read(run / "target" / "metrics.json")["results"]
    assert set(results["popularity"]) == set(arms["stacked"]["test"])
    table = (tmp_path / "scenario.md").read_text()
    assert "sampled HR@5" in table and "+ target 2: " in table
    code, _, err = stackrec("evaluate", run / "target")
    assert code == 2 and "belongs to `stackrec scenario tf`" in err
    code, out, err = stackrec(*scenario_arguments("tf", files[1], tmp_path, more))
    assert code == 0 and out.count("already finished") == 7, err


def test_fine_tuning_begins_with_what_was_learned_on_the_source(files, finished_run):
    run = RunFolder(finished_run)
    config = replace(run.read_config(), loss="binary_cross_entropy")
    split = sr.data.read_transfer(files[1]).split()
    model = FineTuning(None, run).model(split, config)
    for weight, expected in zip(
        model.source.get_weights(), run.read_model().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, expected)
    assert model.target_regularizer.l2 == pytest.approx(0.01)
    counts = np.bincount(split.train.targets, minlength=split.num_targets + 1)
    assert list(model.target_vocabulary.counts) == list(counts[1:])


def test_a_target_catalogue_too_small_for_the_sampled_ranks_is_refused(
    tmp_path, files, stackrec, scenario_arguments
):
    small = tmp_path / "small.csv"
    small.write_text("\n".join(["1,2,3,4,,100,101", "2,3,4,5,,102,103"] * 5))
    more = f"{FITS} --source {files[0]}"
    code, _, err = stackrec(*scenario_arguments("tf", small, tmp_path / "out", more))
    assert code == 2 and "has 4 target items, but needs at least 100" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "more, message",
    [
        ("--target-epochs 0", "--target-epochs 0 must be an integer of at least 1"),
        ("--model ssept", "the source file has no user ids"),
    ],
)
def test_options_of_fine_tuning_are_checked(
    tmp_path, files, stackrec, scenario_arguments, more, message
):
    more = f"{FITS} --source {files[0]} {more}"
    code, _, err = stackrec(*scenario_arguments("tf", files[1], tmp_path / "o", more))
    assert code == 2 and message in err
