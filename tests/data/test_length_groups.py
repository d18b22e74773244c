"""Evaluation batches of rows of similar length."""

import numpy as np
import pytest

from stackrec_keras.data import Windows


def windows_of(lengths, width=25):
    """Rows with so many items, counting the target."""
    items = np.zeros((len(lengths), width), "int32")
    rng = np.random.default_rng(0)
    for row, length in zip(items, lengths):
        row[width - length :] = rng.integers(1, 31, length)
    return Windows(items, np.arange(len(lengths), dtype="int32"))


@pytest.fixture
def windows():
    return windows_of(np.random.default_rng(1).integers(2, 26, 150))


def grouped(windows, batch_size=8):
    return windows.batches(
        batch_size,
        features=["items", "users"],
        group_by_length=True,
        evaluation=True,
    )


def all_batches(batches):
    return [batches[index] for index in range(len(batches))]


def test_each_row_comes_once_and_loses_only_padding(windows):
    users = []
    for x, y in all_batches(grouped(windows)):
        rows = windows.subset(x["users"])
        offset = x["offset"][0]
        assert x["offset"].shape == (len(y),) and (x["offset"] == offset).all()
        full = np.pad(x["items"], ((0, 0), (offset, 0)))
        np.testing.assert_array_equal(full, rows.inputs)
        np.testing.assert_array_equal(y, rows.last_item)
        users += x["users"].tolist()
    assert sorted(users) == list(range(150))


def test_half_of_the_positions_are_saved_with_few_widths(windows):
    widths = [x["items"].shape[1] for x, _ in all_batches(grouped(windows))]
    assert set(widths) == {8, 16, 24}
    assert np.mean(widths) < 18 and widths[0] != widths[1]


@pytest.mark.parametrize(
    "lengths, batch_size", [([25] * 9, 4), ([2, 25, 25], 4), ([2, 2, 2, 2, 25], 2)]
)
def test_nothing_is_cut_if_the_first_batches_would_have_one_width(lengths, batch_size):
    for x, _ in all_batches(grouped(windows_of(lengths), batch_size)):
        assert x["items"].shape[1] == 24 and not x["offset"].any()


def test_rows_of_padding_are_the_shortest(windows):
    windows.items[:30] = 0
    x, _ = grouped(windows)[0]
    assert x["users"].max() < 30 and x["items"].shape == (8, 8)
