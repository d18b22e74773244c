"""A prepared log has the rows that the functions for logs in memory give."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import (
    Vocabulary,
    bucket_rows,
    buckets,
    make_windows,
    open_log,
    prepare_log,
    prepared_folder,
    prepared_log,
    read_interactions,
    read_prepared,
    split_by_time,
    split_leave_one_out,
    split_random,
)

PARTS = ("train", "validation", "test")


def a_log(seed=0, users=40, events=900, text=True):
    """Events in no order, many of them of one user at the same time."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "user": rng.integers(0, users, events) ** 2 % 97,
            "item": rng.zipf(1.3, events) % 50,
            "timestamp": rng.integers(1_600_000_000, 1_600_000_090, events),
            "price": rng.random(events),
        }
    )
    if text:
        frame["user"] = "u" + frame["user"].astype(str)
        frame["item"] = "i" + frame["item"].astype(str)
    return frame


def write_parts(folder, frame, files=7):
    """Writes a frame as Parquet files, whose names are in the order of the rows."""
    folder.mkdir(parents=True)
    for number, rows in enumerate(np.array_split(np.arange(len(frame)), files)):
        part = frame.iloc[rows]
        part.to_parquet(folder / f"part-{number}.parquet", index=False)
    return f"{folder}/*.parquet"


def assert_same_split(prepared, split):
    assert prepared.vocabulary == split.vocabulary
    assert prepared.hash == split.hash
    for name in ("unknown_targets", "cold_targets", "tied_targets"):
        assert getattr(prepared, name) == getattr(split, name)
    for name in PARTS:
        assert_same_windows(getattr(prepared, name), getattr(split, name))


def assert_same_windows(found, expected):
    assert found.overlapping == expected.overlapping
    assert found.user_ids.tolist() == expected.user_ids.tolist()
    assert found.feature_names == expected.feature_names
    for feature in expected.feature_names:
        values = expected.feature(feature)
        np.testing.assert_array_equal(found.feature(feature), values)
        assert found.feature(feature).dtype == values.dtype
    np.testing.assert_array_equal(found.items, expected.items)
    np.testing.assert_array_equal(found.end_time, expected.end_time)
    assert found.end_time.dtype == expected.end_time.dtype


def in_memory(frame, split, length, vocabulary=None, **arguments):
    log = read_interactions(frame, columns=["price"])
    if split == "leave-one-out":
        return split_leave_one_out(log, vocabulary, length, **arguments)
    if split == "time":
        return split_by_time(log, length, vocabulary=vocabulary, **arguments)
    of_split = ("test_share", "validation_share", "seed")
    shares = {name: arguments.pop(name) for name in of_split if name in arguments}
    vocabulary = vocabulary or Vocabulary.from_items(log["item"])
    windows = make_windows(log, vocabulary, length, **arguments)
    return split_random(windows, **shares)


@pytest.mark.parametrize(
    ("split", "arguments"),
    [
        ("leave-one-out", {}),
        ("leave-one-out", {"stride": 2, "min_items": 1, "min_count": 5}),
        ("leave-one-out", {"newest_only": True, "whole_history": True}),
        ("random", {"seed": 3}),
        ("random", {"stride": 1, "test_share": 0.3}),
        ("time", {}),
        ("time", {"stride": 1, "validation_share": 0.4, "test_share": 0.2}),
        (
            "time",
            {
                "validation_start": 1_600_000_050,
                "test_start": 1_600_000_060,
                "stage_starts": [1_600_000_020, 1_600_000_030],
            },
        ),
    ],
)
@pytest.mark.parametrize("text", [False, True])
def test_its_rows_are_those_of_the_log_in_memory(tmp_path, split, arguments, text):
    frame = a_log(text=text)
    log = open_log(write_parts(tmp_path / "log", frame), columns=["price"])
    prepared = prepare_log(
        log, tmp_path / "out", 6, split, events_in_memory=120, **arguments
    )
    assert_same_split(prepared, in_memory(frame, split, 6, **arguments))
    assert_same_split(read_prepared(tmp_path / "out"), prepared)


