import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import (
    Vocabulary,
    make_windows,
    read_interactions,
    read_sequences,
    split_random,
)
from stackrec_keras.errors import StackRecWarning


def write(tmp_path, text):
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode())
    return path


def raw_rows(windows, vocabulary):
    return [vocabulary.decode(row[row > 0]).tolist() for row in windows.items]


ROWS = [[7, 30, 7], [5, 30], [100, 5, 7, 9]]


@pytest.mark.parametrize(
    "text",
    [
        "7,30,7\n5,30\n100,5,7,9\n",
        "7,30,7\n5,30\n100,5,7,9",
        "0,7,30,7\n0,0,5,30\n100,5,7,9\n",
        "7,30,7,0\n5,30,0,0\n100,5,7,9\n",
        "7, 30, 7\r\n5, 30\r\n100, 5, 7, 9\r\n",
        '"7","30","7"\n\n5,30,\n11\n100,5,7,9\n',
        "7,30,7\r5,30\r100,5,7,9\r",
    ],
    ids=["ragged", "cut", "left", "right", "spaces", "quotes and blanks", "old mac"],
)
def test_rows_are_read_whatever_their_padding(tmp_path, text):
    windows, vocabulary = read_sequences(write(tmp_path, text))
    assert raw_rows(windows, vocabulary) == ROWS
    assert windows.items.shape == (3, 4)
    assert (windows.items[:2, 0] == 0).all()
    assert windows.items.dtype == np.int32
    assert windows.users.tolist() == [0, 1, 2]
    assert windows.end_time is None
    assert windows.vocabulary is vocabulary


def test_ids_are_integers_in_order_of_number_and_counted(tmp_path):
    _, vocabulary = read_sequences(write(tmp_path, "0,7,30,7\n0,0,5,30\n100,5,7,9\n"))
    assert vocabulary.ids.tolist() == [5, 7, 9, 30, 100]
    assert vocabulary.counts.tolist() == [2, 3, 1, 2, 1]


def test_padding_zero_never_becomes_an_item(tmp_path):
    windows, vocabulary = read_sequences(write(tmp_path, "0,0,1\n0,1,2\n3,2,1\n"))
    assert 0 not in vocabulary.ids
    assert vocabulary.encode([0]).tolist() == [0]
    assert raw_rows(windows, vocabulary) == [[1, 2], [3, 2, 1]]


def test_another_padding_leaves_zero_an_item(tmp_path):
    path = write(tmp_path, "0,1,-1\n0,1,2\n")
    windows, vocabulary = read_sequences(path, pad=-1)
    assert raw_rows(windows, vocabulary) == [[0, 1], [0, 1, 2]]
    assert windows.items.tolist() == [[0, 1, 2], [1, 2, 3]]
    windows, vocabulary = read_sequences(path, pad=None)
    assert raw_rows(windows, vocabulary) == [[0, 1, -1], [0, 1, 2]]


def test_ids_that_are_not_all_plain_numbers_stay_strings(tmp_path):
    windows, vocabulary = read_sequences(write(tmp_path, "07,8,NA\nx,8\n"))
    assert raw_rows(windows, vocabulary) == [["07", "8", "NA"], ["x", "8"]]


def test_the_first_column_may_be_the_user(tmp_path):
    text = "30,0,1,2\n4,5,1,2\n30,0,0,9\n30,2,1,1\n0,0,1,1\n"
    windows, vocabulary = read_sequences(write(tmp_path, text), user_column=True)
    assert vocabulary.ids.tolist() == [1, 2, 5, 9]
    assert raw_rows(windows, vocabulary) == [[1, 2], [5, 1, 2], [2, 1, 1], [1, 1]]
    assert windows.user_ids.tolist() == [0, 4, 30]
    assert windows.users.tolist() == [2, 1, 2, 0]


def test_the_items_of_rows_that_are_left_out_are_in_the_vocabulary_as_of_a_log(
    tmp_path,
):
    windows, vocabulary = read_sequences(write(tmp_path, "1,2\n0,9\n"))
    assert vocabulary.ids.tolist() == [1, 2, 9]
    assert raw_rows(windows, vocabulary) == [[1, 2]]


def test_a_length_keeps_the_last_items(tmp_path):
    windows, vocabulary = read_sequences(write(tmp_path, "1,2,3\n4,5\n"), length=2)
    assert raw_rows(windows, vocabulary) == [[2, 3], [4, 5]]
    windows, _ = read_sequences(write(tmp_path, "1,2,3\n4,5\n"), length=6)
    assert windows.items.shape == (2, 6)


def test_the_windows_can_be_split_and_batched(tmp_path):
    text = "\n".join(f"{n},{n + 1},{n + 2}" for n in range(1, 31))
    windows, _ = read_sequences(write(tmp_path, text))
    split = split_random(windows)
    assert (len(split.train), len(split.validation), len(split.test)) == (21, 3, 6)
    x, y = split.train.batches(8)[0]
    assert x.shape == y.shape == (8, 2)


