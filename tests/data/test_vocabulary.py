import collections
import datetime
import decimal
import enum
import json
import uuid

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import Split, Vocabulary, Windows


def test_ids_are_sorted_and_counted_whatever_the_order_of_rows():
    for items in (["b", "a", "b", "c"], ["c", "b", "b", "a"]):
        vocabulary = Vocabulary.from_items(pd.Series(items))
        assert list(vocabulary.ids) == ["a", "b", "c"]
        assert list(vocabulary.counts) == [1, 2, 1]
        assert vocabulary.counts.dtype == np.int64
        assert len(vocabulary) == 3


def test_integers_are_sorted_as_numbers():
    vocabulary = Vocabulary.from_items([10, 9, 9, -1])
    assert list(vocabulary.ids) == [-1, 9, 10]
    assert list(vocabulary.counts) == [1, 2, 1]


@pytest.mark.parametrize("items", [["b", "a", "c"], [30, 10, 20], [3.5, 1.5, 2.5]])
def test_encode_counts_from_one_and_gives_zero_for_unknown(items):
    vocabulary = Vocabulary.from_items(items)
    encoded = vocabulary.encode(items)
    assert list(encoded) == [int(i) + 1 for i in np.argsort(np.argsort(items))]
    assert encoded.dtype == np.int32
    assert list(vocabulary.encode([items[0], "unknown"])) == [encoded[0], 0]
    assert list(vocabulary.encode([None])) == [0]
    assert vocabulary.encode([]).shape == (0,)


def test_an_item_whose_raw_id_is_zero_does_not_become_padding():
    vocabulary = Vocabulary.from_items([0, 5])
    assert list(vocabulary.encode([0, 5])) == [1, 2]


def test_strings_and_integers_are_different_ids():
    assert list(Vocabulary.from_items([1, 2]).encode(["1", "2"])) == [0, 0]
    assert list(Vocabulary.from_items(["1", "2"]).encode([1, 2])) == [0, 0]


def test_decode_undoes_encode_in_any_shape():
    vocabulary = Vocabulary.from_items(["b", "a", "c"])
    indices = np.array([[1, 3], [2, 2]])
    assert vocabulary.decode(indices).tolist() == [["a", "c"], ["b", "b"]]


@pytest.mark.parametrize("index", [0, 4, -1])
def test_decode_refuses_padding_and_what_lies_outside(index):
    vocabulary = Vocabulary.from_items(["b", "a", "c"])
    with refused("indices", says=f"holds {index}, but items are 1 to"):
        vocabulary.decode([1, index])


@pytest.mark.parametrize("items", [[3, 1, 1], ["3", "1", "1"], [(1, 2), (0, 1)][:0]])
def test_json_keeps_ids_counts_and_their_type(items):
    vocabulary = Vocabulary.from_items(items) if items else Vocabulary([])
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again == vocabulary
    assert [type(i) for i in again.ids.tolist()] == [
        type(i) for i in vocabulary.ids.tolist()
    ]
    config = json.loads(json.dumps(vocabulary.get_config()))
    assert Vocabulary.from_config(config) == vocabulary


@pytest.mark.parametrize(
    "ids",
    [
        [uuid.UUID(int=1), uuid.UUID(int=2)],
        [b"\x00", b"\xff"],
        [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)],
        [pd.Timestamp("2020-01-01T10:00:00.000000001"), pd.Timestamp("2020-01-02")],
        [decimal.Decimal("0.10"), decimal.Decimal("2")],
        [(0, "a"), (1, "b")],
        [2**63, 2**64 - 1],
        [False, True],
        [0.5, 1.0],
    ],
    ids=lambda ids: type(ids[0]).__name__,
)
def test_ids_of_any_type_are_encoded_and_come_back_from_a_file_as_they_were(ids):
    vocabulary = Vocabulary.from_items([*ids, ids[1]])
    assert list(vocabulary.encode([ids[1], ids[0]])) == [2, 1]
    assert list(vocabulary.decode([2, 1])) == [ids[1], ids[0]]
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again == vocabulary
    assert [*map(type, again.ids.tolist())] == [*map(type, ids)]
    assert list(again.encode(ids)) == [1, 2]


def test_hashes_of_64_bits_do_not_wrap_around():
    items = np.array([2**64 - 1, 5, 2**63], dtype=np.uint64)
    vocabulary = Vocabulary.from_items(items)
    assert list(vocabulary.ids) == [5, 2**63, 2**64 - 1]
    assert list(vocabulary.encode(items)) == [3, 1, 2]