@pytest.mark.parametrize(
    "times",
    [
        lambda seconds: pd.to_datetime(seconds, unit="s", utc=True),
        lambda seconds: (seconds - 1_600_000_045) * 0.1,
        lambda seconds: pd.to_datetime(seconds % 90 // 9, unit="D").dt.date,
    ],
    ids=["time zone", "floats", "dates"],
)
def test_times_may_be_of_any_kind(tmp_path, times):
    frame = a_log()
    frame["timestamp"] = times(frame["timestamp"])
    log = open_log(write_parts(tmp_path / "log", frame), columns=["price"])
    prepared = prepare_log(log, tmp_path / "out", 6, "time", events_in_memory=120)
    assert_same_split(prepared, in_memory(frame, "time", 6))


def test_without_times_the_order_of_the_files_counts(tmp_path):
    frame = a_log().drop(columns=["timestamp", "price"])
    pattern = write_parts(tmp_path / "log", frame)
    log = open_log(pattern, timestamp=None)
    prepared = prepare_log(log, tmp_path / "out", 6, events_in_memory=120)
    in_order = read_interactions(frame, timestamp=None)
    assert_same_split(prepared, split_leave_one_out(in_order, None, 6))
    assert prepared.train.feature_names == ["items", "users"]


@pytest.mark.parametrize("split", ["leave-one-out", "time", "random"])
def test_a_known_vocabulary_keeps_its_indices(tmp_path, split):
    frame = a_log()
    known = Vocabulary(["of no event", *frame["item"].unique()[:9][::-1]])
    log = open_log(write_parts(tmp_path / "log", frame), columns=["price"])
    prepared = prepare_log(
        log, tmp_path / "out", 6, split, vocabulary=known, events_in_memory=120
    )
    assert_same_split(prepared, in_memory(frame, split, 6, vocabulary=known))


def test_the_memory_for_events_does_not_change_the_result(tmp_path):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    few, many = (
        prepare_log(log, tmp_path / f"out{events}", 6, events_in_memory=events)
        for events in (7, 10_000)
    )
    assert_same_split(few, many)


def test_reading_rows_leaves_no_pages_in_memory(tmp_path):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    items = prepare_log(log, tmp_path / "out", 6).train.items
    assert isinstance(items, np.memmap)
    for rows in (np.array([3, 1]), slice(1, 3), items[:, -1] > 5):
        assert type(items[rows]) is np.ndarray


def test_an_existing_folder_is_not_replaced_unasked(tmp_path):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    out = tmp_path / "out"
    out.mkdir()
    first = prepare_log(log, out, 6)  # an empty folder is free
    with refused("folder", out, says="already holds a prepared log"):
        prepare_log(log, out, 5)
    assert read_prepared(out).hash == first.hash
    prepare_log(log, out, 5, overwrite=True)
    assert read_prepared(out).train.length == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "out"]
    (tmp_path / "log" / "prepared.txt").touch()
    with refused("folder", says="is not a prepared log"):
        prepare_log(log, tmp_path / "log", 6, overwrite=True)


def test_files_of_others_are_never_removed(tmp_path):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    out, beside = tmp_path / "out", tmp_path / "out.replaced"
    beside.mkdir()
    (beside / "notes.txt").touch()
    prepare_log(log, out, 6)
    prepare_log(log, out, 6, overwrite=True)
    assert (beside / "notes.txt").exists()
    (out / "notes.txt").touch()
    with refused("folder", out, says="holds 'notes.txt'"):
        prepare_log(log, out, 6, overwrite=True)
    assert (out / "notes.txt").exists()


