import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import Vocabulary, read_item_features

VOCABULARY = Vocabulary(["a", "b", "c"])
FRAME = pd.DataFrame({"drama": [1, 0, 1, 0], "year": [3.0, 2, 1, 0]}, list("cabx"))


@pytest.mark.parametrize("features", [FRAME, FRAME.T.to_dict("list")])
def test_rows_come_in_the_order_of_the_indices(features):
    aligned = VOCABULARY.align_features(features)
    assert aligned.dtype == "float32"
    assert aligned.tolist() == [[0, 2], [1, 1], [1, 3]]


def test_numbers_are_ids_as_in_the_vocabulary():
    aligned = Vocabulary([30, 10]).align_features({10: [1.0], 30: [3.0]})
    assert aligned.tolist() == [[3], [1]]


def test_items_without_features_are_counted_and_named():
    with refused("features", says="lacks 2 of 3 items: 'a', 'b'. .*default"):
        VOCABULARY.align_features(FRAME.loc[["c"]])


@pytest.mark.parametrize("default, row", [(0, [0, 0]), ([5, 6], [5, 6])])
def test_a_default_stands_in_for_them(default, row):
    aligned = VOCABULARY.align_features(FRAME.loc[["c", "a"]], default)
    assert aligned.tolist() == [[0, 2], row, [1, 3]]


def test_a_default_does_not_hide_that_all_ids_are_others():
    with refused("features", says="lacks 2 of 2 items: 1, 2. None .*first is '1'"):
        Vocabulary([1, 2]).align_features({"1": [1.0], "2": [2.0]}, default=0)


def test_rows_of_other_items_do_not_matter():
    others = pd.DataFrame({"drama": np.nan, "year": 0}, ["x", "x", np.nan, np.nan])
    aligned = VOCABULARY.align_features(pd.concat([FRAME, others]))
    assert aligned.tolist() == VOCABULARY.align_features(FRAME).tolist()


def test_ids_may_be_tuples_and_columns_of_any_numbers():
    columns = {
        "whole": pd.array([1, 2], "Int64"),
        "yes": pd.array([True, False], "boolean"),
        "sparse": pd.arrays.SparseArray([0.0, 5]),
    }
    ids = [("a", 1), ("b", 2)]
    frame = pd.DataFrame(columns, pd.MultiIndex.from_tuples(ids))
    rows = Vocabulary(ids[::-1]).align_features(frame)
    assert rows.tolist() == [[2, 0, 5], [1, 1, 0]]


@pytest.mark.parametrize(
    "features, says",
    [
        (FRAME.assign(genre="drama"), "column 'genre'"),
        (pd.concat([FRAME, FRAME.loc[["a"]]]), "'a' more than once"),
        (
            FRAME.replace(2.0, np.nan),
            "NaN or infinite values in 1 row, first in the row of 'a'",
        ),
        (FRAME.replace(2.0, 1e39), "NaN or infinite"),
        ({"a": [1, 2], "b": [1], "c": [1, 2]}, "the same length"),
        ({"a": 1, "b": 1, "c": 1}, "numbers of the shape"),
        ({}, "frame whose index"),
        (np.ones((3, 2)), "frame whose index"),
        (FRAME[[]], "numbers of the shape"),
    ],
)
def test_what_is_not_a_table_of_finite_numbers_is_refused(features, says):
    with refused("features", says=says):
        VOCABULARY.align_features(features)


@pytest.mark.parametrize("default", [[1], "x", np.nan])
def test_a_default_must_be_like_the_others(default):
    with refused("default"):
        VOCABULARY.align_features(FRAME.loc[["c"]], default)


@pytest.mark.parametrize("name", ["f.csv", "f.tsv", "f.parquet"])
def test_a_file_has_a_column_of_ids_and_columns_of_numbers(name, tmp_path):
    path, frame = tmp_path / name, FRAME.rename_axis("film").reset_index()
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    features = read_item_features(path, VOCABULARY, "film")
    assert features.tolist() == VOCABULARY.align_features(FRAME).tolist()
    with refused("item", "item"):
        read_item_features(path, VOCABULARY)


def test_ids_of_a_file_stay_text_if_the_vocabulary_has_text(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("item,x\n007,1\nNA,3\n8,2\n")
    text = Vocabulary(["8", "NA", "007"])
    assert read_item_features(path, text).tolist() == [[2], [3], [1]]
    assert read_item_features(path, Vocabulary([8, 7])).tolist() == [[2], [1]]


@pytest.mark.parametrize(
    "name, content",
    [("f.csv", b""), ("f.csv", b"item,x\n\xff,1\n"), ("f.parquet", b"no")],
)
def test_a_file_that_cannot_be_read_is_named(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with refused("path", path, "cannot be read"):
        read_item_features(path, VOCABULARY)


def test_a_file_may_lack_all_items(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("item,x\n")
    with refused("features"):
        read_item_features(path, VOCABULARY, default=0)


def test_a_path_without_a_file_is_said_to_be_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_item_features(tmp_path / "no.csv", VOCABULARY)
