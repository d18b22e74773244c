"""Users of two catalogues: histories in one of them, targets in the other."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike

import numpy as np

from .arguments import check_integer, check_pad, counted, shown
from .batches import Batches
from .histories import gather_rows
from .rows import Rows, check_indices
from .sequences import (
    are_items,
    check_tokens,
    encode_tokens,
    numbers_if_all,
    read_tokens,
    row_starts,
)
from .splits import check_shares, checked, share_cause
from .vocabulary import Vocabulary, check_vocabulary


@dataclass(frozen=True, eq=False)
class TransferPairs(Rows):
    """Pairs of a user's source history and one of the user's target items.

    A pair is a row, in training and in evaluation: a user of five target items is
    five rows of one history. In full ranking the other four compete with the one
    that is asked for, as all items do.

    Args:
        histories: `(users, length)` int32 source indices, padded with 0 on the
            left; each is held once, however many pairs it is in.
        users: `(pairs,)` int32, the row of `histories` of each pair.
        targets: `(pairs,)` int32 target indices.
        vocabulary: The `Vocabulary` of the source items.
        target_vocabulary: The `Vocabulary` of the target items.

    Example:

    ```python
    split = sr.data.read_transfer("food_kitchen.csv").split()
    model.fit(split.train.batches(512), epochs=5)
    model.evaluate(split.test.batches(1024, evaluation=True))
    ```
    """

    histories: np.ndarray
    users: np.ndarray
    targets: np.ndarray
    vocabulary: Vocabulary
    target_vocabulary: Vocabulary

    end_time = None  # the files have no times

    def __post_init__(self):
        check_indices("histories", self.histories, ndim=2)
        check_indices("users", self.users, ndim=1)
        check_indices("targets", self.targets, ndim=1)
        check_vocabulary("vocabulary", self.vocabulary)
        check_vocabulary("target_vocabulary", self.target_vocabulary)

    def __len__(self):
        return len(self.targets)

    def __repr__(self):
        return (
            f"TransferPairs({counted(len(self), 'pair')} of "
            f"{counted(len(np.unique(self.users)), 'user')}, "
            f"{counted(self.num_items, 'source item')} and "
            f"{counted(self.num_targets, 'target item')})"
        )

    @property
    def length(self) -> int:
        """Columns of `histories`."""
        return self.histories.shape[1]

    @property
    def num_items(self) -> int:
        """Size of the source catalogue."""
        return len(self.vocabulary)

    @property
    def num_targets(self) -> int:
        """Size of the target catalogue."""
        return len(self.target_vocabulary)

    @property
    def num_users(self) -> int:
        """Number of rows of the file; user indices are 0 to `num_users - 1`."""
        return len(self.histories)

    @property
    def feature_names(self) -> list[str]:
        """The names of all features: `"items"` and `"users"`."""
        return ["items", "users"]

    def feature(self, name: str) -> np.ndarray:
        """Returns the source items `(pairs, length)` or the users `(pairs,)`."""
        return self.users if name == "users" else self.histories[self.users]

    def targets_for(self, evaluation: bool) -> np.ndarray:
        """Returns the targets, the same for training and evaluation."""
        return self.targets

    def item_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """All histories, each once, and all targets."""
        return self.histories[np.unique(self.users)], self.targets

    def subset(self, rows: slice | np.ndarray) -> "TransferPairs":
        """The pairs at `rows`: indices, a slice or a boolean mask."""
        return replace(self, users=self.users[rows], targets=self.targets[rows])

    def batches(
        self,
        batch_size: int = 512,
        seed: int = 0,
        shuffle: bool = True,
        evaluation: bool = False,
        with_users: bool = False,
        features: Sequence[str] | None = None,
    ) -> Batches:
        """These pairs as batches `(x, y)` for `fit` and `evaluate`.

        Args:
            batch_size: Rows a batch.
            seed: Integer from 0 up, of the order.
            shuffle: Whether to draw a new order each epoch.
            evaluation: True for `evaluate` and `validation_data`, which keep the
                order; a pair's `x` and `y` are the same.
            with_users: Boolean, short for `features=["items", "users"]`. Defaults to
                `False`.
            features: List of the names of the features in `x`, which is then a dict.
                Defaults to `None`, where `x` is the array of items.

        Returns:
            `Batches`.
        """
        return Batches(
            self,
            batch_size,
            seed=seed,
            shuffle=shuffle,
            evaluation=evaluation,
            with_users=with_users,
            features=features,
        )

    def split(
        self, test_share: float = 0.2, validation_share: float = 0.1, seed: int = 0
    ) -> "TransferSplit":
        """Splits the users at random, so that no user stands on two sides.

        Args:
            test_share: Share of the users that are held out for the test, 0 to 1.
            validation_share: Share of the users, taken from those that are left.
            seed: Integer from 0 up.

        Returns:
            A `TransferSplit`, its pairs in their order here.

        Raises:
            ValueError: A share is out of range, or leaves a part without users.
        """
        check_shares(test_share, validation_share)
        check_integer("seed", seed, 0)
        users = np.unique(self.users)
        sizes = [round(len(users) * share) for share in (test_share, validation_share)]
        parts = np.split(
            np.random.default_rng(seed).permutation(users), np.cumsum(sizes)
        )
        test, validation, train = (
            self.subset(np.isin(self.users, part)) for part in parts
        )
        cause = share_cause(counted(len(users), "user"), test_share, validation_share)
        return checked(TransferSplit(train, validation, test), cause)


@dataclass(frozen=True, eq=False)
class TransferSplit:
    """Training, validation and test pairs, each user in one part alone.

    `print(split)` shows the number of rows and a hash of all of them, so that two
    people can tell whether they work on the same split.

    Args:
        train: `TransferPairs` to train on.
        validation: `TransferPairs` to choose models and stop early by.
        test: `TransferPairs` to report results on.
    """

    train: TransferPairs
    validation: TransferPairs
    test: TransferPairs

    @property
    def vocabulary(self) -> Vocabulary:
        """The `Vocabulary` of the source items."""
        return self.train.vocabulary

    @property
    def target_vocabulary(self) -> Vocabulary:
        """The `Vocabulary` of the target items."""
        return self.train.target_vocabulary

    @property
    def num_items(self) -> int:
        """Size of the source catalogue."""
        return self.train.num_items

    @property
    def num_targets(self) -> int:
        """Size of the target catalogue."""
        return self.train.num_targets

    @property
    def num_users(self) -> int:
        """Number of users that have an index."""
        return self.train.num_users

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits of a SHA-256 over histories, users and targets."""
        digest = hashlib.sha256(repr(self.train.histories.shape).encode())
        digest.update(np.ascontiguousarray(self.train.histories, "<i4").data)
        for part in (self.train, self.validation, self.test):
            digest.update(repr(len(part)).encode())
            digest.update(np.ascontiguousarray(part.users, "<i4").data)
            digest.update(np.ascontiguousarray(part.targets, "<i4").data)
        return digest.hexdigest()[:16]

    def __str__(self):
        return (
            f"TransferSplit {self.hash}: {len(self.train)} training, "
            f"{len(self.validation)} validation, {len(self.test)} test pairs of a "
            f"history of {counted(self.train.length, 'item')} and a target; "
            f"{counted(self.num_items, 'source item')}, "
            f"{counted(self.num_targets, 'target item')}, "
            f"{counted(self.num_users, 'user')}"
        )


