"""The rows that batches are made of: named features and targets."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Self, overload

import numpy as np

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean

Inputs = np.ndarray | dict[str, np.ndarray]
"""The `x` of a model: item indices, or a dict of named features."""

_PART_ITEMS = 1 << 21  # the number of items to hold in memory at a time

ITEMS = ("items",)
"""The features for which `x` is a plain array instead of a dict."""


class Rows(ABC):
    """The interface of the rows that `Batches` cuts into batches.

    A row has named features and a target. The features `"items"` and `"users"` always
    exist.

    Attributes:
        end_time: `(rows,)`, the time of each row's last item, or `None` if unknown.
    """

    end_time: np.ndarray | None

    @property
    @abstractmethod
    def feature_names(self) -> list[str]:
        """The names of all features."""

    @abstractmethod
    def feature(self, name: str) -> np.ndarray:
        """Returns one feature of all rows; `name` is one of `feature_names`."""

    @abstractmethod
    def targets_for(self, evaluation: bool) -> np.ndarray:
        """Returns the targets of all rows, for evaluation or for training."""

    @abstractmethod
    def item_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns all input items and all targets without copying them."""

    @abstractmethod
    def subset(self, rows: slice | np.ndarray) -> Self:
        """Returns the rows chosen by an index array, a slice or a boolean mask."""

    @abstractmethod
    def __len__(self) -> int: ...

    def parts(self, indices: np.ndarray | None = None) -> Iterator[Self]:
        """Returns the rows in parts that need little memory.

        If there are no rows, it returns a single empty part.

        Args:
            indices: Array, the indices of the rows. Defaults to `None`: all, in order.
        """
        width = self.subset(slice(0, 1)).feature("items").shape[1]
        size = max(1, _PART_ITEMS // max(1, width))
        number = len(self) if indices is None else len(indices)
        for start in range(0, max(1, number), size):
            part = slice(start, start + size)
            yield self.subset(part if indices is None else indices[part])

    @overload
    def arrays(self, features: None = None) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def arrays(self, features: Sequence[str]) -> tuple[Inputs, np.ndarray]: ...

    def arrays(
        self, features: Sequence[str] | None = None
    ) -> tuple[Inputs, np.ndarray]:
        """Returns `(x, y)` to train on.

        Args:
            features: List of feature names. `x` is a dict of these features, or the
                array of items if `"items"` is the only one. Defaults to `None`, only
                the items.

        Returns:
            `(x, y)`. For `Windows`, `y` has a target at each input position,
            `(rows, length - 1)`. For `TransferPairs`, it has one target for each pair,
            `(pairs,)`.

        Raises:
            ArgumentError: If one of the features does not exist.
        """
        return self._inputs(features), self.targets_for(evaluation=False)

    @overload
    def evaluation_arrays(
        self, features: None = None
    ) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def evaluation_arrays(
        self, features: Sequence[str]
    ) -> tuple[Inputs, np.ndarray]: ...

    def evaluation_arrays(
        self, features: Sequence[str] | None = None
    ) -> tuple[Inputs, np.ndarray]:
        """Returns `(x, y)` to evaluate on; `y` is the single next item, `(rows,)`.

        Args:
            features: As in `arrays`. Defaults to `None`.
        """
        return self._inputs(features), self.targets_for(evaluation=True)

    def _inputs(self, features):
        names = check_features(features, self)
        if names == ITEMS:
            return self.feature("items")
        return {name: self.feature(name) for name in names}


def check_features(
    features: Iterable[str] | None, rows: Rows, with_users: bool = False
) -> tuple[str, ...]:
    """Checks `features`, and returns the names as a tuple.

    Args:
        features: Names, or `None` for the default.
        rows: `Rows`, which must have these features.
        with_users: Boolean, short for `features=["items", "users"]`. Defaults to
            `False`.

    Raises:
        ArgumentError: If a feature does not exist, or if `features` contradicts
            `with_users`.
    """
    if features is None:
        return ("items", "users") if with_users else ITEMS
    if isinstance(features, str) or not isinstance(features, Iterable):
        raise ArgumentError(
            "features",
            "must be a list of names",
            "Give a list, such as ['items', 'users'].",
            features,
        )
    names = tuple(features)
    if not names or len(set(names)) < len(names):
        raise ArgumentError(
            "features",
            "must name at least one feature, and none twice",
            received=features,
        )
    known = rows.feature_names
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ArgumentError(
            "features",
            f"must be among {', '.join(map(repr, known))}",
            _source_of(unknown, known),
            features,
        )
    if with_users and {*names} != {"items", "users"}:
        raise ArgumentError(
            "features",
            "must be ['items', 'users'], because with_users=True",
            "Leave out with_users, and name all features that you need.",
            features,
        )
    return names


def _source_of(unknown, known):
    """Returns advice on where to get features that the rows lack."""
    if {"timestamps", "next_timestamps"} & {*unknown}:
        return (
            "Rows have times if their log was read with a column of times. HSTU can do "
            "without them (time_bias=False)."
        )
    meant = did_you_mean([name for name in unknown if isinstance(name, str)], known)
    return (
        f"{meant} Further features come from numeric columns of a log: "
        "read_interactions(..., columns=[...])."
    ).lstrip()


def check_indices(name: str, values, ndim: int) -> None:
    """Checks that an argument is an array of integers with `ndim` dimensions."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu":
        raise ArgumentError(
            name,
            "must be a numpy array of integers",
            "Give the indices that a Vocabulary returns, or convert with "
            "np.asarray(..., 'int32').",
            values,
        )
    if values.ndim != ndim:
        axes = {1: "(rows,)", 2: "(rows, length)"}[ndim]
        raise ArgumentError(name, f"must have the shape {axes}", received=values)
