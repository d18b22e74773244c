"""The study of growth, on a small log."""

import importlib.util
import json
from pathlib import Path

import keras
import numpy as np
import pytest

import stackrec_keras as sr

PATH = Path(__file__).parents[2] / "benchmarks" / "growth_study.py"


@pytest.fixture(scope="module")
def growth_study():
    spec = importlib.util.spec_from_file_location("growth_study", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_arms_become_rows_once_and_the_better_ones_are_trained_for_longer(
    growth_study, log_path, tmp_path, capsys
):
    results = tmp_path / "results" / "study.csv"
    run = ["--job", "tiny", "--data", str(log_path), "--results", str(results)]
    run += ["--arms", "scratch", "shallow", "stackC", "shrink", "--halving", "2", "4"]
    growth_study.main(run)
    rows = growth_study.rows_in(results)
    assert [(row["arm"], row["epochs"]) for row in rows[:6]] == [
        *[(arm, "2") for arm in ("scratch", "shallow", "stackC", "shrink")],
        *[(arm, "4") for arm in ("scratch", "shallow")],
    ]
    assert len(rows) == 7 and rows[6]["arm"] in ("stackC", "shrink")
    assert len(json.loads(rows[6]["curves"])["val_loss"]) == 4
    growth_study.main(run)
    assert growth_study.rows_in(results) == rows
    capsys.readouterr()
    growth_study.main([*run[:2], "--table", "--results", str(results)])
    shown = capsys.readouterr().out
    assert "| scratch | 0.001 | 1 |" in shown and "Growth bound: " in shown


def test_a_grown_model_is_shrunk_but_for_its_norms_and_gates(growth_study):
    model = sr.SASRec(20, 5, embedding_dim=8, num_blocks=2, norm="pre")
    model.grow("stackC", 4)
    before = {v.path: keras.ops.convert_to_numpy(v) for v in model.weights}
    arm = growth_study.Arm("stackC", at=0.5, shrink=0.5, noise=0.1, new_gates=0.1)
    callback = growth_study.AfterGrowth(arm, 3, seed=0)
    callback.set_model(model)
    callback.on_epoch_begin(2)
    for variable in model.weights:
        np.testing.assert_array_equal(variable, before[variable.path])
    callback.on_epoch_begin(3)
    for variable in model.weights:
        old, new = before[variable.path], keras.ops.convert_to_numpy(variable)
        if "gate" in variable.path:
            np.testing.assert_allclose(new, 0.1)
        elif "norm" in variable.path:
            np.testing.assert_array_equal(new, old)
        elif old.std() > 0:
            noise = (new - old / 2).std() / old.std()
            assert noise == pytest.approx(0.1, rel=0.5), variable.path
