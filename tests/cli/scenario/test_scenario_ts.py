import json
import signal
import subprocess
import sys

import pytest

ARMS = ("stacked", "from-scratch", "shallow-as-long")
STAGES = "--stages 1,2 --shares 1,2 --epochs 3"

# Dies in the second arm, after the history row of epoch 1 and before its backup.
KILLED_RUN = """
import os, signal, sys
import keras

save = keras.callbacks.BackupAndRestore.on_epoch_end

def save_or_die(self, epoch, logs=None):
    if epoch == 1 and "from-scratch" in self.backup_dir:
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, epoch, logs)

keras.callbacks.BackupAndRestore.on_epoch_end = save_or_die
from stackrec_keras.cli import main

main(sys.argv[1:])
"""


def read(path):
    return json.loads(path.read_text())


def arms(folder):
    """Name to figures, of the one seed."""
    return {arm["name"]: arm for arm in read(folder / "scenario.json")["arms"]}


def test_the_stacked_net_grows_and_the_others_have_one_depth(ts_run):
    depths = {
        name: read(ts_run / "seed-0" / name / "history.json")["num_blocks"]
        for name in ARMS
    }
    assert depths["stacked"] == [1, 2, 2]
    assert depths["from-scratch"] == [2, 2, 2]
    assert set(depths["shallow-as-long"]) == {1}


def test_the_shallow_net_trains_for_as_long_as_the_stacked_one_took(ts_run):
    stacked, shallow = (
        read(ts_run / "seed-0" / name / "history.json")["seconds"]
        for name in ("stacked", "shallow-as-long")
    )
    assert sum(shallow[:-1]) < sum(stacked) <= sum(shallow) + 0.01


def test_the_table_has_the_test_rows_of_each_run_folder_and_popularity(ts_run):
    table = (ts_run / "scenario.md").read_text()
    for folder, arm in zip(ARMS, arms(ts_run).values(), strict=True):
        metrics = read(ts_run / "seed-0" / folder / "metrics.json")["results"]
        of_net = next(iter(metrics.values()))
        assert arm["test"] == of_net
        row = next(line for line in table.splitlines() if f"| {arm['name']} " in line)
        cells = [cell.strip() for cell in row.split("|")[7:-1]]
        assert cells == [f"{value:.4f}" for value in of_net.values()]
        assert f"{metrics['popularity']['mrr@5']:.4f}" in table
    assert read(ts_run / "scenario.json")["popularity"] == metrics["popularity"]


def test_each_net_ends_with_the_weights_of_the_best_epoch_of_its_last_depth(ts_run):
    for folder, arm in zip(ARMS, arms(ts_run).values(), strict=True):
        history = read(ts_run / "seed-0" / folder / "history.json")
        first = 1 if folder == "stacked" else 0  # epoch of the last depth
        values = history["val_mrr@5"][first:]
        assert arm["best_epoch"] == first + values.index(max(values))
        results = read(ts_run / "seed-0" / folder / "metrics.json")["results"]
        depth = history["num_blocks"][-1]
        assert f"NextItNet, {depth} block" in next(iter(results))


def test_a_killed_scenario_goes_on_and_runs_nothing_twice(
    tmp_path, log_path, stackrec, scenario_arguments, ts_run
):
    command = scenario_arguments("ts", log_path, tmp_path / "killed", STAGES)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, *command], capture_output=True, timeout=300
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    killed = tmp_path / "killed" / "seed-0" / "from-scratch"
    first_epoch = (killed / "history.csv").read_text().splitlines()[1]
    code, out, err = stackrec(*command)
    assert code == 0, err
    assert "stacked, seed 0: finished already" in out
    assert "Epoch 2/3" in out and "Epoch 1/3" not in out
    # The seconds before the kill are still counted.
    assert (killed / "history.csv").read_text().splitlines()[1] == first_epoch
    resumed, whole = arms(tmp_path / "killed"), arms(ts_run)
    for name in ("stacked", "from scratch"):
        assert resumed[name]["val_mrr@5"] == pytest.approx(whole[name]["val_mrr@5"])
        assert resumed[name]["test"] == pytest.approx(whole[name]["test"])


def test_a_finished_scenario_is_only_told_again(
    log_path, stackrec, scenario_arguments, ts_run
):
    model = ts_run / "seed-0" / "stacked" / "model.keras"
    before, table = model.stat().st_mtime_ns, (ts_run / "scenario.md").read_text()
    code, out, _ = stackrec(*scenario_arguments("ts", log_path, ts_run, STAGES))
    assert code == 0 and out.count("finished already") == 3 and "Epoch" not in out
    assert table in out
    assert model.stat().st_mtime_ns == before


def test_a_folder_of_other_options_or_other_data_is_refused(
    tmp_path, log_path, write_log, stackrec, scenario_arguments, ts_run
):
    more = f"{STAGES} --batch-size 8"
    code, _, err = stackrec(*scenario_arguments("ts", log_path, ts_run, more))
    assert code == 2
    assert "--batch-size 8 does not fit the run in" in err and "with 16" in err

    original = log_path.read_text()
    try:
        write_log(log_path, seed=1)
        code, _, err = stackrec(*scenario_arguments("ts", log_path, ts_run, STAGES))
    finally:
        log_path.write_text(original)
    assert code == 2 and "has changed" in err
