"""The benchmark on MovieLens-1M, on a small log."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

import stackrec_keras as sr

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ml1m():
    path = ROOT / "benchmarks" / "ml1m.py"
    spec = importlib.util.spec_from_file_location("ml1m", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_becomes_a_row_once_and_the_table_shows_it(
    ml1m, log_path, tmp_path, capsys
):
    results = tmp_path / "results" / "ml1m.csv"
    run = ["--data", str(log_path), "--epochs", "2", "--runs", str(tmp_path / "runs")]
    run += ["--results", str(results), "--arms", "sasrec"]
    ml1m.main(run)
    (row,) = ml1m.rows_in(results)
    assert row["arm"] == "sasrec" and row["epochs"] == "2" and row["blocks"] == "2"
    assert 0 < float(row["val_ndcg@10"]) <= 1 and 0 <= float(row["test_ndcg@10"]) <= 1
    capsys.readouterr()
    ml1m.main(run)
    assert "already there" in capsys.readouterr().out
    ml1m.main([*run, "--seeds", "1"])
    assert [row["seed"] for row in ml1m.rows_in(results)] == ["0", "1"]
    ml1m.main(["--picture", str(tmp_path / "depth.svg"), *run[4:]])
    assert "2 blocks" in (tmp_path / "depth.svg").read_text()
    capsys.readouterr()
    ml1m.main(["--bound", *2 * [str(next((tmp_path / "runs").iterdir()))]])
    assert capsys.readouterr().out == "1.000 by val_loss, 1.000 by val_ndcg@10\n"
    results.unlink()  # the folder of a finished run gives its row again
    ml1m.main(run)
    (again,) = ml1m.rows_in(results)
    assert {**again, "date": ""} == {**row, "date": ""}
    capsys.readouterr()
    ml1m.main(["--table", "--results", str(results)])
    shown = capsys.readouterr().out.splitlines()[-1]
    assert shown.startswith("| sasrec | 2 | 14 | 0.002, decay 0.3, 2 epochs | 1 |")
    assert ".3152 / .1821 (Klenitskiy and Vasilev)" in shown


def test_the_table_takes_the_best_rate_on_validation(ml1m):
    rows = [
        {
            **dict(arm="sasrec", items="3416", seed=str(seed), learning_rate=rate),
            **{"val_ndcg@10": val, "test_ndcg@10": test, "test_hit_rate@10": "0.3"},
            **dict(best_epoch="4", seconds="60", warmup="0.0", max_epochs="9"),
            "group_by_length": "False",
            "blocks": "2",
            "decay": "0.2" if rate == "0.01" else "0.0",
        }
        for rate, val, test in (("0.001", "0.2", "0.1"), ("0.01", "0.1", "0.3"))
        for seed in (0, 1)
    ]
    row = ml1m.table(rows).splitlines()[-1]
    assert row.startswith(
        "| sasrec | 2 | 3,416 | 0.001 | 2 | 4 | 60 | .3000 ± .0000 | .1"
    )
    row = ml1m.table(rows[2:]).splitlines()[-1]
    assert row.startswith("| sasrec | 2 | 3,416 | 0.01, decay 0.2, 9 epochs | 2 |")


def test_ties_that_decide_the_last_item_are_counted(ml1m):
    events = [("a", "x", 1), ("a", "z", 2), ("a", "y", 2), ("b", "x", 1), ("b", "y", 2)]
    log = sr.data.read_interactions(pd.DataFrame(events), *(0, 1, 2))
    found = ml1m.ties(log)
    assert "1 of 2 last items have the same time as the item before" in found
    assert "1 (50.0%) of the last items would be different" in found


def test_the_bound_takes_the_epochs_before_growing_at_their_median_time(ml1m):
    history = {
        "epoch": [0, 1, 2, 3],
        "num_blocks": [2, 2, 2, 8],
        "seconds": [9.0, 4.0, 5.0, 50.0],
        "val_loss": [3.0, 2.0, 1.5, 1.0],
    }
    curve = ml1m.first_stage(history)
    assert curve["seconds"].tolist() == [5.0, 10.0, 15.0]
    assert sr.stacking.growth_bound(curve, curve) == 1


def test_each_arm_is_a_configuration(ml1m):
    arguments = ml1m.parsed(["--list"])
    for arm in ml1m.ARMS.values():
        (config,) = ml1m.configs(arm, arguments)
        assert config.split == "leave-one-out"
