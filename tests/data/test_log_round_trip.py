"""What pandas writes, read_interactions reads: every string as it was."""

import csv

import numpy as np
import pandas as pd
import pytest

from stackrec_keras.data import read_interactions

# What splits fields and rows, what looks like a number, and what looks like nothing.
PIECES = [*",;\t|\"' \n\r017.+-eé雪\u2028\\#[", "ab", "\r\n", '""', "x,y\nz"]
WORDS = ["NA", "null", "nan", "inf", "True", "1E5", "007", "7", "1_000", "-1", "٣"]
WORDS += ["18446744073709551616", "9007199254740993", "2020-01-01", "1.0", " 7", "+7"]


def texts(rng, number):
    """Strings, none of them empty: an empty field is a missing value."""
    if rng.random() < 0.2:
        return [str(one) for one in rng.integers(0, 50, number)]
    return [
        str(rng.choice(WORDS))
        if rng.random() < 0.3
        else "".join(
            PIECES[i] for i in rng.integers(len(PIECES), size=rng.integers(1, 6))
        )
        for _ in range(number)
    ]


def nasty_table(rng):
    rows = int(rng.integers(1, 30))
    table = pd.DataFrame(
        {
            "user": rng.choice(np.array(texts(rng, 6), object), rows),
            "item": rng.choice(np.array(texts(rng, 9), object), rows),
            str(rng.choice(["title", 'title, "x"\n'])): texts(rng, rows),
            "timestamp": np.arange(rows),
        },
        dtype=object,
    )
    return table[rng.permutation(table.columns)]


def as_ids(column):
    """The rule: integers where all of a column are written as such, else text."""
    texts = column.tolist()
    are_integers = all(
        text.isascii() and text.isdigit() and str(int(text)) == text for text in texts
    )
    if are_integers and max(map(int, texts)) < 2**64:
        return [int(text) for text in texts]
    return texts


def check_round_trip(path, rng, **options):
    table = nasty_table(rng)
    options.setdefault("quoting", int(rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])))
    options.setdefault("lineterminator", str(rng.choice(["\n", "\r\n"])))
    options.setdefault("encoding", str(rng.choice(["utf-8", "utf-8-sig"])))
    table.to_csv(path, index=False, **options)
    log = read_interactions(path).sort_values("timestamp")
    assert log["user"].tolist() == as_ids(table["user"]), options
    assert log["item"].tolist() == as_ids(table["item"]), options


@pytest.mark.filterwarnings("ignore:.*ends? with a carriage return")
@pytest.mark.parametrize(
    "name, separator",
    [("a.csv", ","), ("a.csv", ";"), ("a.csv", "\t"), ("a.csv", "|"), ("a.tsv", "\t")],
)
def test_any_table_of_strings_comes_back_as_it_was(tmp_path, name, separator):
    for seed in range(50):
        rng = np.random.default_rng(seed)
        check_round_trip(tmp_path / name, rng, sep=separator)


@pytest.mark.filterwarnings("ignore:.*ends? with a carriage return")
@pytest.mark.parametrize("compression", ["gz", "bz2", "xz", "zip", "zst"])
@pytest.mark.parametrize("name, separator", [("a.csv", ","), ("a.tsv", "\t")])
def test_a_compressed_table_comes_back_as_it_was(
    tmp_path, compression, name, separator
):
    if compression == "zst":
        pytest.importorskip("zstandard")
    for seed in range(10):
        rng = np.random.default_rng(seed)
        check_round_trip(tmp_path / f"{name}.{compression}", rng, sep=separator)


def test_a_table_of_more_than_one_block_comes_back_as_it_was(tmp_path):
    rng = np.random.default_rng(0)
    rows = 30_000
    table = pd.DataFrame(
        {
            "user": rng.integers(0, 10**6, rows).astype(str),
            "item": [
                f'"{number}", no. {number}' for number in rng.integers(0, 99, rows)
            ],
            "timestamp": np.arange(rows),
        }
    )
    table.to_csv(tmp_path / "log.csv", index=False)
    assert (tmp_path / "log.csv").stat().st_size > 2 * 2**18
    log = read_interactions(tmp_path / "log.csv").sort_values("timestamp")
    assert log["user"].tolist() == table["user"].astype(int).tolist()
    assert log["item"].tolist() == table["item"].tolist()
