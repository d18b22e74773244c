import re

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import read_interactions, text_table
from stackrec_keras.errors import StackRecWarning

HEADER = "user,item,timestamp\n"


def write(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def items(path, **columns):
    """The items in the order of the file."""
    columns.setdefault("timestamp", None)
    return read_interactions(path, **columns).sort_values("timestamp")["item"].tolist()


@pytest.mark.parametrize(
    "name, text, message",
    [
        (
            "log.csv",
            "user,item,rating,timestamp\nu,Matrix,5,1\nu,Good, the Bad,4,700\n",
            r"line 3 has 5 fields, but the first line has 4: \['u', 'Good', '.*quo",
        ),
        ("log.csv", "user,timestamp,item\nu,1,a\n\nu,2,b, c\n", "line 4 has 4 fields"),
        ("log.csv", HEADER + "u,a,1,\nu,b,2,\n", "line 2 has 4 fields, but the first"),
        ("log.csv", "user,item,timestamp,x\nu,a,1,y\nu,b,2\n", "line 3 has 3 fields"),
        ("log.csv", HEADER + 'u,"a\nb, c",1\nu,x,2,3\n', "line 4 has 4 fields"),
        ("log.csv", HEADER + '\n""\nu,a,1\n', "line 3 has 1 field,"),
        ("log.csv", HEADER + "u,a,1\n\r\n", "line 3 has 1 field,"),
        ("log.csv", HEADER + 'u,"a"b,1\n', "line 2 has a quote that is not closed"),
        ("log.csv", HEADER + 'u,"a,1\n', "line 2 has a quote .* EOF inside the field"),
        ("log.csv", HEADER + 'u,"' + "a" * 2**18, "line 2 has a quote .* field limit"),
        ("log.csv", "user,item\na\rb,c\n".replace("\n", "\r\n"), "line 2 has 1 field,"),
        (
            "log.inter",
            "user\titem\tx\nu\ta\t1\t2\n",
            "line 2 .* may hold a tab",
        ),
        ("log.dat", "1::a::3::4\n1::a::b::3::4\n", "line 2 has 5 .* may hold '::'"),
        ("log.dat", "1::a::3::4\n1::a::3\n", "line 2 has 3 fields"),
        ("log.dat", "1::a::3::4\n1::b:::3::4\n", "holds ':::' in line 2, so its fie"),
        (
            "log.dat",
            "1::a::3::4\n1::\x1f::3::4\n",
            "a control character in line 2",
        ),
        ("log.csv", HEADER.encode() + b"u,a,1\nu,\xe9,2\n", "line 3 holds b'.xe9'"),
    ],
)
def test_a_row_that_is_not_one_event_is_named_by_its_line(
    tmp_path, name, text, message
):
    path = write(tmp_path, text, name)
    with refused("path_or_frame", path, says=f"(?s){message}"):
        read_interactions(path, timestamp=None)


STRAY = 'user\titem\ttimestamp\nu1\tOne\t1\nu1\t"Heroes\t2\nu1\tTwo\t3\n'


@pytest.mark.parametrize(
    "last_line, message",
    [
        ('u2\t12" remix\t5\n', "line 3 has a quote that is not closed"),
        ('u2\tremix 12"\t5\n', "lines 3 to 5 are one field within quotes, though each"),
    ],
)
def test_a_stray_quote_does_not_swallow_lines(tmp_path, last_line, message):
    path = write(tmp_path, STRAY + last_line, "log.tsv")
    with refused("path_or_frame", path, says=message) as error:
        read_interactions(path)
    advice = error.value.fix.split("give this frame instead: ")[1].removesuffix(".")
    log = read_interactions(eval(advice, {"pandas": pd, "path": path}))
    assert log["item"].tolist() == ["One", '"Heroes', "Two", last_line.split("\t")[1]]
    inter = write(tmp_path, STRAY + last_line, "log.inter")
    assert read_interactions(inter)["item"].tolist() == log["item"].tolist()


@pytest.mark.parametrize(
    "text, expected",
    [
        (HEADER + "u,a,1\n\n  \nu,b,2\n\n", ["a", "b"]),
        ("\n" + HEADER + "u,a,1\n", ["a"]),
        ('\ufeff"user","item","timestamp"\n"u","a",1\n', ["a"]),
        (HEADER.replace("\n", "\r\n") + "u,a,1\r\nu,b,2\r\n", ["a", "b"]),
        (HEADER.replace("\n", "\r") + "u,a,1\ru,b,2\r", ["a", "b"]),
        (HEADER + 'u,"a, ""b""\nc",1\nu,12" d,2', ['a, "b"\nc', '12" d']),
        (HEADER + "u,a\rb,1\n", ["a\rb"]),
        ("user,item,timestamp,\nu,a,1,\n", ["a"]),
        ("user;item;timestamp;x,y\nu;a;1;2,3\n", ["a"]),
    ],
    ids=["blank", "first", "mark", "dos", "mac", "quotes", "return", "empty", "comma"],
)
def test_rows_are_events_however_the_file_is_written(tmp_path, text, expected):
    assert items(write(tmp_path, text), timestamp="timestamp") == expected


def test_ids_that_end_with_a_lone_carriage_return_are_kept_with_a_warning(tmp_path):
    path = write(tmp_path, "user,item\nu,a\nu,a\r\n")
    with pytest.warns(StackRecWarning, match="1 of 2 ids .*log.csv"):
        assert items(path) == ["a", "a\r"]


def test_a_nul_is_kept_or_named_by_its_line(tmp_path, monkeypatch):
    path = write(tmp_path, HEADER + "u,a\0b,1\nu,a,2\n")
    if text_table._keeps_nul():
        assert items(path) == ["a\0b", "a"]
    monkeypatch.setattr(text_table, "_keeps_nul", lambda: False)
    with refused("path_or_frame", path, says="NUL character in line 2"):
        read_interactions(path)


TEXT_IDS = [
    ["1E5", "100000", "2E3", "2000"],
    ["0108775015", "108775015"],
    ["9007199254740993.0", "9007199254740992.0"],
    ["5.0", "5"],
    ["+5", "5"],
    ["-5", "5"],
    [" 5", "5", "5 "],
    ["1_000", "1000"],
    ["0x10", "16"],
    ["٣", "3"],
    ["True", "False"],
    ["nan", "NA", "null", "1"],
    ["inf", "1"],
    ["2020-01-01", "2020-01-02"],
    ["018446744073709551616", "18446744073709551616"],
    [*map(str, range(999)), "007"],
]


@pytest.mark.parametrize("ids", TEXT_IDS, ids=lambda ids: ids[0])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("form", ["{},x,y", "x,y,{}", "u,{},y", 'u,"{}",y'])
def test_ids_stay_text_unless_each_is_written_as_an_integer(
    tmp_path, ids, line_end, form
):
    rows = [form.format(one) for one in ids]
    place = form.replace('"', "").split(",").index("{}")
    columns = ["a", "b", "c"]
    names = {"item": columns.pop(place), "user": columns[0]}
    path = write(tmp_path, line_end.join(["a,b,c", *rows, ""]))
    assert items(path, **names) == ids


@pytest.mark.parametrize(
    "ids, dtype",
    [
        (["7", "0", "10"], np.int64),
        (["9223372036854775807", "1"], np.int64),
        (["18446744073709551615", "1"], np.uint64),
    ],
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_ids_that_are_written_as_integers_are_integers(tmp_path, ids, dtype, quote):
    rows = "".join(f"{quote}{one}{quote},u\n" for one in ids)
    log = read_interactions(write(tmp_path, f"item,user\n{rows}"), timestamp=None)
    assert log["item"].tolist() == [*map(int, ids)]
    assert log["item"].dtype == dtype
    dat = write(tmp_path, "".join(f"1::{one}::3::4\n" for one in ids), "log.dat")
    assert read_interactions(dat)["item"].dtype == dtype


def test_each_column_is_judged_by_itself(tmp_path):
    log = read_interactions(write(tmp_path, HEADER + "07,8,1\n7,9,2\n"))
    assert log["user"].tolist() == ["07", "7"]
    assert log["item"].dtype == np.int64


def test_tokens_of_recbole_are_text(tmp_path):
    text = "user_id:token\titem_id:token\ttimestamp:float\n7\t0001388703\t1\n8\t13\t2\n"
    log = read_interactions(write(tmp_path, text, "log.inter"))
    assert log.values.tolist() == [["7", "0001388703", 1], ["8", "13", 2]]
    commas = write(tmp_path, text.replace("\t", ","))
    pd.testing.assert_frame_equal(read_interactions(commas), log)


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    path = write(tmp_path, "user,item,item,timestamp\nu,a,b,1\n")
    with refused("item", "item", says="names 2 columns"):
        read_interactions(path)


def test_a_missing_value_is_named_by_its_line(tmp_path):
    path = write(tmp_path, HEADER + '\nu,"a\nb",1\nu,,2\nu,,3\n')
    with refused("path_or_frame", path, says="'item' in 2 rows of 3, .* line 5"):
        read_interactions(path)


def test_a_wrong_time_is_named_by_its_line_and_file(tmp_path):
    path = write(tmp_path, HEADER + "u,a,1\nu,b,soon\n")
    with refused("path_or_frame", path, says="holds 'soon' .*'timestamp', line 3, wh"):
        read_interactions(path)


NO_HEADER = "A1,B1,5.0,138\nA1,B2,4.0,139\nA1,B3,4.0,140\n"


@pytest.mark.parametrize(
    "name, text, columns",
    [
        ("log.csv", NO_HEADER, {}),
        ("log.tsv", NO_HEADER.replace(",", "\t"), {}),
        ("log.csv", NO_HEADER.replace(",", ";"), {}),
        ("log.csv", "A1,B1\nA1,B2\nA1,B3\n", {"timestamp": None}),
        ("log.csv", "A1,B1,2020-01-01\nA2,B2,2020-01-02\nA3,B3,2020-01-03\n", {}),
        ("log.csv", NO_HEADER, {"user": "A1", "item": "B1", "timestamp": "138"}),
    ],
)
def test_a_file_without_a_header_is_told_and_read_by_the_numbers_that_are_shown(
    tmp_path, name, text, columns
):
    path = write(tmp_path, text, name)
    with refused("path_or_frame", path, says="no header.*'A1', 'B1'") as error:
        read_interactions(path, **columns)
    advice = error.value.fix.split("a guess: ")[1].removesuffix(".")
    options = error.value.option_fix.split("a guess: ")[1]
    assert re.findall(r"=(\d)", advice) == re.findall(r"--\w+ (\d)", options)
    log = eval(f"read_interactions(path, {advice})", {**globals(), "path": path})
    assert log["item"].tolist() == ["B1", "B2", "B3"]
    assert (log["timestamp"].dtype.kind == "M") == ("2020" in text)


def test_a_header_of_numbers_is_a_header(tmp_path):
    frame = pd.DataFrame([[0, 7, 1], [5, 8, 2]])
    frame.to_csv(tmp_path / "log.csv", index=False)
    for names in ((0, 1, 2), ("0", "1", "2")):
        log = read_interactions(tmp_path / "log.csv", *names)
        assert log.values.tolist() == frame.values.tolist()


@pytest.mark.parametrize(
    "columns, argument, received, message",
    [
        ({"user": 0, "item": 1}, "timestamp", "timestamp", r"\(user: 0, item: 1\)"),
        ({"user": 0, "item": 1, "timestamp": 4}, "timestamp", 4, "must be 0 to 3"),
        ({"user": -1, "item": 1, "timestamp": 3}, "user", -1, "must be 0 to 3"),
        ({"user": 1, "item": 1, "timestamp": 3}, "item", 1, "the same column as user"),
    ],
)
def test_numbers_of_columns_are_checked(tmp_path, columns, argument, received, message):
    with refused(argument, received, says=message) as caught:
        read_interactions(write(tmp_path, NO_HEADER), **columns)
    assert "timestamp=None" not in caught.value.option_fix


@pytest.mark.parametrize("columns", [{}, {"timestamp": None}])
def test_a_header_among_the_rows_is_named_by_its_line(tmp_path, columns):
    text = HEADER + "u,a,1\n" + HEADER + "u,b,2\n"
    with refused("path_or_frame", says="log.csv' repeats its header in line 3"):
        read_interactions(write(tmp_path, text), **columns)


def test_an_item_may_be_called_item(tmp_path):
    assert items(write(tmp_path, HEADER + "u,item,1\nv,user,2\n")) == ["item", "user"]


def test_an_index_of_pandas_is_a_column_of_a_parquet_file(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"user": ["b", "a"], "item": [1, 2], "timestamp": [1, 2]})
    frame.set_index("user").to_parquet(tmp_path / "log.parquet")
    assert read_interactions(tmp_path / "log.parquet")["user"].tolist() == ["a", "b"]


def test_a_parquet_file_that_is_cut_off_is_named(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"user": range(99), "item": range(99)})
    frame.to_parquet(tmp_path / "log.parquet")
    data = (tmp_path / "log.parquet").read_bytes()
    path = write(tmp_path, data[: len(data) // 2], "log.parquet")
    with refused("path_or_frame", path, says="cannot be read as .parquet"):
        read_interactions(path)
