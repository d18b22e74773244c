"""Splits a log that is stored in buckets (files by user), one bucket at a time.

Each kind of split is a class. Its fields are the arguments of the function that makes
this kind of split in memory, and both use the same code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_integer
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.wording import agreeing, counted

from .histories import make_histories
from .split_by_time import (
    as_stages,
    cut_by_time,
    few_rows,
    given_starts,
    ranks_of_starts,
)
from .splits import (
    Split,
    check_leave_one_out,
    check_shares,
    cut_leave_one_out,
)
from .time_order import extreme_times, times_at_ranks
from .vocabulary import Vocabulary
from .windows import Windows, check_window_sizes, cut_windows

Cut = Callable[[pd.DataFrame], Split | Windows]


@dataclass
class Plan:
    """How to cut the rows of each bucket.

    Attributes:
        vocabulary: The `Vocabulary` of the rows.
        cut: Picklable function that takes the log of a bucket and returns its rows: a
            `Split`, or `Windows` to split once all buckets are cut.
        causes: Function that takes the `Split` and returns the last arguments for
            `check_parts`: the tuple `(cause,)` or `(cause, of_targets)`. `None`, the
            default, goes with a `cut` that returns `Windows`.
        stages: Tuple of the start times of the training stages after the first.
            Defaults to `()`.
    """

    vocabulary: Vocabulary
    cut: Cut
    causes: Callable[[Split], tuple] | None = None
    stages: tuple = ()


@dataclass
class LeaveOneOut:
    """The arguments of `split_leave_one_out`."""

    vocabulary: Vocabulary | None = None
    stride: int | None = None
    min_items: int = 2
    min_count: int = 1
    newest_only: bool = False
    whole_history: bool = False

    def check(self, length):
        """Checks the arguments."""
        check_leave_one_out(
            length,
            self.stride,
            self.min_items,
            self.min_count,
            self.newest_only,
            self.whole_history,
        )

    def plan(self, buckets, items, length) -> Plan:
        """Reads from all buckets what determines the split.

        Args:
            buckets: `Buckets`.
            items: `Vocabulary` of all items of the log.
            length: Integer, the number of items per row.
        """
        vocabulary, codes = _chosen(items, self.vocabulary, self.min_count)
        held_out = length
        if self.whole_history:
            held_out = max(length, *buckets.map(partial(_longest, codes)))
        cut = partial(
            _cut_leave_one_out,
            codes,
            length=length,
            stride=self.stride,
            min_items=self.min_items,
            newest_only=self.newest_only,
            held_out=held_out,
        )
        why = (
            "no user has two items to hold out and at least "
            f"min_items={self.min_items} more to train on"
        )
        fix = "Give a log with longer histories, or split it at random or by time."
        return Plan(vocabulary, cut, lambda split: ((why, fix),))


@dataclass
class ByTime:
    """The arguments of `split_by_time`."""

    test_share: float = 0.1
    validation_share: float = 0.1
    validation_start: Any = None
    test_start: Any = None
    stride: int | None = None
    min_items: int = 2
    stage_starts: Any = ()
    vocabulary: Vocabulary | None = None

    def check(self, length):
        """Checks the arguments."""
        check_window_sizes(length, self.stride, self.min_items)
        check_shares(self.test_share, self.validation_share)

    def plan(self, buckets, items, length) -> Plan:
        """As in `LeaveOneOut`."""
        starts = self._starts(buckets)
        past = np.zeros(len(items) + 1, np.int64)
        for codes, times in buckets.columns("item", "timestamp"):
            past += np.bincount(codes[times < starts[-2]], minlength=len(past))
        kept = past[1:] > 0
        vocabulary = Vocabulary(items.ids[kept], past[1:][kept])
        if self.vocabulary is not None:
            vocabulary = _extended(self.vocabulary, vocabulary)
        codes = _codes(items, vocabulary)
        cut = partial(
            cut_by_time,
            vocabulary=codes,
            length=length,
            starts=starts,
            stride=self.stride,
            min_items=self.min_items,
        )

        def causes(split):
            events, before = buckets.num_events, int(past.sum())
            return few_rows(split, starts[-2], events, before, self.min_items)

        return Plan(vocabulary, cut, causes, starts[:-2])

    def _starts(self, buckets):
        """Returns the start times: of each training stage after the first, then of
        validation, then of the test."""

        def times():
            return (times for (times,) in buckets.columns("timestamp"))

        ends = np.concatenate(extreme_times(times()))
        if self.validation_start is None and self.test_start is None:
            starts = self._starts_of_shares(buckets.num_events, times, ends)
        else:
            starts = given_starts(ends, self.validation_start, self.test_start)
        return *as_stages(self.stage_starts, ends, starts[0]), *starts

    def _starts_of_shares(self, events, times, ends):
        ranks = ranks_of_starts(events, self.validation_share, self.test_share)
        validation, test = times_at_ranks(times, ranks)
        if not ends[0] < validation < test:
            raise ArgumentError(
                "test_share",
                f"and validation_share={self.validation_share} leave a part empty: "
                f"the log has {counted(events, 'event')} from {ends[0]} to {ends[1]}, "
                f"and validation would begin at {validation} and the test at {test}",
                "Give a longer log, more precise times or other fractions.",
                self.test_share,
            )
        return validation, test


@dataclass
class AtRandom:
    """The arguments of `make_windows` and `split_random`."""

    vocabulary: Vocabulary | None = None
    stride: int | None = None
    min_items: int = 2
    test_share: float = 0.2
    validation_share: float = 0.1
    seed: int = 0

    def check(self, length):
        """Checks the arguments."""
        check_window_sizes(length, self.stride, self.min_items)
        check_shares(self.test_share, self.validation_share)
        check_integer("seed", self.seed, 0)

    def plan(self, buckets, items, length) -> Plan:
        """As in `LeaveOneOut`."""
        vocabulary, codes = _chosen(items, self.vocabulary, 1)
        left_out = int(items.counts[vocabulary.encode(items.ids) == 0].sum())
        if left_out:
            warn(
                f"{left_out:,} of {counted(buckets.num_events, 'event')} "
                f"{agreeing(left_out, 'was', 'were')} left out because vocabulary does "
                f"not have {agreeing(left_out, 'its item', 'their items')}.",
            )
        cut = partial(
            _cut_windows,
            codes,
            length=length,
            stride=self.stride,
            min_items=self.min_items,
        )
        return Plan(vocabulary, cut)


SPLITS = {"leave-one-out": LeaveOneOut, "time": ByTime, "random": AtRandom}
"""The kinds of split by name."""


def _longest(codes, log):
    return make_histories(log, codes).longest


def _cut_leave_one_out(codes, log, **arguments):
    return cut_leave_one_out(make_histories(log, codes), codes, **arguments)


def _cut_windows(codes, log, **arguments):
    histories = make_histories(log, codes)
    return cut_windows(histories, [histories.ends], codes, **arguments)


def _chosen(items, vocabulary, min_count):
    """Returns the `Vocabulary` of the items with enough events, and the `Vocabulary` of
    their codes (see `_codes`)."""
    if vocabulary is None:
        chosen = items.with_count(min_count)
    else:
        chosen = vocabulary
        if min_count > 1:
            counts = np.append(items.counts, 0)[items.encode(vocabulary.ids) - 1]
            chosen = Vocabulary(vocabulary.ids, counts).with_count(min_count)
    return chosen, _codes(items, chosen)


def _codes(items, vocabulary):
    """Returns `vocabulary` with each id replaced by the id's index in `items`, or by a
    negative number if `items` lacks the id."""
    codes = items.encode(vocabulary.ids).astype(np.int64)
    return Vocabulary(np.where(codes > 0, codes, -1 - np.arange(len(codes))))


def _extended(vocabulary, items):
    """Returns `vocabulary` with new items added, and with the counts from `items`."""
    extended = vocabulary.extended(items.ids)
    extended.counts[extended.encode(items.ids) - 1] = items.counts
    return extended
