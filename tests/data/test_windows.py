import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import (
    Batches,
    Vocabulary,
    Windows,
    make_windows,
    read_interactions,
)
from stackrec_keras.errors import StackRecWarning


def log_of(histories):
    """A log of {user: items}; an event's time is 100 * user + its place."""
    return read_interactions(
        pd.DataFrame(
            [
                (user, item, 100 * place)
                for user, items in histories.items()
                for place, item in enumerate(items)
            ],
            columns=["user", "item", "timestamp"],
        )
    )


def windows_of(histories, *args, **kwargs):
    log = log_of(histories)
    return make_windows(log, Vocabulary.from_items(log["item"]), *args, **kwargs)


def slow_windows(log, vocabulary, length, stride, min_items):
    """What `make_windows` must give, written as loops."""
    index = {raw: place + 1 for place, raw in enumerate(vocabulary.ids.tolist())}
    rows = []
    for number, user in enumerate(sorted(set(log["user"]))):
        events = [
            (index[item], time)
            for who, item, time in log.itertuples(index=False)
            if who == user and item in index
        ]
        cut, end = [], len(events)
        while events and end > 0:
            part = events[max(0, end - length) : end]
            items = [item for item, _ in part]
            if len(items) >= min_items:
                padded = [0] * (length - len(items)) + items
                cut.append((padded, number, part[-1][1]))
            if end <= length:
                break
            end -= stride
        rows += cut[::-1]
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_windows_are_those_of_a_slow_reference(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 150))
    raw = pd.DataFrame(
        {
            "user": rng.integers(0, 9, size) * 3,
            "item": rng.integers(0, 12, size),
            "timestamp": rng.integers(0, 30, size),
        }
    )
    log = read_interactions(raw)
    vocabulary = Vocabulary(np.arange(2, 12) if seed % 2 else np.arange(12))
    length = int(rng.integers(2, 9))
    stride = int(rng.integers(1, length + 1))
    min_items = int(rng.integers(1, length + 1))
    windows = make_windows(log, vocabulary, length, stride, min_items)
    expected = slow_windows(log, vocabulary, length, stride, min_items)
    assert windows.items.tolist() == [row[0] for row in expected]
    assert windows.users.tolist() == [row[1] for row in expected]
    assert windows.end_time.tolist() == [row[2] for row in expected]


def test_events_that_are_left_out_are_counted():
    frame = {"user": [1, 1, 1], "item": ["a", "b", "c"]}
    log = read_interactions(frame, timestamp=None)
    with pytest.warns(StackRecWarning, match="1 of 3 events .*extend_items"):
        windows = make_windows(log, Vocabulary(["a", "b"]), 2)
    assert windows.items.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "raw, known, kinds",
    [
        ([1, 2], ["1", "2"], r"'1' \(str\), .* 1 \(int\)\. .*\.astype\('str'\)\.$"),
        (["1", "2"], [1, 2], r"1 \(int\), .* '1' \(str\). .*\.astype\('int'\)\.$"),
        ([1, 2], [b"1"], r"b'1' \(bytes\), .* Convert the log's ids\.$"),
        ([1, 2], [3.5], "To keep these events, use"),
    ],
)
def test_ids_of_another_type_than_the_vocabularys_are_named(raw, known, kinds):
    log = read_interactions({"user": [1, 1], "item": raw}, timestamp=None)
    with pytest.warns(StackRecWarning, match=f"2 of 2 .*{kinds}"):
        assert len(make_windows(log, Vocabulary(known), 2)) == 0


def test_windows_are_cut_from_the_newest_end_and_padded_on_the_left():
    windows = windows_of({7: [1, 2, 3, 4, 5], 3: [4, 5]}, length=3)
    assert windows.items.tolist() == [[0, 4, 5], [0, 1, 2], [3, 4, 5]]
    assert windows.users.tolist() == [0, 1, 1]
    assert windows.end_time.tolist() == [100, 100, 400]
    assert windows.user_ids.tolist() == [3, 7]
    assert windows.items.dtype == np.int32
    assert windows.users.dtype == np.int32
    assert len(windows) == 3
    assert (windows.num_items, windows.num_users, windows.length) == (5, 2, 3)