def test_numbers_of_numpy_in_a_list_are_numbers():
    assert Vocabulary([np.int64(3), np.int64(4)]) == Vocabulary([3, 4])


def test_ids_that_a_file_cannot_hold_are_refused_only_there():
    vocabulary = Vocabulary([pd.Timedelta(1), pd.Timedelta(2)])
    assert list(vocabulary.encode([pd.Timedelta(2)])) == [2]
    with pytest.raises(TypeError, match=r"types \['Timedelta'\] .*astype\(str\)"):
        vocabulary.to_json()


@pytest.mark.parametrize(
    "parts, kinds",
    [
        ([pd.Timestamp(0), pd.Timestamp(1)], "'Timestamp', 'tuple'"),
        ([(1, 2), (3, 4)], "'tuple'"),
    ],
)
def test_tuples_hold_numbers_and_strings_alone_in_a_file(parts, kinds):
    vocabulary = Vocabulary([(part,) for part in parts])
    with pytest.raises(TypeError, match=rf"types \[{kinds}\] cannot be written"):
        vocabulary.get_config()


def test_equality_looks_at_ids_their_type_and_counts():
    assert Vocabulary([1, 2], [3, 4]) == Vocabulary([1, 2], [3, 4])
    assert Vocabulary([1, 2], [3, 4]) != Vocabulary([1, 2], [3, 5])
    assert Vocabulary([1, 2]) != Vocabulary(["1", "2"])
    assert Vocabulary([1, 2]) != Vocabulary([2, 1])
    assert Vocabulary([1]) != [1]


def test_repeated_ids_and_wrong_counts_are_refused():
    with refused("ids", says="'a' more than once"):
        Vocabulary(["a", "b", "a"])
    with refused("ids", says="holds 1000 more than once"):
        Vocabulary([1000, 1000])
    with refused("counts"):
        Vocabulary(["a", "b"], [1])


def test_one_is_said_in_the_singular():
    vocabulary = Vocabulary.from_items(["a"])
    assert repr(vocabulary) == "Vocabulary(1 id, 1 occurrence)"
    windows = Windows(
        np.ones((1, 2), np.int32), np.zeros(1, np.int32), None, vocabulary
    )
    assert repr(windows) == "Windows(1 row of 2 items)"
    split = Split(windows, windows, windows)
    assert "1 test row of 2 items; 1 item, 1 user" in str(split)


def test_missing_mixed_and_no_items_are_refused():
    with refused("items", says="in 1 of 2 rows"):
        Vocabulary.from_items(["a", None])
    with refused("items", says=r"types \['int', 'str'\]"):
        Vocabulary.from_items(pd.Series([1, "a"], dtype=object))
    with refused("items", says="at least one id"):
        Vocabulary.from_items([])


def test_a_whole_log_is_refused_with_the_column_to_give():
    log = pd.DataFrame({"user": [1], "item": [2]})
    with refused("items", says=r"from_items\(log\['item'\]\)"):
        Vocabulary.from_items(log)


def test_a_vocabulary_is_extended_behind_the_ids_that_it_has():
    old = Vocabulary(["c", "a"], [7, 9])
    new = old.extended(["d", "a", "b", "d"])
    assert new.ids.tolist() == ["c", "a", "b", "d"]
    assert new.counts.tolist() == [0, 1, 1, 2]
    assert old.ids.tolist() == ["c", "a"] and old.counts.tolist() == [7, 9]
    assert old.extended(["a"]).ids.tolist() == ["c", "a"]
    numbers = Vocabulary([30, 10]).extended([20, 10])
    assert numbers.ids.tolist() == [30, 10, 20] and numbers.ids.dtype == np.int64


@pytest.mark.parametrize("known, items", [([1, 2], ["1"]), (["1", "2"], [1])])
def test_ids_of_another_type_do_not_extend_a_vocabulary(known, items):
    with refused("items", says="cannot equal known ids .*astype"):
        Vocabulary(known).extended(items)


def test_numbers_extend_numbers_as_the_type_that_those_known_have():
    integers = Vocabulary([1, 2, 3]).extended([1.0, 5.0])
    assert integers.ids.tolist() == [1, 2, 3, 5]
    assert integers.ids.dtype == np.int64
    assert integers.counts.tolist() == [1, 0, 0, 1]
    assert integers.extended([7]).ids.tolist() == [1, 2, 3, 5, 7]
    floats = Vocabulary([0.5, 2.0]).extended([2, 3])
    assert floats.ids.tolist() == [0.5, 2.0, 3.0] and floats.ids.dtype == np.float64


