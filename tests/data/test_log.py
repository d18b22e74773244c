import builtins

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import Vocabulary, read_interactions
from stackrec_keras.errors import StackRecWarning

ROWS = [("b", "x", 2), ("a", "y", 3), ("b", "y", 1), ("a", "x", 3)]
SORTED = [("a", "y", 3), ("a", "x", 3), ("b", "y", 1), ("b", "x", 2)]


def frame(columns=("user", "item", "timestamp")):
    return pd.DataFrame(ROWS, columns=list(columns))


def rows(log):
    assert list(log.columns) == ["user", "item", "timestamp"]
    assert list(log.index) == list(range(len(log)))
    return list(log.itertuples(index=False, name=None))


def test_a_frame_is_sorted_by_user_and_time_and_ties_keep_their_order():
    assert rows(read_interactions(frame())) == SORTED


def test_the_given_frame_is_left_as_it_was():
    given = frame()
    read_interactions(given)
    pd.testing.assert_frame_equal(given, frame())


def test_a_dict_of_arrays_and_a_list_of_records_are_logs():
    given = frame()
    assert rows(read_interactions({k: given[k].to_numpy() for k in given})) == SORTED
    assert rows(read_interactions(given.to_dict("records"))) == SORTED


def test_whatever_converts_to_pandas_is_a_log():
    pyarrow = pytest.importorskip("pyarrow")
    assert rows(read_interactions(pyarrow.Table.from_pandas(frame()))) == SORTED

    class Polars(list):
        """A list of columns to pandas, as a polars frame is."""

        def to_pandas(self):
            return frame()

    assert rows(read_interactions(Polars([["b"], ["x"], [2]]))) == SORTED


def test_users_that_cannot_be_sorted_together_are_refused():
    log = frame().assign(user=[1, "a", 2, "b"])
    with refused("user", says=r"types \['int', 'str'\], which cannot"):
        read_interactions(log)


@pytest.mark.parametrize(
    "name, separator", [("log.csv", ","), ("log.tsv", "\t"), ("log.csv.gz", ",")]
)
def test_csv_and_tsv_files_are_logs(tmp_path, name, separator):
    frame().to_csv(tmp_path / name, sep=separator, index=False)
    assert rows(read_interactions(tmp_path / name)) == SORTED
    assert rows(read_interactions(str(tmp_path / name))) == SORTED


def test_parquet_files_are_logs(tmp_path):
    pytest.importorskip("pyarrow")
    frame().to_parquet(tmp_path / "log.parquet")
    assert rows(read_interactions(tmp_path / "log.parquet")) == SORTED


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "log.parquet").write_bytes(b"PAR1")
    real_import = builtins.__import__

    def no_pyarrow(name, *args, **kwargs):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pyarrow)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        read_interactions(tmp_path / "log.parquet")


def test_movielens_dat_files_may_have_colons_in_their_items(tmp_path):
    path = tmp_path / "ratings.dat"
    path.write_text("2::Alien: 3::5::20\n1::a:b::4::30\n1::c::4::10\n")
    assert rows(read_interactions(path)) == [
        (1, "c", 10),
        (1, "a:b", 30),
        (2, "Alien: 3", 20),
    ]


def test_a_dat_file_of_another_form_is_refused(tmp_path):
    path = tmp_path / "ratings.dat"
    path.write_text("1,2,3,4\n")
    with refused("path_or_frame", path, says="form user::item::rating::timestamp"):
        read_interactions(path)


RECBOLE = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    'b\t"q\t1\t2\n'
    "a\ty\t1\t3\n"
)


@pytest.mark.parametrize(
    "names",
    [
        {},
        {"user": "user_id", "item": "item_id"},
        {"user": "user_id:token", "timestamp": "timestamp:float"},
    ],
)
def test_recbole_columns_go_with_and_without_their_type(tmp_path, names):
    path = tmp_path / "log.inter"
    path.write_text(RECBOLE)
    log = read_interactions(path, **names)
    assert rows(log) == [("a", "y", 3), ("b", '"q', 2)]


def test_other_column_names_are_taken_and_other_columns_left_out():
    log = frame(("who", "what", "when")).assign(rating=5)
    log = read_interactions(log, user="who", item="what", timestamp="when")
    assert rows(log) == SORTED


