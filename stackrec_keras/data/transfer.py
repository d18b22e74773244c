"""Users of two catalogues, with histories in one and targets in the other."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stackrec_keras.arguments import check_integer
from stackrec_keras.wording import counted

from .batches import Batches
from .rows import Rows, check_indices
from .splits import check_parts, check_shares, small_shares
from .vocabulary import Vocabulary, check_vocabulary


@dataclass(frozen=True, eq=False)
class TransferPairs(Rows):
    """Pairs of a user's source history and one of the user's target items.

    A pair is a row, both in training and in evaluation: a user with five target items
    gives five rows with the same history. In each row, the target is ranked among all
    items, including the other four targets.

    Args:
        histories: `(users, length)` int32 source indices, padded with 0 on the
            left; each history is stored once, however many pairs share it.
        users: `(pairs,)` int32; for each pair, its user's row in `histories`.
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
        """The number of columns of `histories`."""
        return self.histories.shape[1]

    @property
    def num_items(self) -> int:
        """The number of source items."""
        return len(self.vocabulary)

    @property
    def num_targets(self) -> int:
        """The number of target items."""
        return len(self.target_vocabulary)

    @property
    def num_users(self) -> int:
        """The number of users, one per row of the file, with indices from 0."""
        return len(self.histories)

    @property
    def feature_names(self) -> list[str]:
        """The names of all features: `"items"` and `"users"`."""
        return ["items", "users"]

    def feature(self, name: str) -> np.ndarray:
        """Returns the source items `(pairs, length)` or the users `(pairs,)`."""
        return self.users if name == "users" else self.histories[self.users]

    def targets_for(self, evaluation: bool) -> np.ndarray:
        """Returns the targets, which are the same in training and evaluation."""
        return self.targets

    def item_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns each history once, and all targets."""
        return self.histories[np.unique(self.users)], self.targets

    def subset(self, rows: slice | np.ndarray) -> "TransferPairs":
        """Returns the pairs chosen by an index array, a slice or a boolean mask."""
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
        """Returns these pairs as batches `(x, y)` for `fit` and `evaluate`.

        Args:
            batch_size: Integer, the number of rows per batch. Defaults to `512`.
            seed: Integer of at least 0, the seed of the order. Defaults to `0`.
            shuffle: Boolean, whether to draw a new order for each epoch. Defaults to
                `True`.
            evaluation: Boolean, `True` for `evaluate` and `validation_data`. The rows
                then keep their order. `x` and `y` are as in training. Defaults to
                `False`.
            with_users: Boolean, short for `features=["items", "users"]`. Defaults to
                `False`.
            features: List of feature names; `x` is then a dict of these features.
                Defaults to `None`: `x` is the array of items.

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
        """Splits the users at random; all pairs of a user go to the same part.

        Args:
            test_share: Float, the fraction of the users to hold out for the test.
                Defaults to `0.2`.
            validation_share: Float, the fraction of the users for validation. Defaults
                to `0.1`.
            seed: Integer of at least 0. Defaults to `0`.

        Returns:
            A `TransferSplit` whose pairs keep their order.

        Raises:
            ArgumentError: If a fraction is out of range, or leaves a part empty.
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
        cause = small_shares(counted(len(users), "user"), test_share, validation_share)
        return check_parts("pairs", TransferSplit(train, validation, test), cause)


@dataclass(frozen=True, eq=False)
class TransferSplit:
    """Training, validation and test pairs; each user is in only one part.

    `print(split)` shows the number of rows in each part, and one hash of all rows. Two
    people with the same hash use the same split.

    Args:
        train: `TransferPairs` to train on.
        validation: `TransferPairs` for model selection and early stopping.
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
        """The number of source items."""
        return self.train.num_items

    @property
    def num_targets(self) -> int:
        """The number of target items."""
        return self.train.num_targets

    @property
    def num_users(self) -> int:
        """The number of users, one per row of the file."""
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
            f"TransferSplit {self.hash}: {len(self.train):,} training, "
            f"{len(self.validation):,} validation, "
            f"{counted(len(self.test), 'test pair')} of a "
            f"history of {counted(self.train.length, 'item')} and a target; "
            f"{counted(self.num_items, 'source item')}, "
            f"{counted(self.num_targets, 'target item')}, "
            f"{counted(self.num_users, 'user')}"
        )
