"""Raw ids <-> indices 1..n; index 0 is padding and nothing else."""

import datetime
import decimal
import json
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .arguments import check_column, counted, shown
from .raw_ids import PLAIN, as_ids, as_index, as_series, refuse_mixed_booleans

Column = Any
"""Raw ids: a series, an array or a list of them."""

# How ids are written that JSON does not know: their type, to JSON and back.
_WRITTEN: dict[str, tuple[type, Callable, Callable]] = {
    "uuid": (uuid.UUID, str, uuid.UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "date": (datetime.date, str, datetime.date.fromisoformat),
    "timestamp": (pd.Timestamp, str, pd.Timestamp),
    "decimal": (decimal.Decimal, str, decimal.Decimal),
    "tuple": (tuple, list, tuple),
}


class Vocabulary:
    """The raw ids of a catalogue and their indices 1 to n.

    Index 0 is padding: it is never the index of an item, and `encode` gives it for
    unknown ids. Build one from data with `Vocabulary.from_items`.

    Args:
        ids: The raw ids, all different, `ids[0]` at index 1, of any hashable type.
            A file, and so the `vocabulary` of a model, can hold these: finite
            numbers, strings in UTF-8, booleans, dates, timestamps, UUIDs, bytes,
            decimals, and tuples of numbers and strings.
        counts: How often each id occurs in the data, `(n,)`; zeros where not
            given.

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
            raise ValueError(
                f"counts has shape {self.counts.shape} and ids {self.ids.shape}; "
                "give one count for each id, or leave counts out."
            )
        self._index = as_index(self.ids)
        if not self._index.is_unique:
            repeated = self._index[self._index.duplicated()][0]
            raise ValueError(
                f"ids holds {shown(repeated)} more than once; each id must occur once. "
                "`Vocabulary.from_items` makes a vocabulary from repeated ids."
            )

    @classmethod
    def from_items(cls, items: Column) -> "Vocabulary":
        """The vocabulary of the ids in a column, in sorted order.

        Does not depend on the order of the rows.

        Args:
            items: `(rows,)` raw ids: a series, an array or a list.

        Returns:
            A `Vocabulary` with the counts of the ids.

        Raises:
            ValueError: That is no column, there are no rows, ids are missing, or ids
                of different types cannot be sorted.
        """
        check_column("items", items)
        items = as_series(items)
        if len(items) == 0:
            raise ValueError("items has no rows; give at least one item id.")
        if items.isna().any():
            raise ValueError(
                f"Values are missing in {int(items.isna().sum())} of "
                f"{counted(len(items), 'row')} of items; drop them first."
            )
        refuse_mixed_booleans("items", items)
        counts = items.value_counts(sort=False)
        counts = counts[counts > 0]  # pandas counts categories that no row has
        ids = as_ids(counts.index)
        order = _sorted_order(ids)
        return cls(ids[order], counts.to_numpy()[order])

    def extended(self, items: Column) -> "Vocabulary":
        """This vocabulary with the new ids of a column behind those it has.

        Args:
            items: `(rows,)` raw ids, as in `from_items`.

        Returns:
            A `Vocabulary` in which all known ids keep their index, the new ones in
            sorted order after them, with the counts of the column.

        Raises:
            ValueError: The column's ids are numbers and the known ones are not, or
                the other way round, or 5.5 and they are integers; 5.0 is then 5.
        """
        fresh = Vocabulary.from_items(items)
        if (self.ids.dtype == object) != (fresh.ids.dtype == object):
            raise ValueError(
                f"The ids are such as {fresh.ids.tolist()[0]!r}, and those known "
                f"already such as {self.ids.tolist()[0]!r}: none can be the other. "
                "Convert them, as in log['item'].astype(str); a .csv of numbers is "
                "read as numbers, a .parquet keeps its types."
            )
        new = as_known(fresh.ids[self.encode(fresh.ids) == 0], self.ids)
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
        """The indices of raw ids.

        Args:
            values: `(rows,)` raw ids.

        Returns:
            `(rows,)` int32 array of indices 1 to n, 0 for an unknown id.

        Raises:
            ValueError: That is no column.
        """
        if not pd.api.types.is_scalar(values):
            check_column("values", values)
        values = as_series(values)
        if values.dtype.kind == "i":
            return _shifted(self._index.get_indexer(pd.Index(values)))
        # Strings are slow to look up: look up each different one once.
        try:
            codes, unique = pd.factorize(values)
        except TypeError:
            raise ValueError(
                "values holds lists or other values that are no ids; give one id a row."
            ) from None
        unique = as_index(np.asarray(unique, dtype=object))
        indices = _shifted(self._index.get_indexer(unique))
        # The last entry is what a missing value, code -1, points to.
        return np.append(indices, np.int32(0))[codes]

    def decode(self, indices: ArrayLike) -> np.ndarray:
        """The raw ids of indices.

        Args:
            indices: Integer array of any shape, values 1 to n.

        Returns:
            Array of raw ids of that shape.

        Raises:
            ValueError: An index is 0 (padding), beyond the vocabulary or no integer.
        """
        array = _as_indices(indices)
        outside = (array < 1) | (array > len(self))
        if outside.any():
            raise ValueError(
                f"indices holds {array[outside].flat[0]}, which is no item: items "
                f"are 1 to {len(self)} and 0 is padding. Remove it before decoding."
            )
        return self.ids[array - 1]

    def get_config(self) -> dict:
        """A dict of lists that JSON can hold; ids keep their type.

        Raises:
            TypeError: The ids are of a type that a file cannot hold.
            ValueError: An id has a value that a file cannot hold: a string that is
                not UTF-8, an infinite number.
        """
        ids, counts = self.ids.tolist(), self.counts.tolist()
        if all(type(raw) in PLAIN for raw in ids):
            _check_written(ids, ids)
            return {"ids": ids, "counts": counts}
        in_tuples = [part for raw in ids if type(raw) is tuple for part in raw]
        if all(type(part) in PLAIN for part in in_tuples):
            for name, (kind, write, read) in _WRITTEN.items():
                if all(type(raw) is kind for raw in ids):
                    written = [write(raw) for raw in ids]
                    _check_written(ids, written, read)
                    return {"ids": written, "counts": counts, "id_type": name}
        kinds = sorted({type(raw).__name__ for raw in [*ids, *in_tuples]})
        raise TypeError(
            f"Ids of the types {kinds} cannot be written to a file; give strings, "
            "e.g. items.astype(str), or tuples of numbers and strings."
        )

    @classmethod
    def from_config(cls, config: dict) -> "Vocabulary":
        """The vocabulary that `get_config` describes."""
        is_ours = isinstance(config, dict) and {"ids", "counts"} <= set(config)
        if not is_ours or config.get("id_type", "uuid") not in _WRITTEN:
            raise ValueError(
                f"config is {shown(config)}, which describes no vocabulary; give what "
                "`get_config` returned."
            )
        ids = config["ids"]
        if "id_type" in config:
            read = _WRITTEN[config["id_type"]][2]
            ids = [read(raw) for raw in ids]
        return cls(ids, config["counts"])

    def to_json(self) -> str:
        """The vocabulary as a JSON string."""
        return json.dumps(self.get_config(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Vocabulary":
        """The vocabulary in a JSON string made by `to_json`."""
        try:
            config = json.loads(text)
        except (TypeError, ValueError):
            raise ValueError(
                f"text is {shown(text)}, which is no JSON; give what `to_json` "
                "returned, or the text of the file that holds it and not its path."
            ) from None
        return cls.from_config(config)


def check_vocabulary(name, value):
    """Raises a ValueError if an argument is no `Vocabulary`."""
    if not isinstance(value, Vocabulary):
        raise ValueError(
            f"{name} is {shown(value)}; it must be a Vocabulary, such as "
            "Vocabulary.from_items(log['item'])."
        )


def way_to_known(vocabulary, items, unknown):
    """What a message says to do about ids that a vocabulary does not have.

    Args:
        vocabulary: The `Vocabulary`.
        items: Column of a log, raw ids.
        unknown: How many of them these are, at least one.
    """
    if unknown == len(items) and len(vocabulary):
        raw, known = items.tolist()[0], vocabulary.ids.tolist()[0]
        kinds = {type(raw), type(known)}
        if len(kinds) == 2 and kinds != {int, float}:
            name = type(known).__name__
            how = f": log['item'].astype({name!r})" if isinstance(known, PLAIN) else ""
            return (
                f"Its ids are such as {shown(known)} ({name}), those of the log such "
                f"as {shown(raw)} ({type(raw).__name__}). Convert the log's{how}."
            )
    return (
        "To keep them: Vocabulary.from_items(log['item']) for a new model, "
        "model.extend_items(ids=...) and model.vocabulary for one that is trained."
    )


def as_known(ids, known):
    """Returns ids as an array, integers as floats if those known are floats, and
    whole floats as integers if they are integers.

    Args:
        ids: Raw ids, as `Vocabulary` takes them.
        known: Array of the raw ids that they are to stand behind.

    Raises:
        ValueError: One of them is no number of that type.
    """
    ids = as_ids(ids)
    if {ids.dtype.kind, known.dtype.kind} != {"i", "f"}:
        return ids
    with np.errstate(invalid="ignore"):
        converted = ids.astype(known.dtype)
        lost = converted.astype(ids.dtype) != ids
    if lost.any():
        kind = "integers" if known.dtype.kind == "i" else "floats"
        raise ValueError(
            f"{ids[lost].tolist()[0]} is among the new ids, and those known already "
            f"are {kind} such as {known.tolist()[0]}. Give ids of one type."
        )
    return converted


def _check_written(ids, written, read=None):
    """Raises a ValueError for the first id that does not come back from a file."""
    try:
        json.dumps(written, ensure_ascii=False, allow_nan=False).encode()
        if read is not None and [read(one) for one in written] != ids:
            raise ValueError("it would come back as another id")
        return
    except ValueError as error:
        if len(ids) == 1:
            raise ValueError(
                f"ids holds {shown(ids[0])}, which a file cannot hold: {error}. Give "
                "it in another form, such as text in UTF-8."
            ) from None
    for raw, one in zip(ids, written):
        _check_written([raw], [one], read)


def _as_counts(counts):
    try:
        return np.asarray(counts, dtype=np.int64)
    except (TypeError, ValueError):
        raise ValueError(
            f"counts is {shown(counts)}; give one integer for each id, or leave counts "
            "out."
        ) from None


def _as_indices(indices):
    try:
        array = np.asarray(indices)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind in "iu" or array.size == 0:
        return array.astype(np.int64)
    raise ValueError(
        f"indices is {shown(indices)}; it must be an array of integers. `encode` makes "
        "indices of raw ids."
    )


def _sorted_order(ids):
    try:
        return np.argsort(ids, kind="stable")
    except TypeError:
        kinds = sorted({type(raw).__name__ for raw in ids})
        raise ValueError(
            f"items holds ids of the types {kinds}, which cannot be sorted together; "
            "give ids of one type, e.g. items.astype(str)."
        ) from None


def _shifted(positions):
    indices = positions.astype(np.int32)
    indices += 1
    return indices