def test_wrong_arguments_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="No file at"):
        read_sequences(tmp_path / "nothing.csv")
    with pytest.raises(IsADirectoryError, match="is a folder; give the path of a file"):
        read_sequences(tmp_path)
    (tmp_path / "latin.csv").write_bytes(b"\xe9,2,3\n")
    with refused("path", tmp_path / "latin.csv", says="is not in UTF-8"):
        read_sequences(tmp_path / "latin.csv")
    with refused("length", 1):
        read_sequences(write(tmp_path, "1,2\n"), length=1)
    for text in ("0,0,1\n", "", "\n"):
        with refused("path", says="no row with at least two items"):
            read_sequences(write(tmp_path, text))


def test_a_file_gives_the_windows_of_the_same_log(tmp_path):
    log = read_interactions(
        pd.DataFrame({"user": [0, 0, 0, 1, 1], "item": [7, 30, 7, 5, 30]}),
        timestamp=None,
    )
    expected = make_windows(log, Vocabulary.from_items(log["item"]), 3)
    windows, vocabulary = read_sequences(write(tmp_path, "7,30,7\n5,30\n"))
    assert windows.items.tolist() == expected.items.tolist()
    assert windows.users.tolist() == expected.users.tolist()
    assert vocabulary == expected.vocabulary


@pytest.mark.parametrize(
    "text, message",
    [
        ("i1,i2,i3\n5,6,7\n6,7,5\n", "field 'i1' in line 1. Remove the header"),
        ("a,b\n5,6\n", "field 'a' in line 1. Remove the header"),
        ("[5, 6, 7]\n[7, 5, 6]\n", r"'\[5' in line 1. .* without brackets"),
        ("5,6\n(7, 5)\n", r"'\(7' in line 2. .* without brackets"),
        ('5,6\n"[7, 5]"\n', r"'\[7, 5\]' in line 2. .* without brackets"),
        ("5.0,6.0,0.0\n6.0,7.0,5.0\n", "'5.0' in line 1. Write whole numbers.*Int64"),
        ("5,6\n7,nan\n", "'nan' in line 2. Write whole numbers"),
        ("5,6\n5.000e+00,7.000e+00\n", "'5.000e.00' in line 2. Write whole numbers"),
        ('5,6\n5,"6\n7,8"\n', "quote in line 2 that is not closed"),
        ('5,6\n"a"b,6\n', "quote in line 2 that is not closed"),
        (b"5,6\n5,\x006\n", r"'\\x00' in line 2"),
        (b"5,6\n5,\xe96\n", r"not in UTF-8: line 2 holds b'.xe9'"),
        ("5 6 7\n7 8 9\n", "no row .* that there are commas between"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "rows.csv").write_bytes(
        text if isinstance(text, bytes) else text.encode()
    )
    with refused("path", tmp_path / "rows.csv", says=message):
        read_sequences(tmp_path / "rows.csv")


def test_the_header_before_users_and_items_is_refused(tmp_path):
    path = write(tmp_path, "user,a,b\nu1,5,6\nu2,7,8\n")
    with refused("path", path, says="'a' in line 1. Remove the header"):
        read_sequences(path, user_column=True)


def test_a_header_of_numbers_is_told(tmp_path):
    path = write(tmp_path, "0,1,2,3\n5,6,7,8\n")
    with pytest.warns(StackRecWarning, match="rows.csv' is 0,1,2,3. If pandas wrote"):
        read_sequences(path)


def test_quotes_and_brackets_in_titles_are_read(tmp_path):
    text = '\ufeff"Good, the Bad",12" mix\n[REC],"a ""b""",Alien (1979)\n'
    windows, vocabulary = read_sequences(write(tmp_path, text))
    assert raw_rows(windows, vocabulary) == [
        ["Good, the Bad", '12" mix'],
        ["[REC]", 'a "b"', "Alien (1979)"],
    ]


def test_integers_that_int64_cannot_hold_are_integers(tmp_path):
    windows, vocabulary = read_sequences(write(tmp_path, f"{2**64},5\n5,7\n"))
    assert vocabulary.ids.tolist() == [5, 7, 2**64]


def test_a_window_that_slides_over_a_users_history_is_split_by_user(tmp_path):
    text = "".join(
        f"{user},{10 * user + n},{10 * user + n + 1},{10 * user + n + 2}\n"
        for user in range(1, 9)
        for n in range(5)
    )
    windows, _ = read_sequences(write(tmp_path, text), user_column=True)
    assert windows.overlapping
    split = split_random(windows, 0.25, 0.25)
    users = [set(part.users) for part in (split.train, split.validation, split.test)]
    assert [len(part) for part in users] == [4, 2, 2]
    assert set.union(*users) == set(range(8))
    apart = write(tmp_path, "1,5,6,7\n1,8,9,5\n2,5,6,7\n")
    assert not read_sequences(apart, user_column=True)[0].overlapping


def test_a_long_path_is_shown_whole(tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    path = write(folder, "5.0,6.0\n7.0,8.0\n")
    with refused("path", path, says="long/rows.csv' has the field '5.0' in line 1"):
        read_sequences(str(path))
