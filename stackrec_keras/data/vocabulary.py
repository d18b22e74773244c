"""Raw ids and their indices 1 to n; index 0 is only ever padding."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from stackrec_keras.arguments import check_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted, shown

from .item_features import align_features
from .raw_ids import (
    MIXED_BOOLEANS,
    PLAIN,
    as_ids,
    as_index,
    as_series,
    convert_like,
    has_mixed_booleans,
)
from .written_ids import WRITTEN_TYPES, read_ids, write_ids

Column = Any
"""Raw ids: a series, an array or a list of them."""


class Vocabulary:
    """The raw ids of a catalogue and their indices 1 to n.

    Index 0 is padding: it is never the index of an item, and `encode` returns it for
    unknown ids. Build a vocabulary from data with `Vocabulary.from_items`.

    Args:
        ids: Distinct raw ids of any hashable type; `ids[0]` has index 1. A file, or
            a saved model, can hold only finite numbers, strings in UTF-8, booleans,
            dates, timestamps, UUIDs, bytes, decimals, and tuples of numbers and
            strings.
        counts: `(n,)` integers, the number of occurrences of each id in the data.
            Defaults to zeros.

    Attributes:
        ids: `(n,)` array of the raw ids.
        counts: `(n,)` int64 array.

    Example:

    ```python
    vocabulary = Vocabulary.from_items(log["item"])
    vocabulary.encode(["Jaws (1975)"])    # array([1684], dtype=int32)
    vocabulary.decode([1684])             # array(['Jaws (1975)'], dtype=object)
    ```
    """

    def __init__(self, ids: Column, counts: ArrayLike | None = None) -> None:
        check_column("ids", ids)
        self.ids = as_ids(ids)
        if counts is None:
            counts = np.zeros(len(self.ids), np.int64)
        self.counts = _as_counts(counts)
        if self.counts.shape != self.ids.shape:
            raise ArgumentError(
                "counts",
                f"must have the shape of ids, {self.ids.shape}",
                "Give one count for each id, or leave counts out.",
                self.counts,
            )
        self._index = as_index(self.ids)
        if not self._index.is_unique:
            repeated = self._index[self._index.duplicated()][0]
            raise ArgumentError(
                "ids",
                f"holds {shown(repeated)} more than once",
                "Use `Vocabulary.from_items` to make a vocabulary from repeated ids.",
            )

    @classmethod
    def from_items(cls, items: Column, min_count: int = 1) -> "Vocabulary":
        """Makes the vocabulary of the ids in a column, in sorted order.

        The result does not depend on the order of the rows.

        Args:
            items: `(rows,)` raw ids: a series, an array or a list.
            min_count: Integer; ids with fewer occurrences are left out. Defaults to
                `1`.

        Returns:
            A `Vocabulary` with the counts of the ids.

        Raises:
            ArgumentError: If `items` is not a column, is empty, has missing ids or has
                ids that cannot be sorted, or if no id occurs `min_count` times.
        """
        check_column("items", items)
        items = as_series(items)
        if len(items) == 0:
            raise ArgumentError("items", "must hold at least one id")
        if items.isna().any():
            missing = int(items.isna().sum())
            raise ArgumentError(
                "items",
                f"lacks values in {missing} of {counted(len(items), 'row')}",
                "Drop these rows first.",
            )
        if has_mixed_booleans(items):
            raise ArgumentError("items", *MIXED_BOOLEANS)
        counts = items.value_counts(sort=False)
        counts = counts[counts > 0]  # pandas counts unused categories too
        ids = as_ids(counts.index)
        order = _sorted_order(ids)
        found = cls(ids[order], counts.to_numpy()[order])
        return found.with_count(min_count)

    def with_count(self, min_count: int) -> "Vocabulary":
        """Returns the vocabulary of the ids whose `counts` are at least `min_count`.

        Raises:
            ArgumentError: If `min_count` is not an integer of at least 1, or no id
                occurs that often.
        """
        check_integer("min_count", min_count, 1)
        kept = self.counts >= min_count
        if min_count > 1 and not kept.any():
            most = int(self.counts.max(initial=0))
            raise ArgumentError(
                "min_count",
                "leaves no item: the most frequent one has "
                f"{counted(most, 'occurrence')}",
                "Give a smaller number.",
                min_count,
            )
        return self if min_count == 1 else Vocabulary(self.ids[kept], self.counts[kept])

    def extended(self, items: Column) -> "Vocabulary":
        """Returns this vocabulary followed by the new ids of a column.

        Args:
            items: `(rows,)` raw ids, as in `from_items`.

        Returns:
            A `Vocabulary` with the counts of the column. Known ids keep their index,
            and new ids follow in sorted order.

        Raises:
            ArgumentError: If the new ids are numbers and the known ids are not, or the
                reverse. Also if the known ids are integers and a new id is a fraction
                such as 5.5 (5.0 becomes 5).
        """
        fresh = Vocabulary.from_items(items)
        if (self.ids.dtype == object) != (fresh.ids.dtype == object):
            raise ArgumentError(
                "items",
                f"holds ids such as {fresh.ids.tolist()[0]!r}, which cannot equal "
                f"known ids such as {self.ids.tolist()[0]!r}",
                "Convert them, for example with log['item'].astype(str). A .csv of "
                "numbers is read as numbers; a .parquet keeps its types.",
            )
        new = convert_like(fresh.ids[self.encode(fresh.ids) == 0], self.ids)
        extended = Vocabulary([*self.ids.tolist(), *new.tolist()])
        extended.counts[extended.encode(fresh.ids) - 1] = fresh.counts
        return extended

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other):
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return (
            self.ids.dtype == other.ids.dtype
            and np.array_equal(self.ids, other.ids)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self):
        occurrences = counted(int(self.counts.sum()), "occurrence")
        return f"Vocabulary({counted(len(self), 'id')}, {occurrences})"

    def encode(self, values: Column) -> np.ndarray:
        """Returns the indices of raw ids.

        Args:
            values: `(rows,)` raw ids.

        Returns:
            `(rows,)` int32 array of indices 1 to n, 0 for an unknown id.

        Raises:
            ArgumentError: If `values` is not a column.
        """
        if not pd.api.types.is_scalar(values):
            check_column("values", values)
        values = as_series(values)
        if values.dtype.kind == "i":
            return _shifted(self._index.get_indexer(pd.Index(values)))
        # Looking up strings is slow, so each different string is looked up once.
        try:
            codes, unique = pd.factorize(values)
        except TypeError:
            raise ArgumentError(
                "values", "holds lists or other values that cannot be ids"
            ) from None
        unique = as_index(np.asarray(unique, dtype=object))
        indices = _shifted(self._index.get_indexer(unique))
        # A missing value has the code -1, which selects the last entry, 0.
        return np.append(indices, np.int32(0))[codes]

    def decode(self, indices: ArrayLike) -> np.ndarray:
        """Returns the raw ids of indices.

        Args:
            indices: Integer array of any shape, values 1 to n.

        Returns:
            Array of raw ids, in the shape of `indices`.

        Raises:
            ArgumentError: If an index is 0 (padding), beyond the vocabulary, or not an
                integer.
        """
        array = _as_indices(indices)
        outside = (array < 1) | (array > len(self))
        if outside.any():
            raise ArgumentError(
                "indices",
                f"holds {array[outside].flat[0]}, but items are 1 to {len(self)}",
                "Remove it before decoding; 0 is padding.",
            )
        return self.ids[array - 1]

    def align_features(self, features: Any, default: Any = None) -> np.ndarray:
        """Returns features of items in the order of the indices, for the
        `item_features` of a model.

        Args:
            features: A frame of numbers whose index holds raw item ids, or a dict from
                raw item id to vector. Items that the vocabulary lacks are left out.
            default: A number or a vector, for items that have no features. Defaults to
                `None`: every item must have features.

        Returns:
            Float32 array `(len(vocabulary), num_features)`; its first row is for index
            1.

        Raises:
            ArgumentError: If an item has no features and there is no `default`, or
                features are not finite numbers.

        Example:

        ```python
        genres = films["genres"].str.get_dummies("|")  # films: indexed by title
        model = sr.SASRec(
            len(vocabulary),
            max_length=50,
            item_features=vocabulary.align_features(genres),
        )
        ```
        """
        return align_features(self, features, default)

    def get_config(self) -> dict:
        """Returns a dict of lists that JSON can hold; ids keep their type.

        Raises:
            TypeError: If the ids are of a type that a file cannot hold.
            ArgumentError: If an id has a value that a file cannot hold, such as a
                string that is not UTF-8 or an infinite number.
        """
        return {**write_ids(self.ids.tolist()), "counts": self.counts.tolist()}

    @classmethod
    def from_config(cls, config: dict) -> "Vocabulary":
        """Makes the vocabulary that `get_config` describes."""
        is_ours = isinstance(config, dict) and {"ids", "counts"} <= set(config)
        if not is_ours or config.get("id_type") not in (None, *WRITTEN_TYPES):
            raise ArgumentError(
                "config",
                "does not describe a vocabulary",
                "Give what `get_config` returned.",
                config,
            )
        return cls(read_ids(config["ids"], config.get("id_type")), config["counts"])

    def to_json(self) -> str:
        """Returns the vocabulary as a JSON string."""
        return json.dumps(self.get_config(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Vocabulary":
        """Makes the vocabulary that a JSON string from `to_json` describes."""
        try:
            config = json.loads(text)
        except (TypeError, ValueError):
            raise ArgumentError(
                "text",
                "is not JSON",
                "Give what `to_json` returned, or the text of the file that holds it, "
                "not its path.",
                text,
            ) from None
        return cls.from_config(config)


def check_vocabulary(name, value):
    """Checks that an argument is a `Vocabulary`."""
    if not isinstance(value, Vocabulary):
        raise ArgumentError(
            name,
            "must be a Vocabulary",
            "Make one with Vocabulary.from_items(log['item']).",
            value,
        )


def check_column(name, values):
    """Checks that values are a single column of ids."""
    is_column = isinstance(values, Iterable) and getattr(values, "ndim", 1) == 1
    if not is_column or isinstance(values, (str, bytes, dict, set, frozenset)):
        raise ArgumentError(
            name,
            "must be one column of raw ids",
            "Give a series, an array or a list, as in "
            "Vocabulary.from_items(log['item']).",
            values,
        )


def unknown_ids_hint(vocabulary, items, unknown):
    """Returns advice for a message about ids that are not in a vocabulary.

    Args:
        vocabulary: The `Vocabulary`.
        items: Column of raw ids from a log.
        unknown: Integer of at least 1, the number of unknown ids in `items`.
    """
    if unknown == len(items) and len(vocabulary):
        raw, known = items.tolist()[0], vocabulary.ids.tolist()[0]
        kinds = {type(raw), type(known)}
        if len(kinds) == 2 and kinds != {int, float}:
            name = type(known).__name__
            how = f": log['item'].astype({name!r})" if isinstance(known, PLAIN) else ""
            return (
                f"The vocabulary has ids such as {shown(known)} ({name}), and the log "
                f"has ids such as {shown(raw)} ({type(raw).__name__}). Convert the "
                f"log's ids{how}."
            )
    return (
        "To keep these events, use Vocabulary.from_items(log['item']) for a new model. "
        "For a trained one, call model.extend_items(ids=...) and then use "
        "model.vocabulary."
    )


def _as_counts(counts):
    try:
        return np.asarray(counts, dtype=np.int64)
    except (TypeError, ValueError):
        raise ArgumentError(
            "counts",
            "must be integers",
            "Give one for each id, or leave counts out.",
            counts,
        ) from None


def _as_indices(indices):
    try:
        array = np.asarray(indices)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind in "iu" or array.size == 0:
        return array.astype(np.int64)
    raise ArgumentError(
        "indices",
        "must be an array of integers",
        "Use `encode` to turn raw ids into indices.",
        indices,
    )


def _sorted_order(ids):
    try:
        return np.argsort(ids, kind="stable")
    except TypeError:
        kinds = sorted({type(raw).__name__ for raw in ids})
        raise ArgumentError(
            "items",
            f"holds ids of the types {kinds}, which cannot be sorted together",
            "Give ids of one type, for example with items.astype(str).",
        ) from None


def _shifted(positions):
    indices = positions.astype(np.int32)
    indices += 1
    return indices