def test_a_missing_column_is_named_with_those_there_are(tmp_path):
    path = tmp_path / "log.csv"
    frame(("who", "item", "timestamp")).to_csv(path, index=False)
    with refused("user", "user", says=r"\['who', 'item', 'timestamp'\]"):
        read_interactions(path)


def test_all_columns_that_are_missing_are_named_at_once():
    with refused("user", says="nor is timestamp='timestamp'") as error:
        read_interactions(frame(("who", "item", "when")))
    assert "columns: user='...', timestamp='...'; timestamp=None" in error.value.fix
    assert "columns: --user COLUMN --timestamp COLUMN; --" in error.value.option_fix


@pytest.mark.parametrize(
    "names, argument, other",
    [
        ({"user": "what"}, "item", "user"),
        ({"timestamp": "what"}, "timestamp", "item"),
        ({"item": "who:token"}, "item", "user"),
    ],
)
def test_a_column_has_only_one_role(names, argument, other):
    log = frame(("who:token", "what", "when"))
    names = {"user": "who", "item": "what", "timestamp": "when", **names}
    with refused(argument, says=f"names the same column as {other}"):
        read_interactions(log, **names)


def test_a_name_that_was_given_does_not_fall_back_to_user_id():
    with refused("user", "person"):
        read_interactions(frame(("user_id", "item", "timestamp")), user="person")


def test_without_a_time_column_the_rows_order_is_time():
    log = frame().drop(columns="timestamp")
    assert rows(read_interactions(log, timestamp=None)) == [
        ("a", "y", 1),
        ("a", "x", 3),
        ("b", "x", 0),
        ("b", "y", 2),
    ]


@pytest.mark.parametrize("column", ["user", "item", "timestamp"])
def test_missing_values_are_counted(column):
    log = frame().astype(object)
    log.loc[1, column] = None
    with refused("path_or_frame", says=f"lacks values of '{column}' in 1 row of 4"):
        read_interactions(log)


def test_all_columns_with_missing_values_are_named():
    log = frame().astype(object)
    log.loc[1, ["user", "timestamp"]] = None
    log.loc[2, "timestamp"] = None
    counts = "'user' in 1 row, 'timestamp' in 2 rows of 4"
    with refused("path_or_frame", says=counts):
        read_interactions(log)


def test_missing_values_can_be_dropped_as_the_error_says():
    log = frame(("who", "item", "timestamp")).astype(object)
    log.loc[1, ["who", "item"]] = None
    way_out = r"frame\.dropna\(subset=\['who', 'item', 'timestamp'\]\)"
    with refused("path_or_frame", says=way_out):
        read_interactions(log, user="who")
    log = log.dropna(subset=["who", "item", "timestamp"])
    assert len(read_interactions(log, user="who")) == 3