def read_transfer(
    path: str | PathLike,
    source_vocabulary: Vocabulary | None = None,
    target_vocabulary: Vocabulary | None = None,
    pad: int | str | None = 0,
    length: int | None = None,
) -> TransferPairs:
    """Reads a file with a row a user: `source ids,,target ids`.

    Ids are separated by commas, the two sides by an empty field. Users are numbered
    by their rows in the file, from 0. Items that a given vocabulary does not have are
    left out with a warning; users without a source or a target item have no pairs.

    Args:
        path: The file, without a header; compressed as for `read_sequences`.
        source_vocabulary: The `Vocabulary` of the source items, `model.vocabulary`
            of the model that was trained on them. By default that of the file.
        target_vocabulary: The `Vocabulary` of the target items. By default that of
            the file.
        pad: The id that stands for padding, or None for no padding.
        length: Columns of the histories; longer ones keep their last items. By
            default as long as the longest one.

    Returns:
        `TransferPairs`.

    Raises:
        FileNotFoundError: There is no such file.
        IsADirectoryError: The path is that of a folder.
        ImportError: The file ends with `.zst` and zstandard is not installed.
        ValueError: A row has another form, `length` is below 1, or no user has a
            source and a target item.

    Example:

    ```python
    pairs = sr.data.read_transfer("food_kitchen.csv", model.vocabulary, length=50)
    split = pairs.split()
    ```
    """
    if length is not None:
        check_integer("length", length, 1)
    check_pad(pad)
    if source_vocabulary is not None:
        check_vocabulary("source_vocabulary", source_vocabulary)
    if target_vocabulary is not None:
        check_vocabulary("target_vocabulary", target_vocabulary)
    rows, codes, ids = read_tokens(path)
    check_tokens(rows, codes, ids, pad, path)
    num_rows = int(rows[-1]) + 1
    side = _sides(rows, codes, ids, path)
    items = are_items(ids, pad)[codes]
    parts = [
        _one_side(rows[chosen], codes[chosen], ids, vocabulary, name)
        for name, vocabulary, chosen in (
            ("source", source_vocabulary, items & (side == 0)),
            ("target", target_vocabulary, items & (side == 1)),
        )
    ]
    (source_rows, source, vocabulary), (users, targets, target_vocabulary) = parts
    starts = row_starts(source_rows, num_rows)
    sizes = np.diff(starts)
    paired = sizes[users] > 0
    if not paired.any():
        raise ValueError(
            f"'{path}' (path) has no row with both a source and a target item that is "
            f"known, beside the padding pad={shown(pad)}; check pad and the "
            "vocabularies."
        )
    return TransferPairs(
        histories=gather_rows(
            source, starts[:-1], starts[1:], length or int(sizes.max())
        ),
        users=users[paired].astype(np.int32),
        targets=targets[paired],
        vocabulary=vocabulary,
        target_vocabulary=target_vocabulary,
    )


