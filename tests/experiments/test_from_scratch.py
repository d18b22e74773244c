import json
import signal
import subprocess
import sys

import numpy as np
import pytest

from stackrec_keras.cli import build_parser
from stackrec_keras.cli.scenario import asked_options
from stackrec_keras.experiments.from_scratch import FasterTraining
from stackrec_keras.runs.callbacks.history_file import read_rows

ARMS = ("stacked", "from-scratch", "shallow-as-long")
STAGES = "--stages 1,2 --shares 1,2 --epochs 3"

# Dies this many seconds after the beginning of an epoch, counted over all arms.
KILLED_RUN = """
import os, signal, sys, threading
from stackrec_keras.runs.callbacks.history_file import HistoryFile

begin, to_go, seconds = HistoryFile.on_epoch_begin, [int(sys.argv[1])], sys.argv[2]

def begin_and_die_soon(self, epoch, logs=None):
    begin(self, epoch, logs)
    if to_go[0] == 0:
        die = threading.Timer(float(seconds), os.kill, (os.getpid(), signal.SIGKILL))
        die.start()
    to_go[0] -= 1

HistoryFile.on_epoch_begin = begin_and_die_soon
from stackrec_keras.cli import main

main(sys.argv[3:])
"""


def read(path):
    return json.loads(path.read_text())


def arms(folder):
    """Name to figures, of the one seed."""
    return {arm["name"]: arm for arm in read(folder / "scenario.json")["arms"]}


def all_rows(folder):
    """The histories of the arms of the one seed, one after the other."""
    histories = [folder / "seed-0" / name / "history.csv" for name in ARMS]
    return [row for path in histories for row in read_rows(path)]


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
        rows = [line for line in table.splitlines() if f"| {arm['name']} " in line]
        cells = [cell.strip() for cell in rows[1].split("|")[2:-1]]
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


def test_a_scenario_killed_at_any_moment_ends_as_one_that_was_not(
    tmp_path, log_path, stackrec, scenario_arguments, ts_run
):
    whole = arms(ts_run)
    random = np.random.default_rng()
    epoch = random.integers(1, 6)  # of the three of each of the first two arms
    after = random.uniform(0, all_rows(ts_run)[epoch]["seconds"])
    when = f"killed {after} s after the begin of epoch {epoch}"
    command = scenario_arguments("ts", log_path, tmp_path / "killed", STAGES)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_RUN, str(epoch), str(after), *command],
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    kept = all_rows(tmp_path / "killed")
    assert len(kept) >= epoch, when
    # The last one may have come without its backup, if it is not the one before.
    kept = kept[: max(epoch, len(kept) - 1)]

    code, out, err = stackrec(*command)
    assert code == 0, (when, err)
    # With the seconds, which no second training would have had again.
    assert all_rows(tmp_path / "killed")[: len(kept)] == kept, when
    resumed = arms(tmp_path / "killed")
    for name in ("stacked", "from scratch"):
        for figure in ("val_mrr@5", "test", "num_blocks", "best_epoch"):
            assert resumed[name][figure] == pytest.approx(whole[name][figure]), when
    # How many epochs it has, the clock says.
    ours, theirs = (
        found["shallow, as long"]["val_mrr@5"] for found in (resumed, whole)
    )
    shared = min(len(ours), len(theirs))
    assert ours[:shared] == pytest.approx(theirs[:shared]), when


def test_a_finished_scenario_is_only_told_again(
    log_path, stackrec, scenario_arguments, ts_run
):
    model = ts_run / "seed-0" / "stacked" / "model.keras"
    before, table = model.stat().st_mtime_ns, (ts_run / "scenario.md").read_text()
    code, out, _ = stackrec(*scenario_arguments("ts", log_path, ts_run, STAGES))
    assert code == 0 and out.count("already finished") == 3 and "Epoch" not in out
    assert table in out
    assert model.stat().st_mtime_ns == before


def test_a_folder_of_other_options_or_other_data_is_refused(
    tmp_path, log_path, write_log, stackrec, scenario_arguments, ts_run
):
    more = f"{STAGES} --batch-size 4"
    code, _, err = stackrec(*scenario_arguments("ts", log_path, ts_run, more))
    assert code == 2
    assert "--batch-size 4 does not fit the run in" in err and "with 8" in err

    original = log_path.read_text()
    try:
        write_log(log_path, seed=1)
        code, _, err = stackrec(*scenario_arguments("ts", log_path, ts_run, STAGES))
    finally:
        log_path.write_text(original)
    assert code == 2 and "has changed" in err


def test_rows_that_begin_with_the_user_are_data_of_sse_pt(
    users_first, tmp_path, scenario_arguments
):
    more = f"{STAGES} --model ssept --sequences --user-column"
    arguments = scenario_arguments("ts", users_first, tmp_path / "out", more)
    args = build_parser().parse_args(arguments)
    scenario = FasterTraining(asked_options(args))
    scenario.read()
    assert (scenario.split.num_users, scenario.split.num_items) == (40, 9)