def test_a_folder_that_was_filled_meanwhile_is_left_alone(tmp_path, monkeypatch):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    out = tmp_path / "out"
    write_facts = prepared_log._write_facts

    def fill(*arguments):
        write_facts(*arguments)
        out.mkdir()
        (out / "notes.txt").touch()

    monkeypatch.setattr(prepared_log, "_write_facts", fill)
    with refused("folder", out, says="is not a prepared log"):
        prepare_log(log, out, 6, overwrite=True)
    assert [path.name for path in out.iterdir()] == ["notes.txt"]


def test_two_do_not_prepare_one_folder_at_once(tmp_path, monkeypatch):
    pytest.importorskip("fcntl")
    log = open_log(write_parts(tmp_path / "log", a_log()))
    out = tmp_path / "out"
    move = prepared_folder._move

    def prepare_too(*arguments):
        with refused("folder", out, says="being prepared by another process"):
            prepare_log(log, out, 5)
        move(*arguments)

    monkeypatch.setattr(prepared_folder, "_move", prepare_too)
    assert prepare_log(log, out, 6).train.length == 6


def test_a_link_leads_to_the_folder(tmp_path):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    (tmp_path / "disk").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk" / "out", target_is_directory=True)
    prepare_log(log, link, 6)
    prepare_log(log, link, 5, overwrite=True)
    assert link.is_symlink()
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["out"]


def test_the_working_folder_may_be_prepared(tmp_path, monkeypatch):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    prepare_log(log, ".", 6)
    assert read_prepared(tmp_path / "out").train.length == 6


def test_another_file_of_that_name_is_no_prepared_log(tmp_path):
    (tmp_path / "prepared.json").write_text("[1]")
    with refused("folder", tmp_path, says="the format None"):
        read_prepared(tmp_path)
    with refused("folder", 5, says="must be a path"):
        read_prepared(5)


KILLED = """
import os, sys
from stackrec_keras.data import bucket_rows, open_log, prepare_log
cut, calls = bucket_rows._cut_bucket, []
def cut_three(*arguments):
    calls.append(arguments)
    cut(*arguments) if len(calls) < 4 else os._exit(9)
bucket_rows._cut_bucket = cut_three
prepare_log(open_log(sys.argv[1]), sys.argv[2], 6, events_in_memory=120)
"""


def counted_calls(monkeypatch, module, name):
    """A list that gets an element for each call of a function."""
    function, calls = getattr(module, name), []

    def call(*arguments):
        calls.append(arguments)
        return function(*arguments)

    monkeypatch.setattr(module, name, call)
    return calls


def test_a_killed_process_leaves_no_prepared_log_and_is_continued(
    tmp_path, monkeypatch
):
    frame = a_log().drop(columns="price")
    pattern = write_parts(tmp_path / "log", frame)
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, pattern, str(out)]
    assert subprocess.run(command).returncode == 9
    (tmp_path / "out.partial" / "buckets").mkdir()  # as if it was killed earlier
    (tmp_path / "out.partial" / "users.npy").touch()
    with refused("folder", out, says="is not a prepared log"):
        read_prepared(out)
    read = counted_calls(monkeypatch, buckets, "_encode")
    cut = counted_calls(monkeypatch, bucket_rows, "_cut_bucket")
    prepared = prepare_log(open_log(pattern), out, 6, events_in_memory=120)
    assert (len(read), len(cut)) == (0, 5)  # of 8 buckets
    assert_same_split(prepared, split_leave_one_out(read_interactions(frame), None, 6))
    assert not (tmp_path / "out.partial").exists()
    assert not (out / "buckets").exists()


