"""Distributes a log's events over files; each user's events are in one file."""

from pathlib import Path

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError

from .log import sort_log
from .raw_ids import as_ids
from .times import NUMBERED
from .vocabulary import Vocabulary

_SAMPLE = 1 << 16  # the number of users to sample when dividing the log
_MOST = 128  # the maximum number of files open at once


def count_items(log):
    """Reads a log once, to count its items and to sample its users.

    Args:
        log: `PartitionedLog`.

    Returns:
        `(vocabulary, users)`: the `Vocabulary` of all items, and the users of evenly
        spaced events.
    """
    counts = None
    users, first = [], 0
    step = -(-log.num_events // _SAMPLE)
    for frame in log.frames(["user", "item"]):
        found = frame["item"].value_counts(sort=False)
        if counts is not None:
            found = pd.concat([counts, found]).groupby(level=0, sort=False).sum()
        counts = found
        # A copy, because a view would keep the whole frame in memory.
        users.append(frame["user"].iloc[-first % step :: step].copy())
        first += len(frame)
    ids = as_ids(counts.index)
    order = np.argsort(ids, kind="stable")
    return Vocabulary(ids[order], counts.to_numpy()[order]), _as_array(pd.concat(users))


class Buckets:
    """The events of a log in files, grouped by user.

    In sorted order, each bucket's users come before the next bucket's users. Numbering
    users bucket by bucket gives the same numbers as sorting the whole log.

    Args:
        folder: `Path` of the folder for the files.
        log: `PartitionedLog`.
        vocabulary: `Vocabulary` of all items of the log.
        users: Array, the users of some events of the log.
        events: Integer, the approximate number of events per bucket.
    """

    def __init__(self, folder: Path, log, vocabulary, users, events: int) -> None:
        self.folder = folder
        self.num_events = log.num_events
        self.has_times = log.has_times
        self._vocabulary = vocabulary
        number = min(_MOST, -(-log.num_events // events))
        users = np.sort(users)
        self._bounds = np.unique(
            users[[len(users) * place // number for place in range(1, number)]]
        )
        self._scatter(log)

    @property
    def _files(self):
        return sorted(self.folder.iterdir())

    def frames(self):
        """Reads the buckets in order.

        Returns:
            Iterator of logs, sorted as by `read_interactions`. The column `item` holds
            indices in the vocabulary.
        """
        for path in self._files:
            frame = sort_log(_read(path).to_pandas())
            if not self.has_times:
                frame.attrs[NUMBERED] = True
            yield frame

    def columns(self, *names):
        """Reads columns of the buckets, in no particular order.

        Returns:
            Iterator of tuples of arrays.
        """
        for path in self._files:
            table = _read(path)
            yield tuple(table.column(name).to_numpy() for name in names)

    def _scatter(self, log):
        from pyarrow import Table

        self.folder.mkdir()
        with _BucketWriters(self.folder) as writers:
            for frame in log.frames():
                buckets = self._bucket_of(frame["user"])
                frame["item"] = self._encode(frame["item"])
                order = np.argsort(buckets, kind="stable")
                table = Table.from_pandas(frame, preserve_index=False).take(order)
                numbers, starts = np.unique(buckets[order], return_index=True)
                for number, start, end in zip(
                    numbers, starts, [*starts[1:], len(frame)]
                ):
                    writers.write(number, table.slice(start, end - start))

    def _bucket_of(self, users):
        # Strings are slow to compare, so each different one is compared once.
        codes, unique = pd.factorize(users)
        return np.searchsorted(self._bounds, _as_array(unique), side="right")[codes]

    def _encode(self, items):
        indices = self._vocabulary.encode(items)
        if not indices.all():
            raise ArgumentError(
                "log",
                "changed while it was read: it has items that it did not have before",
                "Prepare it again while nothing is written to it.",
            )
        return indices


class _BucketWriters:
    """Writes tables part by part, to one file per bucket."""

    def __init__(self, folder):
        self.folder = folder
        self.writers = {}
        self.schema = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for writer in self.writers.values():
            writer.close()

    def write(self, number, table):
        from pyarrow import ipc

        if self.schema is None:
            self.schema = table.schema.remove_metadata()
        if number not in self.writers:
            path = self.folder / f"{number:03}.arrow"
            self.writers[number] = ipc.new_file(str(path), self.schema)
        self.writers[number].write_table(table.cast(self.schema))


def _read(path):
    from pyarrow import ipc, memory_map

    with memory_map(str(path)) as file:
        return ipc.open_file(file).read_all()


def _as_array(ids):
    """Returns ids as a NumPy array; text gets the dtype object."""
    ids = np.asarray(ids)
    return ids if ids.dtype.kind in "iuf" else ids.astype(object)
