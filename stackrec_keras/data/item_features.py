"""Vectors of items that the user brings, such as embeddings of their texts."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_file, check_path
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted, shown

_SHOWN, _COLUMNS_SHOWN = 3, 10


def read_item_features(
    path: str | PathLike, vocabulary: Any, item: str = "item", default: Any = None
) -> np.ndarray:
    """Reads features of items from a file, for the `item_features` of a model.

    Args:
        path: Path of a `.csv`, `.tsv` or `.parquet` file with a column of raw item ids
            and columns of numbers, the features.
        vocabulary: `Vocabulary` of the items.
        item: String, the column of the item ids. Defaults to `"item"`.
        default: As in `Vocabulary.align_features`. Defaults to `None`.

    Returns:
        Float32 array `(len(vocabulary), num_features)`, that of index 1 first.

    Raises:
        ArgumentError: If the file has no column `item`, a column does not hold numbers,
            or an item has no features and there is no `default`.
        FileNotFoundError: If there is no file.

    Example:

    ```python
    features = sr.data.read_item_features("films.csv", vocabulary)
    model = sr.SASRec(len(vocabulary), max_length=50, item_features=features)
    ```
    """
    check_path("path", path)
    path = Path(path)
    check_file("path", path)
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        # Ids such as 007 stay text if those of the vocabulary are.
        is_text = all(type(raw) is str for raw in vocabulary.ids[:1].tolist())
        separator = "\t" if ".tsv" in path.suffixes else ","
        frame = pd.read_csv(path, sep=separator, dtype={item: str} if is_text else None)
    if item not in frame.columns:
        found = ", ".join(map(repr, list(frame.columns)[:_COLUMNS_SHOWN]))
        fix = f"Name the column of the item ids. The file has {found}."
        raise ArgumentError("item", f"is not a column of {path}", fix, item)
    return align_features(vocabulary, frame.set_index(item), default)


def align_features(vocabulary, features, default=None):
    """See `Vocabulary.align_features`."""
    known, rows = _ids_and_rows(features)
    positions = pd.Index(known, tupleize_cols=False)
    if not positions.is_unique:
        repeated = positions[positions.duplicated()][0]
        raise ArgumentError(
            "features",
            f"has {shown(repeated)} more than once",
            "Give one row for each item.",
        )
    width = rows.shape[1]
    aligned = np.full((len(vocabulary) + 1, width), np.nan, "float32")
    aligned[vocabulary.encode(known)] = rows
    is_missing = np.isin(
        np.arange(1, len(vocabulary) + 1), vocabulary.encode(known), invert=True
    )
    aligned = aligned[1:]
    if is_missing.any():
        aligned[is_missing] = _default_row(vocabulary, is_missing, default, width)
    return aligned


def as_feature_rows(name, values, num_rows=None, of="items"):
    """Returns feature vectors as a float32 array `(num_rows, num_features)`.

    Args:
        name: String, the argument that holds them.
        values: What was given.
        num_rows: Integer, how many rows there must be, or `None` for any.
        of: String, what the rows stand for. Defaults to `"items"`.

    Raises:
        ArgumentError: If it is anything but a table of finite numbers of that size.
    """
    try:
        given = np.asarray(values)
    except ValueError:  # vectors of different lengths
        given = np.asarray(None)
    if given.ndim != 2 or given.shape[1] == 0 or given.dtype.kind not in "biuf":
        raise ArgumentError(
            name,
            f"must be numbers of the shape ({of}, features), one vector for each item",
            "Vectors must all be of one length.",
            values,
        )
    if num_rows is not None and len(given) != num_rows:
        hint = ""
        if len(given) == num_rows + 1:
            hint = "Leave out the row of the padding: the first row is that of item 1."
        raise ArgumentError(
            name,
            f"has {counted(len(given), 'row')}, but there are {num_rows:,} {of}",
            hint,
        )
    with np.errstate(over="ignore"):  # reported below
        rows = given.astype("float32")
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        raise ArgumentError(
            name,
            f"has NaN or infinite values in {counted(len(wrong), 'row')}, first in "
            f"row {wrong[0]}",
            "Replace them by numbers, for example by the mean of their column.",
        )
    return rows


def _ids_and_rows(features):
    """Returns the raw ids of a table of features, and its rows."""
    if isinstance(features, pd.DataFrame):
        for column, dtype in features.dtypes.items():
            if not pd.api.types.is_numeric_dtype(dtype):
                raise ArgumentError(
                    "features",
                    f"has the column {column!r}, which does not hold numbers",
                    "Leave it out, or turn it into numbers, for example with "
                    f"frame[{column!r}].str.get_dummies(' ').",
                )
        return features.index, as_feature_rows(
            "features", features.to_numpy(float, na_value=np.nan)
        )
    if isinstance(features, Mapping) and features:
        vectors = [np.asarray(vector) for vector in features.values()]
        of_one_shape = len({vector.shape for vector in vectors}) == 1
        rows = np.stack(vectors) if of_one_shape else None
        return list(features), as_feature_rows("features", rows)
    raise ArgumentError(
        "features",
        "must be a frame whose index holds raw item ids, or a dict from raw item id "
        "to vector",
        "For example log_of_items.set_index('item').",
        features,
    )


def _default_row(vocabulary, is_missing, default, width):
    """Returns the vector of items that have none."""
    if default is None:
        number = int(is_missing.sum())
        names = ", ".join(map(shown, vocabulary.ids[is_missing][:_SHOWN].tolist()))
        more = f" and {number - _SHOWN:,} more" if number > _SHOWN else ""
        raise ArgumentError(
            "features",
            f"lacks {number:,} of {counted(len(vocabulary), 'item')}: {names}{more}",
            "Add them, or give default, the vector of items that have none, such as 0.",
        )
    row = np.asarray(default)
    if row.ndim == 0:
        row = np.full(width, row)
    if row.shape != (width,):
        raise ArgumentError(
            "default",
            f"must be a number, or a vector of {width} numbers like the others",
            received=default,
        )
    return as_feature_rows("default", row[None])[0]