def test_an_item_may_be_called_NA_in_a_file_but_an_empty_field_is_missing(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,timestamp\n1,NA,1\n1,null,2\n")
    assert list(read_interactions(path)["item"]) == ["NA", "null"]
    path.write_text("user,item,timestamp\n1,,1\n1,null,2\n")
    with refused("path_or_frame", path, says="'item' in 1 row"):
        read_interactions(path)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_csv_without_commas_in_its_header_may_have_another_separator(
    tmp_path, separator
):
    path = tmp_path / "log.csv"
    log = frame().replace({"item": {"x": "a, b"}}).assign(rating=5)
    log.to_csv(path, sep=separator, index=False, encoding="utf-8-sig")
    assert list(read_interactions(path)["item"]) == ["y", "a, b", "y", "a, b"]


@pytest.mark.parametrize("where", ["header", "rows"])
def test_a_file_that_is_not_in_utf_8_is_an_error_that_says_how_to_read_it(
    tmp_path, where
):
    log = frame().replace({"item": {"x": "Käse"}} if where == "rows" else {})
    log = log.rename(columns={"item": "Käse"} if where == "header" else {})
    log.to_csv(tmp_path / "log.csv", index=False, encoding="cp1252")
    item = "Käse" if where == "header" else "item"
    with refused(
        "path_or_frame", tmp_path / "log.csv", says="not in UTF-8.*encoding='cp1252'"
    ):
        read_interactions(tmp_path / "log.csv", item=item)


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("log.csv", "user item\n1 2\n", "single field, 'user item'.* by commas, or"),
        ("log.tsv", "user,item\n1,2\n", "single field, 'user,item'.* by tabs, or"),
        ("log.csv", 'user,item,timestamp\n1,"a,3\n', "read as .csv: .*EOF inside"),
        ("log.csv.gz", "user,item\n1,2\n", "read as .csv.gz: Not a gzipped file"),
        ("log.csv.zip", "user,item\n1,2\n", "read as .csv.zip: File is not a zip"),
        ("log.parquet", "user,item\n1,2\n", "read as .parquet: .*not a parquet file"),
        ("log.dat", b"1::\xe9::3::4\n", "is not in UTF-8"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_name(tmp_path, name, text, message):
    raw = text if isinstance(text, bytes) else text.encode()
    (tmp_path / name).write_bytes(raw)
    with refused("path_or_frame", tmp_path / name, says=message):
        read_interactions(tmp_path / name)


@pytest.mark.parametrize("text", ["", "user,item,timestamp\n"])
def test_an_empty_file_has_no_rows(tmp_path, text):
    (tmp_path / "log.csv").write_text(text)
    with refused("path_or_frame", tmp_path / "log.csv", says="has no rows"):
        read_interactions(tmp_path / "log.csv")


def test_an_empty_frame_and_an_empty_dat_file_have_no_rows(tmp_path):
    with refused("path_or_frame", says="has no rows"):
        read_interactions(frame().iloc[:0])
    (tmp_path / "ratings.dat").write_text("")
    with refused("path_or_frame", tmp_path / "ratings.dat", says="has no rows"):
        read_interactions(tmp_path / "ratings.dat")


@pytest.mark.parametrize("name", ["log.xlsx", "log", "ratings.dat.gz"])
def test_unknown_extensions_are_refused_with_the_known_ones(tmp_path, name):
    (tmp_path / name).write_text("x")
    with refused("path_or_frame", tmp_path / name, says=r"\.csv, \.tsv, \.inter"):
        read_interactions(tmp_path / name)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="at .*nowhere.csv.*check the path.$"):
        read_interactions(tmp_path / "nowhere.csv")
    with pytest.raises(FileNotFoundError, match="'nowhere.csv'.*, which is relative"):
        read_interactions("nowhere.csv")


def test_a_folder_is_named_as_one(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; give the path of a file"):
        read_interactions(tmp_path)


def test_something_that_is_not_a_table_is_refused():
    with refused("path_or_frame", 3):
        read_interactions(3)


def test_times_may_be_iso_strings_with_zones_or_datetimes():
    times = ["2020-01-02", "2020-01-01T12:00:00+02:00", "2020-01-01T11:00:00+00:00"]
    log = pd.DataFrame({"user": 1, "item": [1, 2, 3], "timestamp": times})
    assert list(read_interactions(log)["item"]) == [2, 3, 1]
    log["timestamp"] = pd.to_datetime(log["timestamp"], format="ISO8601", utc=True)
    sorted_log = read_interactions(log)
    assert list(sorted_log["item"]) == [2, 3, 1]
    assert sorted_log["timestamp"].dt.tz is None


@pytest.mark.parametrize("form", ["1{:03}", "2020-01-01T00:00:00.{:03}"])
def test_a_time_that_is_neither_a_number_nor_iso_is_named(form):
    times = [form.format(i) for i in range(5)]
    times[2], times[4] = "last week", "2020-13-01"
    log = pd.DataFrame({"user": 1, "item": range(5), "timestamp": times})
    with refused("path_or_frame", says="'last week' .*row 2 .* 2 of 5 rows have"):
        read_interactions(log)


@pytest.mark.parametrize("number", [2e9, 2000, np.int64(20200105), "2000000000"])
@pytest.mark.parametrize("date", ["2020-01-01", pd.Timestamp("2020-01-01")])
def test_numbers_among_dates_are_named_as_such(date, number):
    times = pd.Series([date, number, date], dtype=object)
    log = pd.DataFrame({"user": 1, "item": range(3), "timestamp": times})
    message = "mixes numbers and dates .*'?2.* in row 1 .* and '2020-01-01.* in row 0"
    with refused("path_or_frame", says=message):
        read_interactions(log)


def test_numbers_written_as_strings_are_sorted_as_numbers():
    log = pd.DataFrame({"user": 1, "item": ["x", "y"], "timestamp": ["10", "9"]})
    assert list(read_interactions(log)["item"]) == ["y", "x"]


def test_categories_and_nullable_numbers_become_plain_columns():
    log = frame().astype({"item": "category", "timestamp": "Int64"})
    assert rows(read_interactions(log)) == SORTED
    assert read_interactions(log)["timestamp"].dtype == np.int64


@pytest.mark.parametrize(
    "users, times",
    [
        (np.arange(50) % 7 - 3, np.arange(50) % 5 - 2),
        (np.arange(50) % 7, (np.arange(50) % 5) * 0.5),
        (np.arange(50) % 7 * 2**55, (np.arange(50) % 5) * 2**55),
        (
            np.arange(50) % 7,
            np.arange(50) % 5 * np.timedelta64(1, "s") + np.datetime64(0, "s"),
        ),
    ],
    ids=["negative", "floats", "too wide for one key", "datetimes"],
)
def test_the_order_is_that_of_a_stable_python_sort(users, times):
    log = pd.DataFrame({"user": users, "item": np.arange(50), "timestamp": times})
    expected = sorted(range(50), key=lambda row: (users[row], times[row]))
    assert list(read_interactions(log)["item"]) == expected
    again = read_interactions(read_interactions(log))
    assert list(again["item"]) == expected


@pytest.mark.parametrize(
    "ids",
    [
        pd.arrays.SparseArray([0, 3, 3]),
        pd.Series([0, 3, 3], dtype="category"),
        pd.Series([0, 3, 3], dtype="UInt8"),
    ],
    ids=lambda ids: str(ids.dtype),
)
def test_ids_of_each_kind_of_column_are_plain_in_the_log(ids):
    log = read_interactions({"user": ids, "item": ids, "timestamp": ids})
    assert log.values.tolist() == [[0, 0, 0], [3, 3, 3], [3, 3, 3]]
    assert all(isinstance(dtype, np.dtype) for dtype in log.dtypes)


@pytest.mark.parametrize("kind", ["int64", "string", "dictionary", "decimal", "binary"])
def test_ids_of_pyarrow_are_plain_in_the_log(kind):
    pyarrow = pytest.importorskip("pyarrow")
    array = pyarrow.array([30, 10, 20])
    if kind == "decimal":
        array = array.cast(pyarrow.decimal128(20, 0))
    elif kind != "int64":
        array = array.cast("string")
        array = array.dictionary_encode() if kind == "dictionary" else array
        array = array.cast("binary") if kind == "binary" else array
    ids = pd.Series(pd.arrays.ArrowExtensionArray(array))
    log = read_interactions({"user": ids, "item": ids}, timestamp=None)
    assert [int(one) for one in log["item"]] == [10, 20, 30]
    assert not isinstance(log["item"].dtype, pd.ArrowDtype)
    vocabulary = Vocabulary.from_items(log["item"])
    assert vocabulary.encode(log["item"]).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "ids", [np.array([2.0**53, 1]), np.array([2.0**24, 1], np.float32)]
)
def test_floats_that_may_have_been_other_ids_are_told(ids):
    with pytest.warns(StackRecWarning, match="'item'.* are float.*up to the largest"):
        read_interactions({"user": [1, 1], "item": ids}, timestamp=None)


@pytest.mark.filterwarnings("error")
def test_small_floats_are_ids():
    log = read_interactions({"user": [1, 1], "item": [2.0, 1.0]}, timestamp=None)
    assert log["item"].tolist() == [2.0, 1.0]


@pytest.mark.parametrize("role", ["user", "item"])
def test_ids_that_are_one_to_python_are_refused(role):
    log = frame().assign(**{role: pd.Series([True, 1, 0, 2], dtype=object)})
    with refused("path_or_frame", says=f"'{role}', which holds booleans and numbers"):
        read_interactions(log)
    with refused("path_or_frame", says=f"has inf among the ids of '{role}'"):
        read_interactions(frame().assign(**{role: [1, np.inf, 2, 3]}))


def test_a_table_that_needs_pyarrow_says_what_to_install():
    class Polars:
        def to_pandas(self):
            raise ModuleNotFoundError("pyarrow is required")

    with pytest.raises(ImportError, match=r"pip install 'stackrec-keras\[parquet\]'"):
        read_interactions(Polars())
