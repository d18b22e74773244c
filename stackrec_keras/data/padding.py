"""How much padding rows have, and how to cut it off."""

import numpy as np

from .rows import Inputs, Rows

_MULTIPLE = 8  # widths that suit vector units


def padding_of(rows: Rows) -> np.ndarray:
    """Returns the number of columns before the first item of each row, `(rows,)`. A row
    without items keeps one column."""
    padding = []
    for part in rows.parts():  # rows may be larger than memory
        is_item = part.feature("items") != 0
        last = is_item.shape[1] - 1
        first = np.where(is_item.any(axis=1), is_item.argmax(axis=1), last)
        # NumPy sorts small integers fastest.
        padding.append(first.astype(np.min_scalar_type(last)))
    return np.concatenate(padding)


def widths_of(padding: np.ndarray, full_width: int) -> np.ndarray:
    """Returns the widths that rows with so much padding are cut to: multiples of 8, at
    most the full width."""
    lengths = full_width - np.asarray(padding, int)
    return np.minimum(-(-lengths // _MULTIPLE) * _MULTIPLE, full_width)


def cut(
    x: Inputs, y: np.ndarray, full_width: int, width: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Cuts rows to their last columns.

    Args:
        x: Their items, or dict of their features.
        y: Their targets.
        full_width: Integer, the number of columns of the items.
        width: Integer, the number of columns to keep.

    Returns:
        `(x, y)`. `x` is a dict with `"offset"`, `(rows,)`, the number of columns that
        were cut off.
    """
    offset = full_width - width
    features = x if isinstance(x, dict) else {"items": x}
    kept = {name: _without(values, offset) for name, values in features.items()}
    kept["offset"] = np.full(len(y), offset, np.int32)
    return kept, _without(y, offset)


def _without(values, offset):
    return values if values.ndim == 1 else values[:, offset:]