def _sides(rows, codes, ids, path):
    """`(fields,)`: how many empty fields the row has up to there, 0 = source."""
    empty = (ids == "")[codes]
    so_far = np.cumsum(empty)
    first = np.r_[True, rows[1:] != rows[:-1]]
    before = (so_far - empty)[first]
    side = so_far - before[rows]
    per_row = np.bincount(rows, weights=empty)
    wrong = per_row[rows] == 0
    wrong |= ~empty & (side > 1)
    if wrong.any():
        row = rows[np.argmax(wrong)]
        fields = ",".join(ids[codes[rows == row]])
        raise ValueError(
            f"Row {row + 1} of '{path}' (path) is not `source ids,,target ids`, with "
            f"one empty field between the two sides. Received: {fields[:80]!r}"
        )
    return side


def _one_side(rows, codes, ids, vocabulary, name):
    """Row and index of each item of a side, and the vocabulary of the indices."""
    if vocabulary is None:
        vocabulary, indices = encode_tokens(codes, ids)
        return rows, indices, vocabulary
    used = np.unique(codes)
    raw = ids[used]
    if vocabulary.ids.dtype.kind == "i":
        raw = numbers_if_all(raw)
    table = np.zeros(len(ids), np.int32)
    table[used] = vocabulary.encode(raw)
    indices = table[codes]
    unknown = int((indices == 0).sum())
    if unknown:
        warnings.warn(
            f"{name.capitalize()} items left out, as {name}_vocabulary does not have "
            f"them: {unknown} of {len(indices)}.",
            stacklevel=3,
        )
    return rows[indices > 0], indices[indices > 0], vocabulary
