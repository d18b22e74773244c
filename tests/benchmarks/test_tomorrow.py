"""The benchmark of five days in a row, on a small log."""

import json

import numpy as np
import pytest
import tomorrow

import stackrec_keras as sr


@pytest.fixture(autouse=True)
def eager(eager_on_tensorflow):
    """The study is many short runs."""


def new_items_log(users=40, events=20):
    """A log whose newer events have newer items."""
    rng = np.random.default_rng(0)
    steps = np.tile(np.arange(events), users)
    return sr.data.read_interactions(
        {
            "user": np.repeat(np.arange(users), events),
            "item": steps // 2 + rng.integers(1, 6, len(steps)),
            "timestamp": 60 * steps + rng.integers(0, 60, len(steps)),
        }
    )


def test_a_day_has_no_row_of_a_held_out_user_and_none_of_the_future():
    days = tomorrow.Days(new_items_log(), tomorrow.JOBS["tiny"])
    users = [set(log["user"]) for log in (days.train, days.validation, days.test)]
    assert [len(found) for found in users] == [28, 2, 2]
    assert len(set.union(*users)) == 32
    before, day = days.day(0), days.day(1)
    assert day.items > before.items
    start, end = days.ends[0], days.ends[1]
    assert day.all.end_time.max() < end and before.all.end_time.max() < start
    assert len(day.new) < len(day.all) and day.new.end_time.min() >= start
    for rows in (day.validation, day.test):
        assert start <= rows.end_time.min() and rows.end_time.max() < end
    assert end <= day.test_tomorrow.end_time.min()
    assert day.test_tomorrow.end_time.max() < days.ends[2]
    for rows in (day.validation, day.test, day.test_tomorrow):
        assert rows.last_item.max() <= day.items


def test_each_day_begins_with_the_best_model_of_the_day_before(
    tmp_path, monkeypatch, capsys
):
    log = tmp_path / "log.csv"
    new_items_log().to_csv(log, index=False)
    monkeypatch.setattr(tomorrow, "DAYS", (1, 2))
    results, times = tmp_path / "days.csv", tmp_path / "times.csv"
    run = ["--job", "tiny", "--data", str(log), "--runs", str(tmp_path / "runs")]
    run += ["--arms", "scratch", "grown", "--results", str(results)]
    tomorrow.main(run)
    rows = tomorrow.rows_in(results)
    runs = [(row["arm"], row["day"], row["blocks"]) for row in rows]
    assert runs == [
        *2 * [("base, 2 blocks", "0", "2")],
        *2 * [("scratch", "1", "8")],
        *4 * [("grown", "1", "4")],
        *[("scratch", "2", "8"), ("grown", "2", "4")],
    ]
    best = max(rows[4:8], key=lambda row: float(row["validation"]))
    assert (rows[9]["rate"], rows[9]["rows"]) == (best["rate"], best["rows"])
    assert json.loads(rows[9]["curve"])["step"] == [0, 2, 4]
    assert json.loads(rows[8]["curve"])["step"] == [2, 4, 6, 8]
    assert int(rows[9]["items"]) > int(rows[4]["items"])
    tomorrow.main(run)
    assert tomorrow.rows_in(results) == rows
    times.write_text("job,2,4,8\ntiny,0.1,0.2,0.4\n")
    capsys.readouterr()
    tomorrow.main([*run, "--table", "--times-file", str(times)])
    shown = capsys.readouterr().out
    assert "| grown | " in shown and "| going on | " not in shown
    (goal,) = {
        row["best_step"]
        for row in rows
        if row["day"] == "2" and row["arm"] == "scratch"
    }
    assert f"| {0.4 * int(goal):.0f} (1.00) |" in shown
