import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import (
    Vocabulary,
    make_windows,
    read_interactions,
    split_by_time,
)

FRAME = pd.DataFrame(
    {
        "user": ["b", "a", "b", "a"],
        "item": ["x", "y", "y", "x"],
        "timestamp": [2, 3, 1, 3],
        "price": [0.5, 1.5, 2.5, 3.5],
        "sale": [True, False, True, False],
        "kind": ["p", "q", "p", "q"],
    }
)
PRICES = [1.5, 3.5, 2.5, 0.5]  # by user and time
BASE = ["user", "item", "timestamp"]


def test_columns_are_kept_only_if_asked_for():
    assert list(read_interactions(FRAME)) == BASE
    log = read_interactions(FRAME, columns=["sale", "price"])
    assert list(log) == [*BASE, "sale", "price"]
    assert log["price"].tolist() == PRICES
    assert log["sale"].tolist() == [False, False, True, True]
    again = read_interactions(log, columns=("price",))
    pd.testing.assert_frame_equal(again, log.drop(columns="sale"))


@pytest.mark.parametrize("name", ["log.csv", "log.tsv", "log.csv.gz", "log.parquet"])
def test_columns_come_from_files(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
        FRAME.to_parquet(tmp_path / name)
    else:
        FRAME.to_csv(tmp_path / name, index=False, sep="\t" if "tsv" in name else ",")
    log = read_interactions(tmp_path / name, columns=["price", "sale"])
    assert log["price"].tolist() == PRICES
    assert (log["price"].dtype, log["sale"].dtype) == (np.float64, bool)


def test_columns_come_from_recbole_and_movielens(tmp_path):
    inter = tmp_path / "log.inter"
    inter.write_text(
        "user_id:token\titem_id:token\trating:float\tage:float\n7\t8\t4\t9\n"
    )
    log = read_interactions(inter, timestamp=None, columns=["rating", "age"])
    assert log.values.tolist() == [["7", "8", 0, 4, 9]]
    assert list(log) == [*BASE, "rating", "age"]
    dat = tmp_path / "log.dat"
    dat.write_text("2::8::5::20\n1::7::3::30\n")
    log = read_interactions(dat, columns=["rating"])
    assert log["rating"].tolist() == [3, 5]


@pytest.mark.parametrize(
    "values, expected",
    [
        (pd.Series([1, 2, 3, 4], dtype="Int64"), np.int64),
        (pd.Series([True, False] * 2, dtype="boolean"), bool),
        (pd.Series([1, 2, 3, 4], dtype=object), np.int64),
        (pd.Series(["1", "2.5", "3", "4"]), np.float64),
        (pd.Series([1, 2, 1, 2], dtype="category"), np.int64),
        (pd.arrays.SparseArray([0.0, 1.0, 0.0, 0.0]), np.float64),
        (pd.to_datetime(["2020-01-01 01:00"] * 4).tz_localize("Europe/Berlin"), "M8"),
        (np.arange(4, dtype=np.float32), np.float32),
    ],
)
def test_numbers_of_each_kind_of_column_are_plain_in_the_log(values, expected):
    log = read_interactions(FRAME.assign(price=values), columns=["price"])
    dtype = log["price"].dtype
    assert isinstance(dtype, np.dtype)
    assert dtype == expected or dtype.kind == "M" == expected[0]


def test_columns_of_pyarrow_are_plain_in_the_log():
    pyarrow = pytest.importorskip("pyarrow")
    values = pd.Series(pd.arrays.ArrowExtensionArray(pyarrow.array([1, 2, 3, 4])))
    log = read_interactions(FRAME.assign(price=values), columns=["price"])
    assert log["price"].dtype == np.int64


def test_a_price_reaches_the_rows_of_a_split(tmp_path):
    rows = 60
    frame = pd.DataFrame(
        {
            "user": np.arange(rows) % 5,
            "item": np.arange(rows) % 7 + 1,
            "timestamp": pd.date_range("2020-01-01", periods=rows, freq="h"),
        }
    )
    frame["price"] = frame["item"] * 1.5
    frame.to_csv(tmp_path / "log.csv", index=False)
    log = read_interactions(tmp_path / "log.csv", columns=["price"])
    split = split_by_time(log, 6)
    for part in (split.train, split.validation, split.test):
        names = ["items", "price", "next_price", "timestamps", "next_timestamps"]
        x, y = part.arrays(names)
        raw = np.r_[0, split.vocabulary.ids]
        assert len(y) > 3
        assert np.array_equal(x["price"], raw[x["items"]] * 1.5)
        assert np.array_equal(x["next_price"], raw[y] * 1.5)
        gaps = (x["next_timestamps"] - x["timestamps"])[y > 0]
        assert set(gaps.tolist()) == {5 * 3600}


def test_values_are_not_copied_on_their_way_to_the_windows():
    log = read_interactions(FRAME.sort_values(["user", "timestamp"]), columns=["price"])
    windows = make_windows(log, Vocabulary.from_items(log["item"]), 2)
    held = windows.columns.events["price"]
    assert np.shares_memory(held, log["price"].to_numpy())


# What is refused


@pytest.mark.parametrize(
    "columns",
    ["price", None, ["price", "price"], ["item"], ["timestamps"], ["next_x"], [3]],
)
def test_columns_are_names_that_a_log_does_not_have(columns):
    with refused("columns"):
        read_interactions(FRAME, columns=columns)


def test_a_column_that_is_not_there_is_asked_after():
    with refused("columns", "prise", says=r"'kind'\]\. Did you mean 'price'?"):
        read_interactions(FRAME, columns=["prise"])
    with refused("user", "who", says="nor is columns='prise'"):
        read_interactions(FRAME, user="who", columns=["prise"])
    twice = pd.concat([FRAME, FRAME["price"]], axis=1)
    with refused("columns", "price", says="names 2 columns"):
        read_interactions(twice, columns=["price"])
    with refused("columns", "price", says="names the same column as item"):
        read_interactions(FRAME, item="price", columns=["price"])


def test_a_column_of_text_is_refused_with_the_line(tmp_path):
    with refused("columns", says="'kind' in a frame .* 'p' in row 0 .*numbers first"):
        read_interactions(FRAME, columns=["kind"])
    path = tmp_path / "log.csv"
    path.write_text("user,item,timestamp,price\n1,2,3,1.5\n1,2,4,NA\n")
    with refused("columns", says="log.csv' holds 'NA' in line 3"):
        read_interactions(path, columns=["price"])


@pytest.mark.parametrize(
    "values",
    [
        pd.to_timedelta([1, 2, 3, 4], unit="s"),
        pd.Series([1j] * 4),
        pd.period_range("2020", periods=4, freq="D"),
        pd.Series([[1], [2], [3], [4]]),
        pd.Series([0, 1, 2, "x"], dtype=object),
    ],
    ids=["timedelta", "complex", "period", "lists", "mixed"],
)
def test_columns_that_are_no_numbers_are_refused(values):
    with refused("columns"):
        read_interactions(FRAME.assign(price=values), columns=["price"])


def test_missing_values_of_columns_are_refused_with_the_line(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,timestamp,price\n1,2,3,1.5\n1,2,4,\n")
    with refused("path_or_frame", path, says="'price' in 1 row of 2, .*line 3"):
        read_interactions(path, columns=["price"])


def test_rows_are_checked_with_columns_too(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,timestamp,price\n1,2,3,1.5\n1,2,4\n")
    with refused("path_or_frame", path, says="line 3 has 3 fields"):
        read_interactions(path, columns=["price"])


def test_a_file_without_a_header_has_no_names_for_columns(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("1,2,3,1.5\n1,2,4,2.5\n")
    with refused("columns", "price", says="Put a line with the names of all columns"):
        read_interactions(path, user=0, item=1, timestamp=2, columns=["price"])
