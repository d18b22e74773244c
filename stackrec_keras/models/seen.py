"""Items that a history has already, and `recommend` leaves out."""

import warnings

import numpy as np
from keras import ops

from stackrec_keras.data import Batches
from stackrec_keras.models.inputs import items_of


def without_seen(scores, items):
    """Returns scores `(batch, num_items + 1)` that are -inf for each row's `items`,
    `(batch, time)`."""
    rows = ops.arange(ops.shape(items)[0], dtype="int32")
    rows = ops.broadcast_to(ops.expand_dims(rows, axis=1), ops.shape(items))
    places = ops.stack([rows, ops.cast(items, "int32")], axis=-1)
    places = ops.reshape(places, (-1, 2))
    nothing = ops.full(ops.shape(places)[:1], -float("inf"), dtype=scores.dtype)
    return ops.scatter_update(scores, places, nothing)


def warn_of_seen(model, x, y, stacklevel):
    """Warns if targets are items of their histories, where both are at hand."""
    if not model.scores_what_it_reads:
        return
    if isinstance(x, Batches):
        x, y = x.epoch_windows.evaluation_arrays() if x.evaluation else (None, None)
    items = items_of(x)
    if not isinstance(items, np.ndarray) or not isinstance(y, np.ndarray):
        return
    if items.ndim != 2 or y.ndim not in (1, 2) or len(y) != len(items) or not y.size:
        return
    targets = y.reshape(len(y), -1)[:, -1:]
    seen = int(((items == targets) & (targets != 0)).any(axis=1).sum())
    if seen:
        warnings.warn(
            f"In {seen:,} of {len(items):,} rows the target is an item of the history, "
            "which recommend() leaves out and this evaluation ranks. Give "
            "exclude_seen=True to compile() or evaluate() to rank as recommend() does, "
            "or exclude_seen=False to rank all items without this warning.",
            stacklevel=stacklevel,
        )