@pytest.mark.parametrize("changed", ["nothing", "length", "events_in_memory", "log"])
def test_only_the_same_call_continues_an_interrupted_one(
    tmp_path, monkeypatch, changed
):
    frame = a_log(text=False)
    pattern = write_parts(tmp_path / "log", frame, files=2)
    arguments = {"length": 6, "events_in_memory": 120}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(bucket_rows, "_cut_bucket", interrupt)
        prepare_log(open_log(pattern), tmp_path / "out", **arguments)
    if changed == "log":
        write_parts(tmp_path / "log2", a_log(seed=1, text=False), files=2)
        (tmp_path / "log2/part-1.parquet").replace(tmp_path / "log/part-1.parquet")
    elif changed != "nothing":
        arguments[changed] -= 1
    read = counted_calls(monkeypatch, buckets, "_encode")
    prepared = prepare_log(open_log(pattern), tmp_path / "out", **arguments)
    assert len(read) == (0 if changed == "nothing" else 2)
    log = pd.concat(map(pd.read_parquet, open_log(pattern).files))
    split = split_leave_one_out(read_interactions(log), None, arguments["length"])
    assert prepared.hash == split.hash


def interrupt(*arguments):
    raise KeyboardInterrupt


def test_a_failed_preparation_leaves_nothing(tmp_path):
    frame = a_log()
    frame.loc[800, "timestamp"] = None
    log = open_log(write_parts(tmp_path / "log", frame))
    with refused("path", says="lacks values of 'timestamp'"):
        prepare_log(log, tmp_path / "out", 6)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_foreign_folder_in_the_way_is_left_alone(tmp_path):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    other = tmp_path / "out.partial"
    other.mkdir()
    (other / "notes.txt").touch()
    with refused("folder", tmp_path / "out", says="out.partial exists"):
        prepare_log(log, tmp_path / "out", 6)
    assert (other / "notes.txt").exists()


@pytest.mark.parametrize("name", ["train/items.npy", "vocabulary.json", "users.npy"])
def test_a_damaged_file_of_a_prepared_log_is_named(tmp_path, name):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    out = tmp_path / "out"
    prepare_log(log, out, 6)
    data = (out / name).read_bytes()
    (out / name).write_bytes(data[: len(data) // 2])
    with refused("folder", out / name, says="cannot be read"):
        read_prepared(out)
    (out / name).unlink()
    with refused("folder", out / name, says="cannot be read"):
        read_prepared(out)


@pytest.mark.parametrize(
    ("split", "argument", "value"),
    [
        ("leave-one-out", "min_count", 0),
        ("leave-one-out", "length", 1),
        ("leave-one-out", "stride", 7),
        ("leave-one-out", "seed", 1),
        ("leave-one-out", "vocabulary", [1]),
        ("leave-one-out", "events_in_memory", 0),
        ("time", "test_share", 1.0),
        ("time", "stage_starts", [5]),
        ("time", "user_ids", ["u1"]),
        ("random", "seed", -1),
        ("halves", "split", "halves"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, split, argument, value):
    log = open_log(write_parts(tmp_path / "log", a_log()))
    arguments = {"length": 6, "split": split, argument: value}
    with refused(argument, value):
        prepare_log(log, tmp_path / "out", **arguments)
    assert not (tmp_path / "out").exists()


def test_a_frame_is_refused(tmp_path):
    with refused("log"):
        prepare_log(a_log(), tmp_path / "out", 6)


LATE = {"min_items": 4, "validation_start": 13, "test_start": 15}


@pytest.mark.parametrize(
    ("argument", "split", "arguments"),
    [
        ("log", "leave-one-out", {"min_items": 6}),
        ("log", "time", {"test_start": 15, "validation_start": 11}),
        ("test_share", "time", {"test_share": 0.01, "validation_share": 0.01}),
        ("log", "time", {**LATE, "stage_starts": [12]}),
        ("log", "random", {"test_share": 0.01}),
    ],
)
def test_a_part_without_rows_is_refused(tmp_path, argument, split, arguments):
    frame = pd.DataFrame({"user": [1] * 5 + [2] * 3, "item": range(8)})
    frame["timestamp"] = [10, 12, 13, 15, 17, 10, 10, 10]
    log = open_log(write_parts(tmp_path / "log", frame, files=2))
    with refused(argument):
        prepare_log(log, tmp_path / "out", 6, split, **arguments)
    assert not (tmp_path / "out").exists()
