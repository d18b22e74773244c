"""Handles evaluation targets that already occur in the history of their row;
`recommend` would leave them out."""

import numpy as np
from keras import ops

from stackrec_keras.data import Batches
from stackrec_keras.errors import warn
from stackrec_keras.models.inputs import items_of
from stackrec_keras.wording import counted


def without_seen(scores, items):
    """Returns `scores`, `(batch, num_items + 1)`, with -inf for the items of each row.

    The rows of items are in `items`, `(batch, time)`.
    """
    rows = ops.arange(ops.shape(items)[0], dtype="int32")
    rows = ops.broadcast_to(ops.expand_dims(rows, axis=1), ops.shape(items))
    places = ops.stack([rows, ops.cast(items, "int32")], axis=-1)
    places = ops.reshape(places, (-1, 2))
    nothing = ops.full(ops.shape(places)[:1], -float("inf"), dtype=scores.dtype)
    return ops.scatter_update(scores, places, nothing)


def warn_of_seen(model, x, y):
    """Warns if targets already occur in the histories of their rows.

    Only arrays, and `Batches` for evaluation, are checked.
    """
    if isinstance(x, Batches):
        rows = x.num_rows
        seen = seen_in_rows(model, x.epoch_parts()) if x.evaluation else 0
    else:
        seen = num_seen(model, x, y)
        rows = len(y) if seen else 0
    if seen:
        warn(
            f"In {seen:,} of {counted(rows, 'row')} the target already occurs in the "
            "history. recommend() leaves such items out, but this evaluation ranks "
            "them. Give "
            "exclude_seen=True to compile() or evaluate() to rank as recommend() does, "
            "or exclude_seen=False to rank all items without this warning.",
        )


def seen_in_rows(model, parts):
    """Returns the number of rows whose target is in the history.

    Args:
        model: The model.
        parts: Iterable of `Rows`, whose rows are counted together.
    """
    return sum(num_seen(model, *part.evaluation_arrays()) for part in parts)


def num_seen(model, x, y):
    """Returns the number of rows whose target is in the history, or 0 if `x` and `y`
    are not arrays of the same length."""
    items = items_of(x)
    if not isinstance(items, np.ndarray) or not isinstance(y, np.ndarray):
        return 0
    if not (model.scores_what_it_reads and y.size and items.ndim == 2):
        return 0
    if len(y) != len(items):
        return 0
    targets = y.reshape(len(y), -1)[:, -1:]
    return int(((items == targets) & (targets != 0)).any(axis=1).sum())
