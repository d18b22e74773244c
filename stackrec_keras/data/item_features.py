"""Item features given as vectors, such as text embeddings."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from keras import ops

from stackrec_keras.arguments import check_file, check_path
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted, shown

_SHOWN, _COLUMNS_SHOWN = 3, 10


def read_item_features(
    path: str | PathLike, vocabulary: Any, item: str = "item", default: Any = None
) -> np.ndarray:
    """Reads features of items from a file, for the `item_features` of a model.

    Args:
        path: Path of a `.csv`, `.tsv` or `.parquet` file with a column of raw item ids.
            All other columns are the features, in their order; they must hold numbers.
        vocabulary: `Vocabulary` of the items.
        item: String, the name of the column of item ids. Defaults to `"item"`.
        default: As in `Vocabulary.align_features`. Defaults to `None`.

    Returns:
        Float32 array `(len(vocabulary), num_features)`; its first row is for index 1.

    Raises:
        ArgumentError: If the file cannot be read, has no column `item` or has features
            that are not numbers; or if an item has no features and there is no
            `default`.
        FileNotFoundError: If there is no such file.

    Example:

    ```python
    features = sr.data.read_item_features("films.csv", vocabulary)
    model = sr.SASRec(len(vocabulary), max_length=50, item_features=features)
    ```
    """
    check_path("path", path)
    path = Path(path)
    check_file("path", path)
    try:
        frame = _read_frame(path, vocabulary, item)
    except ValueError as error:  # raised by pandas and pyarrow
        raise ArgumentError(
            "path",
            f"cannot be read: {error}",
            "It must be a .csv, .tsv or .parquet file, with text in UTF-8.",
            path,
        ) from error
    if item not in frame.columns:
        found = ", ".join(map(repr, list(frame.columns)[:_COLUMNS_SHOWN]))
        fix = f"Name the column of the item ids. The file has {found}."
        raise ArgumentError("item", f"is not a column of {path}", fix, item)
    return align_features(vocabulary, frame.set_index(item), default)


def align_features(vocabulary, features, default=None):
    """See `Vocabulary.align_features`."""
    ids, rows = _ids_and_rows(features)
    indices = vocabulary.encode(ids)
    rows, indices = rows[indices > 0], indices[indices > 0]
    names = vocabulary.ids[indices - 1]
    repeated = pd.Series(indices).duplicated().to_numpy()
    if repeated.any():
        raise ArgumentError(
            "features",
            f"has {shown(names[repeated].tolist()[0])} more than once",
            "Give one row for each item.",
        )
    aligned = np.empty((len(vocabulary), rows.shape[1]), "float32")
    aligned[indices - 1] = _as_finite("features", rows, names)
    is_missing = np.ones(len(vocabulary), bool)
    is_missing[indices - 1] = False
    if is_missing.any():
        _check_overlap(vocabulary, ids, is_missing, default)
        aligned[is_missing] = _default_row(default, rows.shape[1])
    return aligned


def as_feature_rows(name, values, num_rows=None, of="items"):
    """Returns feature vectors as a float32 array `(num_rows, num_features)`.

    Args:
        name: String, the name of the argument, for errors.
        values: The value of the argument.
        num_rows: Integer, the required number of rows, or `None` for any.
        of: String, what the rows stand for. Defaults to `"items"`.

    Raises:
        ArgumentError: If `values` is not a table of finite numbers, or has the wrong
            number of rows.
    """
    given = _as_table(name, values, of)
    if num_rows is not None and len(given) != num_rows:
        hint = ""
        if len(given) == num_rows + 1:
            hint = "Leave out the row of the padding: the first row is that of item 1."
        raise ArgumentError(
            name,
            f"has {counted(len(given), 'row')}, but there are {num_rows:,} {of}",
            hint,
        )
    return _as_finite(name, given)


def _read_frame(path, vocabulary, item):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    options = {"sep": "\t" if ".tsv" in path.suffixes else ","}
    frame = pd.read_csv(path, **options)
    if item in frame.columns and str in map(type, vocabulary.ids[:1].tolist()):
        options |= {"usecols": [item], "dtype": str, "keep_default_na": False}
        frame[item] = pd.read_csv(path, **options)[item]  # keep 007 and NA as text
    return frame


def _as_table(name, values, of="items"):
    """Returns values as a 2-D array of numbers."""
    if hasattr(values, "toarray"):  # a sparse matrix of SciPy
        values = values.toarray()
    elif ops.is_tensor(values):  # on any device, of any dtype
        values = ops.convert_to_numpy(ops.cast(values, "float32"))
    try:
        given = np.asarray(values)
    except ValueError:  # vectors of different lengths
        given = np.asarray(None)
    if given.ndim != 2 or given.shape[1] == 0 or given.dtype.kind not in "biuf":
        raise ArgumentError(
            name,
            f"must be numbers of the shape ({of}, features), one vector for each item",
            "All vectors must have the same length.",
            values,
        )
    return given


def _as_finite(name, table, names=None):
    """Returns a table as float32; `names` are the raw ids of its rows."""
    with np.errstate(over="ignore"):  # reported below
        rows = table.astype("float32")
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        first = wrong[0]
        place = f"row {first}" if names is None else f"the row of {shown(names[first])}"
        raise ArgumentError(
            name,
            f"has NaN or infinite values in {counted(len(wrong), 'row')}, first in "
            f"{place}",
            "Replace them with numbers, for example with the mean of their column.",
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
        rows = features.to_numpy(float, na_value=np.nan)
        # `encode` takes tuples, but not a MultiIndex.
        return features.index.to_flat_index(), _as_table("features", rows)
    if isinstance(features, Mapping) and features:
        vectors = [np.asarray(vector) for vector in features.values()]
        of_one_shape = len({vector.shape for vector in vectors}) == 1
        rows = np.stack(vectors) if of_one_shape else None
        return list(features), _as_table("features", rows)
    raise ArgumentError(
        "features",
        "must be a frame whose index holds raw item ids, or a dict from raw item id "
        "to vector",
        "For example, give films.set_index('item').",
        features,
    )


def _check_overlap(vocabulary, ids, is_missing, default):
    """Raises an error if items lack features and there is no default, or if none of the
    features are those of an item."""
    if default is not None and not is_missing.all():
        return
    fix = "Add them, or give default=0, or a default vector, for items without any."
    if is_missing.all() and len(ids):
        fix = (
            f"None of its ids is in the vocabulary (the first is {shown(ids[0])}). Use "
            "the ids of the log."
        )
    number = int(is_missing.sum())
    names = ", ".join(map(shown, vocabulary.ids[is_missing][:_SHOWN].tolist()))
    more = f" and {number - _SHOWN:,} more" if number > _SHOWN else ""
    raise ArgumentError(
        "features",
        f"lacks {number:,} of {counted(len(vocabulary), 'item')}: {names}{more}",
        fix,
    )


def _default_row(default, width):
    """Returns the vector for items without features."""
    row = np.asarray(default)
    if row.ndim == 0:
        row = np.full(width, row)
    if row.shape != (width,):
        raise ArgumentError(
            "default",
            f"must be a number, or a vector of {width} numbers, the length of the "
            "other items' vectors",
            received=default,
        )
    return as_feature_rows("default", row[None])[0]
