"""The histories that `recommend` is given."""

import warnings

import numpy as np
from keras import ops

from stackrec_keras.models.index_lists import IndexLists
from stackrec_keras.models.item_ids import encode, flat_ids, flat_indices


def as_lists(values):
    """Returns lists of ids as a list, whatever holds them: a column of a frame, an
    array of objects. An array of indices stays as it is."""
    if isinstance(values, str):
        return [values]
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    if kind in ("O", "U") and np.ndim(values) == 1:
        values = list(values)
    if isinstance(values, (list, tuple)):
        return [ops.convert_to_numpy(v) if ops.is_tensor(v) else v for v in values]
    return values


def read_histories(model, histories):
    """Reads histories, warning of items that the model does not know.

    Args:
        model: A `SequentialRecommender`.
        histories: What `as_lists` returned.

    Returns:
        `IndexLists` of the known items, oldest first.

    Raises:
        ValueError: If a history has no known item, or they are of another form.
    """
    given, lengths = _flat(model, histories)
    indices = given.astype("int64") if given.dtype.kind in "iu" else given
    if isinstance(histories, (list, tuple)) and model.vocabulary is not None:
        indices = encode(model.vocabulary, given)
        indices = np.where(indices == 0, -1, indices)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    is_known = (indices >= 1) & (indices <= model.num_items)
    known = IndexLists.from_pairs(rows[is_known], indices[is_known], len(lengths))
    empty = np.flatnonzero(known.lengths == 0)
    if len(empty):
        raise _no_known_item(model, histories, empty, given[rows == empty[0]])
    unknown = given[~is_known & (indices != 0)].tolist()
    if unknown:
        _warn_of_unknown(model, histories, unknown)
    return known


def _flat(model, histories):
    """Returns what all histories hold as one array, and the length of each."""
    if not isinstance(histories, (list, tuple)):
        items = _checked_array(histories)
        return items.ravel(), np.full(len(items), items.shape[1])
    if not histories or not all(map(_is_history, histories)):
        raise ValueError(
            "x must be an array (batch, time) of item indices or a list of "
            "histories, each a list of items; one history is [[...]]. Received: "
            f"x={histories!r:.200}"
        )
    if model.vocabulary is None:
        fix = "The model has no vocabulary. To use raw ids, set model.vocabulary first."
        return flat_indices("x", histories, fix)
    return flat_ids(histories)


def _checked_array(x):
    items = ops.convert_to_numpy(x)
    if not np.issubdtype(items.dtype, np.integer) or len(items) == 0:
        raise ValueError(
            "An array x must hold at least one row of integer item indices; raw "
            "ids go in as a list of histories, each a list of ids. Received: "
            f"dtype={items.dtype}, shape={items.shape}"
        )
    if items.ndim != 2:
        raise ValueError(
            f"x must be of shape (batch, time). Received: shape {items.shape}. A "
            "single history goes in as a batch of one."
        )
    return items


def _is_history(history):
    if isinstance(history, (list, tuple)):  # of ids that may be tuples themselves
        return not any(isinstance(item, (list, np.ndarray)) for item in history)
    return np.ndim(history) == 1


def _warn_of_unknown(model, histories, unknown):
    is_array = not isinstance(histories, (list, tuple))
    hint = " An array holds indices; raw ids go in as a list of lists."
    hint = hint if is_array and model.vocabulary is not None else ""
    shown = list(dict.fromkeys(map(repr, unknown)))
    warnings.warn(
        f"The model does not know {len(unknown)} of the items in the histories and "
        f"skips them: {', '.join(shown[:5])}{', ...' if len(shown) > 5 else '.'}{hint}",
        stacklevel=5,
    )


def _no_known_item(model, histories, empty, given):
    known = f"indices 1 to {model.num_items}"
    if model.vocabulary is not None:
        id = f"{model.vocabulary.ids[:1].tolist()[0]!r}"
        known += f" in an array, and raw ids such as {id} in a list of lists"
        if isinstance(histories, (list, tuple)):
            known = f"ids such as {id}"
    num_rows = len(histories)
    return ValueError(
        f"Of {num_rows} histories {len(empty)} have no item that the model knows: "
        f"rows {empty[:5].tolist()}{'...' if len(empty) > 5 else ''}, such as "
        f"{given.tolist()!r:.100}. It knows {known}. Leave them out, or recommend "
        "popular items to them."
    )
