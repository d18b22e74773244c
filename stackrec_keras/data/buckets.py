"""Distributes a log's events over buckets; each user's events are in one bucket."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError

from .log import sort_log
from .raw_ids import as_ids
from .times import NUMBERED
from .vocabulary import Vocabulary

_SAMPLE = 1 << 16  # the number of users to sample when dividing the log

Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""`run(task, arguments)` calls a task with each argument, and yields the results."""


def count_items(log, events: int, run: Run):
    """Reads a log once, to count its items and to sample its users.

    Args:
        log: `PartitionedLog`.
        events: Integer, the approximate number of events per task.
        run: Function that runs the tasks.

    Returns:
        `(vocabulary, users)`: the `Vocabulary` of all items, and the users of evenly
        spaced events.
    """
    found = run(partial(_count_part, log), log.parts(events))
    counts, sample = next(found)
    users = [sample]
    for further, sample in found:
        counts = _add(counts, further)
        users.append(sample)
    ids = as_ids(counts.index)
    order = np.argsort(ids, kind="stable")
    return Vocabulary(ids[order], counts.to_numpy()[order]), _as_array(pd.concat(users))


class Buckets:
    """The events of a log, grouped by user.

    In sorted order, each bucket's users come before the next bucket's users. Numbering
    users bucket by bucket gives the same numbers as sorting the whole log.

    A task writes the events of a part of the log to one file, sorted by bucket. Each
    file appears when it is complete, and a task whose file exists does nothing. So an
    interrupted call can be continued, and a task may run twice.

    Args:
        folder: `Path` of the folder for the files.
        log: `PartitionedLog`.
        vocabulary: `Vocabulary` of all items of the log.
        users: Array, the users of some events of the log.
        events: Integer, the approximate number of events per bucket and per task.
        run: Function that runs the tasks.
    """

    def __init__(
        self, folder: Path, log, vocabulary, users, events: int, run: Run
    ) -> None:
        self.num_events = log.num_events
        self._run = run
        bounds = _bounds(np.sort(users), -(-log.num_events // events))
        folder.mkdir(exist_ok=True)
        scatter = partial(_scatter_part, log, vocabulary, bounds, events, folder)
        files = list(run(scatter, log.parts(events)))
        self._stored = _StoredBuckets(files, len(bounds) + 1, log.has_times)

    def map(self, function: Callable[[pd.DataFrame], Any]) -> Iterator[Any]:
        """Calls a function with the log of each bucket, in order.

        Args:
            function: Picklable function. The log that it gets is sorted as by
                `read_interactions`, and its column `item` holds indices in the
                vocabulary.

        Returns:
            Iterator of the results.
        """
        return self._run(partial(_apply, function, self._stored), self._numbers)

    def write(self, function: Callable[[pd.DataFrame, Path], None], folder: Path):
        """Writes a file for each bucket, unless the file exists already.

        Args:
            function: Picklable function of the log of a bucket, as in `map`, and of the
                path to write to.
            folder: `Path` of the folder for the files.

        Returns:
            List of the paths of the files, in order.
        """
        folder.mkdir(exist_ok=True)
        task = partial(_write, function, self._stored, folder)
        return list(self._run(task, self._numbers))

    def columns(self, *names: str):
        """Reads columns of all events, in no particular order.

        Returns:
            Iterator of tuples of arrays.
        """
        return self._stored.columns(names)

    @property
    def _numbers(self):
        return range(self._stored.number)


@dataclass
class _StoredBuckets:
    """Buckets in Arrow files. Each file holds one record batch for each bucket, then
    the same for further events of its part of the log."""

    files: list[Path]
    number: int
    has_times: bool

    def frame(self, number):
        from pyarrow import Table

        batches = []
        for path in self.files:
            with _open(path) as reader:
                places = range(number, reader.num_record_batches, self.number)
                batches += [reader.get_batch(place) for place in places]
        frame = sort_log(Table.from_batches(batches).to_pandas())
        if not self.has_times:
            frame.attrs[NUMBERED] = True
        return frame

    def columns(self, names):
        from pyarrow import Table

        for path in self.files:
            with _open(path) as reader:
                for start in range(0, reader.num_record_batches, self.number):
                    places = range(start, start + self.number)
                    table = Table.from_batches([reader.get_batch(n) for n in places])
                    yield tuple(table.column(name).to_numpy() for name in names)


@contextlib.contextmanager
def _open(path):
    """Context manager for a reader, whose batches stay readable afterwards."""
    from pyarrow import ipc, memory_map

    with memory_map(str(path)) as file:
        yield ipc.open_file(file)


def _apply(function, stored, number):
    return function(stored.frame(number))


def _write(function, stored, folder, number):
    path = folder / f"{number:05}.npz"
    if not path.exists():
        with _new_file(path) as partial_path:
            function(stored.frame(number), partial_path)
    return path


def _count_part(log, files):
    counts = None
    users = []
    step = -(-log.num_events // _SAMPLE)
    for frame in log.frames(["user", "item"], files):
        found = frame["item"].value_counts(sort=False)
        counts = found if counts is None else _add(counts, found)
        # A copy, because a view would keep the whole frame in memory.
        users.append(frame["user"].iloc[::step].copy())
    return counts, pd.concat(users)


def _add(counts, found):
    return pd.concat([counts, found]).groupby(level=0, sort=False).sum()


def _bounds(users, number):
    """Returns the first user of each bucket except the first, given sorted users."""
    places = [len(users) * place // number for place in range(1, number)]
    bounds = np.unique(users[places])
    return bounds[bounds > users[0]]  # so that no bucket is empty


def _scatter_part(log, vocabulary, bounds, events, folder, files):
    from pyarrow import Table, ipc

    path = folder / f"{files.start:05}.arrow"
    if path.exists():
        return path
    with _new_file(path) as partial_path, contextlib.ExitStack() as stack:
        writer = None
        for frame in _gather(log.frames(files=files), events):
            buckets = _bucket_of(bounds, frame["user"])
            frame["item"] = _encode(vocabulary, frame["item"])
            order = np.argsort(buckets, kind="stable")
            table = Table.from_pandas(frame, preserve_index=False).combine_chunks()
            batch = table.to_batches()[0].take(order)
            if writer is None:
                schema = batch.schema.remove_metadata()
                writer = stack.enter_context(ipc.new_file(str(partial_path), schema))
            starts = np.searchsorted(buckets[order], np.arange(len(bounds) + 2))
            for start, end in itertools.pairwise(starts):
                writer.write_batch(batch.slice(start, end - start))
    return path


def _gather(frames, events):
    """Joins small frames into frames of at least `events` rows, except the last."""
    held = []
    for frame in frames:
        held.append(frame)
        if sum(map(len, held)) >= events:
            joined, held = pd.concat(held, ignore_index=True), []
            yield joined
    if held:
        yield pd.concat(held, ignore_index=True)


def _bucket_of(bounds, users):
    # Strings are slow to compare, so each different one is compared once.
    codes, unique = pd.factorize(users)
    buckets = np.searchsorted(bounds, _as_array(unique), side="right")
    # Small integers are quick to sort.
    return buckets.astype(np.min_scalar_type(len(bounds)))[codes]


def _encode(vocabulary, items):
    indices = vocabulary.encode(items)
    if not indices.all():
        raise ArgumentError(
            "log",
            "changed while it was read: it has items that it did not have before",
            "Prepare it again while nothing is written to it.",
        )
    return indices


def _as_array(ids):
    """Returns ids as a NumPy array; text gets the dtype object."""
    ids = np.asarray(ids)
    return ids if ids.dtype.kind in "iuf" else ids.astype(object)


@contextlib.contextmanager
def _new_file(path):
    """Context manager for the path of a temporary file, which is moved to `path`."""
    partial_path = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        yield partial_path
        os.replace(partial_path, path)
    finally:
        partial_path.unlink(missing_ok=True)