def test_a_stride_makes_windows_overlap():
    windows = windows_of({1: [1, 2, 3, 4]}, length=3, stride=1)
    assert windows.items.tolist() == [[1, 2, 3], [2, 3, 4]]


def test_windows_with_too_few_items_are_dropped():
    assert windows_of({1: [1, 2, 3, 4]}, length=3).items.tolist() == [[2, 3, 4]]
    kept = windows_of({1: [1, 2, 3, 4]}, length=3, min_items=1)
    assert kept.items.tolist() == [[0, 0, 1], [2, 3, 4]]


def test_a_log_with_no_long_enough_history_gives_no_windows():
    windows = windows_of({1: [1], 2: [2]}, length=3)
    assert windows.items.shape == (0, 3)


def test_many_more_rows_than_one_chunk_are_all_cut(monkeypatch):
    monkeypatch.setattr("stackrec_keras.data.histories._CHUNK", 2)
    windows = windows_of({1: [1, 2, 3, 4, 5, 6, 7]}, length=3, stride=1)
    assert windows.items.tolist() == [[n, n + 1, n + 2] for n in range(1, 6)]


def test_there_is_no_target_where_the_input_is_padding():
    windows = windows_of({1: [1, 2, 3]}, length=5)
    x, y = windows.arrays()
    assert x.tolist() == [[0, 0, 1, 2]]
    assert y.tolist() == [[0, 0, 2, 3]]
    assert y.dtype == np.int32
    x, y = windows.evaluation_arrays()
    assert x.tolist() == [[0, 0, 1, 2]]
    assert y.tolist() == [3]
    assert windows.last_item.tolist() == [3]


def test_a_subset_takes_indices_masks_and_slices():
    windows = windows_of({1: [1, 2, 3, 4], 2: [1, 2]}, length=2)
    by_mask = windows.subset(np.array([False, True, True]))
    for part in (by_mask, windows.subset([1, 2]), windows.subset(slice(1, 3))):
        assert part.items.tolist() == [[3, 4], [1, 2]]
        assert part.users.tolist() == [0, 1]
        assert part.end_time.tolist() == [300, 100]
        assert part.vocabulary is windows.vocabulary


def test_windows_without_times_have_subsets():
    windows = Windows(np.ones((3, 2), np.int32), np.arange(3))
    assert windows.subset([0]).end_time is None
    assert (windows.num_items, windows.num_users) == (1, 3)


def test_batches_come_with_the_windows_settings():
    windows = windows_of({1: [1, 2, 3, 4]}, length=2)
    batches = windows.batches(1, seed=5, shuffle=False)
    assert isinstance(batches, Batches)
    assert (batches.batch_size, batches.seed, batches.shuffle) == (1, 5, False)


@pytest.mark.parametrize(
    "argument, value",
    [("length", 1), ("stride", 4), ("stride", 0), ("min_items", 4), ("min_items", 0)],
)
def test_sizes_out_of_range_are_refused(argument, value):
    with refused(argument, received=value):
        windows_of({1: [1, 2, 3]}, **{"length": 3, argument: value})


def test_an_unsorted_log_is_refused():
    log = log_of({1: [1, 2], 2: [1, 2]})
    vocabulary = Vocabulary.from_items(log["item"])
    for order in ([0, 2, 1, 3], [1, 0, 2, 3]):
        with refused("log", says="must be sorted by user and timestamp"):
            make_windows(log.iloc[order], vocabulary, 2)


def test_arrays_that_do_not_fit_are_refused():
    with refused("items"):
        Windows(np.ones(3, np.int32), np.arange(3))
    with refused("users"):
        Windows(np.ones((3, 2), np.int32), np.arange(2))
