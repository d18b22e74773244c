"""Logs in many Parquet files: which files, which columns, and what is refused."""

import itertools

import pandas as pd
import pytest
from refusals import refused
from test_prepared_log import a_log, write_parts

from stackrec_keras.data import open_log, read_interactions


def all_of(log):
    return pd.concat(log.frames(), ignore_index=True)


def test_it_reads_files_in_the_order_of_their_names(tmp_path):
    frame = a_log()
    log = open_log(write_parts(tmp_path / "log", frame), columns=["price"])
    assert [path.name for path in log.files] == [f"part-{n}.parquet" for n in range(7)]
    assert log.num_events == len(frame)
    assert repr(log) == "PartitionedLog(900 events in 7 files)"
    pd.testing.assert_frame_equal(all_of(log), frame, check_dtype=False)


def test_a_folder_is_searched_without_what_is_hidden(tmp_path):
    folder = tmp_path / "log.parquet"
    write_parts(folder / "day=1", a_log(seed=1))
    write_parts(folder / "day=2", a_log(seed=2))
    write_parts(folder / "_temporary", a_log(seed=3))
    (folder / "_SUCCESS").touch()
    patterns = [f"{tmp_path}/*.parquet", f"{folder}/**/*.parquet", f"{folder}/*=*/"]
    for path in (folder, str(folder), *patterns):
        assert open_log(path).num_events == 1800


def test_folders_named_by_key_and_value_are_columns(tmp_path):
    frame = a_log(text=False).query("item < 3")
    for (day, item), part in frame.groupby([frame["timestamp"] % 3, "item"]):
        path = tmp_path / "log" / f"day={day}" / f"item={item}"
        write_parts(path, part.drop(columns="item"), files=1)
    log = open_log(tmp_path / "log", columns=["day"])
    found = read_interactions(all_of(log), columns=["day"])
    assert (found["day"] == found["timestamp"] % 3).all()
    events = ["user", "timestamp", "item"]
    expected = frame[events].sort_values(events, ignore_index=True)
    found = found[events].sort_values(events, ignore_index=True)
    pd.testing.assert_frame_equal(found, expected)


def test_text_in_folders_is_decoded(tmp_path):
    frame = a_log()
    for user, part in frame.groupby("user"):
        path = tmp_path / "log" / f"user={user}%2F%C3%A4"
        write_parts(path, part.drop(columns="user"), files=1)
    log = open_log(tmp_path / "log")
    assert set(all_of(log)["user"]) == {f"{user}/ä" for user in frame["user"]}


def test_categories_and_long_text_are_text(tmp_path):
    frame = a_log()
    pattern = write_parts(tmp_path / "log", frame, files=2)
    categories = frame.astype({"user": "category", "item": "category"})
    categories.to_parquet(tmp_path / "log" / "part-9.parquet")
    assert all_of(open_log(pattern))["user"].tolist() == [*frame["user"]] * 2


def test_a_path_without_files_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none", f"{tmp_path}/*.parquet"):
        with refused("path", path, says="matches no file"):
            open_log(path)
    with refused("path", 5):
        open_log(5)


def test_a_log_without_events_is_refused(tmp_path):
    pattern = write_parts(tmp_path / "log", a_log().iloc[:0])
    with refused("path", pattern, says="has no rows"):
        open_log(pattern)


@pytest.mark.parametrize("empty", [{}, {"user": [], "item": [], "timestamp": []}])
def test_a_file_without_events_needs_no_columns(tmp_path, empty):
    pattern = write_parts(tmp_path / "log", a_log())
    pd.DataFrame(empty).to_parquet(tmp_path / "log" / "part-0.parquet")
    log = open_log(pattern)
    assert [path.name for path in log.files] == [
        f"part-{n}.parquet" for n in range(1, 7)
    ]
    assert log.num_events == len(all_of(log)) == 900 - 129


def change_file(folder, **columns):
    """Changes columns of the fifth of seven files, None drops them."""
    path = folder / "part-4.parquet"
    frame = pd.read_parquet(path)
    dropped = [name for name, value in columns.items() if value is None]
    kept = {name: value for name, value in columns.items() if value is not None}
    frame.drop(columns=dropped).assign(**kept).to_parquet(path, index=False)


def test_a_file_that_lacks_a_column_is_named(tmp_path):
    pattern = write_parts(tmp_path / "log", a_log())
    change_file(tmp_path / "log", item=None)
    with refused("item", "item", says="part-4.parquet"):
        open_log(pattern)


@pytest.mark.parametrize(
    "columns", [{"item": 7}, {"timestamp": 0.5}, {"price": True}, {"user": None}]
)
def test_a_file_with_a_column_of_another_type_is_named(tmp_path, columns):
    frame = a_log()
    if columns == {"user": None}:  # only missing values: Arrow's type null
        columns = {"user": [None] * 128}
    pattern = write_parts(tmp_path / "log", frame)
    change_file(tmp_path / "log", **columns)
    with refused("path", says="part-4.parquet"):
        open_log(pattern, columns=["price"])


@pytest.mark.parametrize(
    ("role", "value"),
    [("user", True), ("item", [[1]]), ("timestamp", "2020-01-01"), ("price", "7")],
)
def test_a_type_that_a_column_cannot_have_is_refused(tmp_path, role, value):
    frame = a_log()
    frame[role] = value * 900 if isinstance(value, list) else value
    pattern = write_parts(tmp_path / "log", frame)
    with refused("path", says="part-0.parquet"):
        open_log(pattern, columns=["price"])


def test_a_file_with_missing_values_is_named(tmp_path):
    frame = a_log()
    frame.loc[600, "item"] = None
    log = open_log(write_parts(tmp_path / "log", frame))
    with refused("path", tmp_path / "log" / "part-4.parquet", says="row 84 "):
        all_of(log)


def test_a_damaged_file_is_named(tmp_path):
    pattern = write_parts(tmp_path / "log", a_log())
    path = tmp_path / "log" / "part-4.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with refused("path", path, says="cannot be read"):
        open_log(pattern)
    path.write_bytes(whole[:4] + bytes(2000) + whole[2004:])
    log = open_log(pattern)  # its description is whole
    with refused("path", path, says="cannot be read"):
        all_of(log)


def test_a_log_is_read_from_any_working_folder(tmp_path, monkeypatch):
    write_parts(tmp_path / "log", a_log())
    monkeypatch.chdir(tmp_path)
    log = open_log("log/*.parquet")
    monkeypatch.chdir(tmp_path / "log")
    assert sum(map(len, log.frames())) == log.num_events


def test_its_files_are_divided_by_their_events(tmp_path):
    log = open_log(write_parts(tmp_path / "log", a_log(), files=9))  # of 100 events
    assert log.parts(300) == [range(0, 3), range(3, 6), range(6, 9)]
    assert log.parts(50) == [range(n, n + 1) for n in range(9)]
    assert log.parts(10_000) == [range(9)]
    whole = pd.concat(log.frames())
    parts = (log.frames(files=files) for files in log.parts(300))
    pd.testing.assert_frame_equal(pd.concat(itertools.chain(*parts)), whole)
