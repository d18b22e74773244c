"""Converts raw ids to a form that JSON can hold, and back."""

import datetime
import decimal
import json
import uuid
from collections.abc import Callable

import pandas as pd

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import shown

from .raw_ids import PLAIN

# Name of a type -> the type, and functions that convert its ids to JSON and back.
WRITTEN_TYPES: dict[str, tuple[type, Callable, Callable]] = {
    "uuid": (uuid.UUID, str, uuid.UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
    "date": (datetime.date, str, datetime.date.fromisoformat),
    "timestamp": (pd.Timestamp, str, pd.Timestamp),
    "decimal": (decimal.Decimal, str, decimal.Decimal),
    "tuple": (tuple, list, tuple),
}


def write_ids(ids):
    """Returns a dict that JSON can hold: `"ids"`, and `"id_type"` if JSON lacks the
    type of the ids.

    Args:
        ids: List of raw ids.

    Raises:
        TypeError: If the ids are of a type that a file cannot hold.
        ArgumentError: If an id has a value that a file cannot hold.
    """
    if all(type(raw) in PLAIN for raw in ids):
        _check_written(ids, ids)
        return {"ids": ids}
    in_tuples = [part for raw in ids if type(raw) is tuple for part in raw]
    if all(type(part) in PLAIN for part in in_tuples):
        for name, (kind, write, read) in WRITTEN_TYPES.items():
            if all(type(raw) is kind for raw in ids):
                written = [write(raw) for raw in ids]
                _check_written(ids, written, read)
                return {"ids": written, "id_type": name}
    kinds = sorted({type(raw).__name__ for raw in [*ids, *in_tuples]})
    raise TypeError(
        f"Ids of the types {kinds} cannot be written to a file. Give strings, for "
        "example with items.astype(str), or tuples of numbers and strings."
    )


def read_ids(written, id_type=None):
    """Returns the raw ids that `write_ids` wrote.

    Args:
        written: List, the `"ids"`.
        id_type: String, the `"id_type"`. Defaults to `None`, which means that JSON has
            the type of the ids.
    """
    if id_type is None:
        return written
    read = WRITTEN_TYPES[id_type][2]
    return [read(raw) for raw in written]


def _check_written(ids, written, read=None):
    """Checks that every id stays the same when written and read."""
    try:
        json.dumps(written, ensure_ascii=False, allow_nan=False).encode()
        if read is not None and [read(one) for one in written] != ids:
            raise ValueError("it would come back as another id")
        return
    except ValueError as error:
        if len(ids) == 1:
            raise ArgumentError(
                "ids",
                f"holds {shown(ids[0])}, which a file cannot hold: {error}",
                "Give it in another form, such as text in UTF-8.",
            ) from None
    for raw, one in zip(ids, written):
        _check_written([raw], [one], read)