@pytest.mark.parametrize(
    "known, items, message",
    [
        ([1, 2], [2.0, 5.5], "holds 5.5, but the known ids are integers such as 1"),
        ([1, 2], [1e300], r"holds 1e\+300"),
        ([0.5], [2**53 + 1], "holds 9007199254740993, .* floats such as 0.5"),
    ],
)
def test_numbers_that_the_type_of_those_known_cannot_hold_are_named(
    known, items, message
):
    with refused("ids", says=message):
        Vocabulary(known).extended(items)


def test_categories_without_rows_are_not_items():
    column = pd.Series(["b", "a", "b", "c"], dtype="category")[:3]
    vocabulary = Vocabulary.from_items(column)
    assert vocabulary.ids.tolist() == ["a", "b"]
    assert vocabulary.counts.tolist() == [1, 2]


NOT_UTF_8 = "caf\udce9"


@pytest.mark.parametrize(
    "ids, message",
    [
        (["tea", NOT_UTF_8], r"'caf.udce9', which a file cannot hold: 'utf-8' codec"),
        ([("a", NOT_UTF_8)], "caf.udce9'.*, which a file cannot hold"),
        ([1.0, float("inf")], "holds inf, which a file cannot hold"),
        ([("a", float("nan"))], r"holds \('a', nan\), which a file cannot hold"),
    ],
)
def test_an_id_that_a_file_cannot_hold_is_named(ids, message):
    vocabulary = Vocabulary(ids)
    assert vocabulary.encode(ids).tolist() == [*range(1, len(ids) + 1)]
    with refused("ids", says=message):
        vocabulary.get_config()


def test_ids_that_are_not_utf_8_are_counted_and_encoded():
    vocabulary = Vocabulary.from_items([NOT_UTF_8, "tea", NOT_UTF_8])
    assert vocabulary.ids.tolist() == [NOT_UTF_8, "tea"]
    assert vocabulary.counts.tolist() == [2, 1]
    assert vocabulary.encode(["tea", NOT_UTF_8, "rum"]).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    "missing", [None, float("nan"), pd.NaT, decimal.Decimal("NaN")], ids=str
)
def test_a_missing_value_is_not_an_id(missing):
    with refused("ids", says="missing value .* at index 1"):
        Vocabulary(["a", missing])
    with refused("ids", says="missing value nan at index 0"):
        Vocabulary([float("nan"), 1.0])


@pytest.mark.parametrize("ids", [[True, 1], [1.5, False], [True, 2]])
def test_booleans_are_not_numbers(ids):
    for make, argument in ((Vocabulary, "ids"), (Vocabulary.from_items, "items")):
        with refused(argument, says="holds booleans and numbers"):
            make(pd.Series(ids, dtype=object))


class Text(str):
    pass


Color = enum.IntEnum("Color", "RED BLUE")
Size = enum.StrEnum("Size", "SMALL LARGE")
Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "ids, plain",
    [
        ([Text("a"), Text("b")], ["a", "b"]),
        ([Color.RED, Color.BLUE], [1, 2]),
        ([Size.LARGE, Size.SMALL], ["large", "small"]),
        ([Pair(1, "x"), Pair(2, "y")], [(1, "x"), (2, "y")]),
        ([(np.int64(1), np.str_("a"))], [(1, "a")]),
        (np.array([1], "datetime64[ns]"), [pd.Timestamp(1)]),
    ],
)
def test_ids_of_derived_types_become_those_that_come_back_from_a_file(ids, plain):
    vocabulary = Vocabulary(ids)
    assert vocabulary.ids.tolist() == plain
    assert [*map(type, vocabulary.ids.tolist())] == [*map(type, plain)]
    assert vocabulary.encode(ids).tolist() == [*range(1, len(plain) + 1)]
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_ids_with_too_few_occurrences_are_left_out():
    vocabulary = Vocabulary.from_items(["b", "a", "b", "c", "c"], min_count=2)
    assert vocabulary == Vocabulary(["b", "c"], [2, 2])
    for least in (0, 1.5):
        with refused("min_count", received=least):
            vocabulary.with_count(least)
    with refused("min_count", received=3):
        vocabulary.with_count(3)
