import csv
import io

import numpy as np
import pytest

from stackrec_keras.data.text_rows import CheckedRows, find_fault, read_form

PIECES = ['"', ",", "\n", "a", '"x"', '"x,y"', '""', "u,b,5\n", '"b""c",b,5\n', "é\r\n"]


def form_of(data):
    return read_form(data, ".csv", ",", True)


def checked(data, block_size):
    rows = CheckedRows(io.BytesIO(data), form_of(data))
    while rows.read(block_size):
        pass
    rows.finish()
    return rows


def random_file(rng):
    line_end = str(rng.choice(["\n", "\r\n"]))
    chosen = rng.integers(len(PIECES), size=rng.integers(1, 8))
    body = "".join(PIECES[one] for one in chosen)
    mark = "\ufeff" if rng.random() < 0.2 else ""
    text = f"{mark}user,item,time\n{body}".replace("\r", "").replace("\n", line_end)
    return text.encode()


def test_what_is_seen_does_not_depend_on_the_blocks_that_are_read():
    rng = np.random.default_rng(0)
    for _ in range(500):
        data = random_file(rng)
        whole = checked(data, 1 << 18)
        for size in (1, 2, 3, 5):
            parts = checked(data, size)
            assert parts.regular == whole.regular, data
            if whole.regular:
                lengths = whole.lengths(has_header=True).tolist()
                assert parts.lengths(has_header=True).tolist() == lengths, data


def test_regular_rows_are_those_that_a_strict_reader_takes_for_rows():
    rng = np.random.default_rng(1)
    regular = 0
    for _ in range(2000):
        data = random_file(rng)
        if checked(data, 1 << 18).regular:
            regular += 1
            lines = io.StringIO(data.decode("utf-8-sig"), newline="")
            assert {len(row) for row in csv.reader(lines, strict=True)} == {3}, data
            assert find_fault(io.BytesIO(data), form_of(data)) is None, data
    assert regular > 100


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("end", ["", "end"])
def test_the_bytes_of_each_column_are_counted(line_end, end):
    text = f"user,é,t{line_end}ab,雪,1{line_end}c,d,23" + (line_end if end else "")
    rows = checked(text.encode(), 4)
    assert rows.regular
    assert rows.lengths(has_header=True).tolist() == [3, 4, 3]
    assert rows.lengths(has_header=False).tolist() == [7, 6, 4]
