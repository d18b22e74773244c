"""Training batches of rows of all lengths, in parts of different width."""

import numpy as np
import pytest

from stackrec_keras.data import Windows
from stackrec_keras.data.full_batches import FullBatches

WIDTH = 64


def windows_of(lengths):
    """Rows with so many items, counting the target."""
    items = np.zeros((len(lengths), WIDTH + 1), "int32")
    rng = np.random.default_rng(0)
    for row, length in zip(items, lengths):
        row[WIDTH + 1 - length :] = rng.integers(1, 31, length)
    return Windows(items, np.arange(len(lengths), dtype="int32"))


@pytest.fixture(scope="module")
def windows():
    return windows_of(np.random.default_rng(1).integers(2, WIDTH + 2, 150))


def grouped(windows, batch_size=16, **arguments):
    return windows.batches(
        batch_size, features=["items", "users"], group_by_length=True, **arguments
    )


def all_batches(batches):
    return [batches[index] for index in range(len(batches))]


def users_of(batches):
    """Returns the users of each batch, without rows of padding."""
    return [
        np.concatenate([part["users"][part["items"].any(axis=1)] for part in x])
        for x, _ in all_batches(batches)
    ]


# A last batch of 1 to 15 rows, tiny data, and batches smaller than the strata.
@pytest.mark.parametrize(
    "rows, size", [(150, 16), (145, 16), (144, 16), (159, 16), (5, 16), (150, 3)]
)
@pytest.mark.parametrize("epoch, share", [(0, 1.0), (1, 0.35)])
def test_each_row_comes_once_and_loses_only_padding(rows, size, epoch, share):
    windows = windows_of(np.random.default_rng(rows).integers(2, WIDTH + 2, rows))
    batches = grouped(windows, size)
    batches.set_epoch(epoch, share)
    for x, y in all_batches(batches):
        for part, targets in zip(x, y, strict=True):
            real = part["items"].any(axis=1)
            offset = WIDTH - targets.shape[1]
            assert (part["offset"] == real * offset).all()
            whole = windows.subset(part["users"][real])
            cut = [(0, 0), (offset, 0)]
            np.testing.assert_array_equal(
                np.pad(part["items"][real], cut), whole.inputs
            )
            np.testing.assert_array_equal(np.pad(targets[real], cut), whole.next_items)
            assert not targets[~real].any()
    found = np.concatenate(users_of(batches))
    plain = windows.batches(size, with_users=True)
    plain.set_epoch(epoch, share)
    expected = np.concatenate([x["users"] for x, _ in all_batches(plain)])
    assert sorted(found) == sorted(expected)


def test_all_batches_have_the_same_shapes_whatever_the_fraction(windows):
    batches = grouped(windows)
    shares = [0.1, 0.3, 1.0]
    batches.expect_shares(shares)
    shapes = set()
    for epoch, share in enumerate(shares):
        batches.set_epoch(epoch, share)
        full = FullBatches(batches)
        for x, y in (full[index] for index in range(full.num_batches)):
            assert [part["items"].shape for part in x] == [part.shape for part in y]
            shapes.add(tuple(part.shape for part in y))
    assert len(shapes) == 1
    rows, widths = zip(*shapes.pop())
    assert sum(rows) == 16 and len(rows) > 3
    assert widths[0] == WIDTH and list(widths) == sorted(set(widths), reverse=True)


def test_several_devices_can_share_each_part_equally(windows):
    x, y = FullBatches(grouped(windows), 3)[0]
    sizes = [len(part) for part in y]
    assert [len(part["items"]) for part in x] == sizes
    assert sum(sizes) >= 16 and all(size % 3 == 0 for size in sizes)


def test_a_batch_is_a_mixture_of_all_lengths(windows):
    lengths = (windows.inputs != 0).sum(axis=1)
    ranks = np.argsort(np.argsort(lengths, kind="stable"))
    for users in users_of(grouped(windows))[:-1]:
        thirds = np.bincount(ranks[users] * 3 // 150, minlength=3)
        assert thirds.min() >= 4 and thirds.max() <= 7


def test_about_two_thirds_of_the_positions_remain(windows):
    _, y = grouped(windows)[0]
    assert sum(part.size for part in y) < 0.7 * 16 * WIDTH


def test_the_order_depends_on_seed_and_epoch_only(windows):
    def order(epoch, seed=0, shares=()):
        batches = grouped(windows, seed=seed)
        batches.expect_shares(shares)
        batches.set_epoch(2, 0.5)
        batches.set_epoch(epoch)
        return [users.tolist() for users in users_of(batches)]

    assert order(3) == order(3) == order(3, shares=[0.1])
    assert order(3) != order(4) and order(3) != order(3, seed=1)


def test_rows_of_one_width_make_one_part():
    for length, width in ((64, 64), (4, 8)):
        x, y = grouped(windows_of([length] * 9), 4)[0]
        assert x["items"].shape == y.shape == (4, width)
        assert (x["offset"] == WIDTH - width).all()


def test_strata_of_one_width_share_a_part():
    x, _ = grouped(windows_of([4] * 16 + [64] * 8), 6)[1]
    assert [part["items"].shape for part in x] == [(2, 64), (4, 8)]


def test_rows_without_shuffling_keep_their_order_in_each_stratum(windows):
    x, _ = grouped(windows, 150, shuffle=False)[0]
    for part in x:
        assert (np.diff(part["users"]) > 0).all()
