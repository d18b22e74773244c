"""From histories to the best items that are not in them."""

import numbers
import warnings

import numpy as np
from keras import ops

from stackrec_keras.layers.arguments import check_integers
from stackrec_keras.models.inputs import check_users, items_of, users_of


def recommend(model, x, k, exclude_seen, batch_size):
    """See `SequentialRecommender.recommend`."""
    check_integers(batch_size=batch_size)
    if not isinstance(k, numbers.Integral) or not 1 <= k <= model.num_targets:
        raise ValueError(
            f"k must be between 1 and the {model.num_targets} items of the model, and "
            f"an integer. Received: k={k!r}"
        )
    check_users(model, "x", x)
    histories, users = _listed(items_of(x)), users_of(x)
    raw = isinstance(histories, (list, tuple)) and model.target_vocabulary is not None
    items = _item_indices(model, histories)
    _check_users(users, len(items))
    seen = _known(items, model.num_items)
    _check_histories(model, histories, items, seen)
    _warn_of_unknown(model, histories, items)
    inputs = _fit_length(seen, model)
    parts = [
        _best(
            model, _batch(inputs, users, rows, batch_size), seen[rows], k, exclude_seen
        )
        for rows in _row_slices(len(seen), batch_size)
    ]
    ids, scores = (np.concatenate(part) for part in zip(*parts))
    return (_decode(model, ids) if raw else ids), scores


def _listed(histories):
    """Histories in a column of a frame, or an array of objects, as a list."""
    if isinstance(histories, str):
        return [histories]
    kind = getattr(getattr(histories, "dtype", None), "kind", "")
    if kind in ("O", "U") and np.ndim(histories) == 1:
        histories = list(histories)
    if isinstance(histories, (list, tuple)):
        return [ops.convert_to_numpy(h) if ops.is_tensor(h) else h for h in histories]
    return histories


def _item_indices(model, x):
    """Array `(batch, time)` of indices, -1 for unknown."""
    if not isinstance(x, (list, tuple)):
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
    if not x or not all(map(_is_history, x)):
        raise ValueError(
            "x must be an array (batch, time) of item indices or a list of "
            "histories, each a list of items; one history is [[...]]. Received: "
            f"x={x!r:.200}"
        )
    return _left_padded([_encode(model, history) for history in x])


def _is_history(history):
    if isinstance(history, (list, tuple)):  # of ids that may be tuples themselves
        return not any(isinstance(item, (list, np.ndarray)) for item in history)
    return np.ndim(history) == 1


def _check_users(users, num_rows):
    if users is None:
        return
    if np.shape(users) != (num_rows,):
        raise ValueError(
            f"x['users'] must have one user a history, of shape ({num_rows},). "
            f"Received: shape {np.shape(users)}"
        )
    first = next(iter(users))  # of a column of a frame, users[0] may be another
    if isinstance(first, str):
        raise ValueError(
            f"x['users'] has {first!r}, and must have indices: that of a raw id is "
            "its place in windows.user_ids, and -1 is a user that the model does not "
            "know."
        )


def _encode(model, history):
    if model.vocabulary is None:
        return _as_indices(history)
    encoded = model.vocabulary.encode(history)
    return np.where(encoded == 0, -1, encoded)


def _as_indices(history):
    indices = np.asarray(history)
    if indices.size and not np.issubdtype(indices.dtype, np.integer):
        raise ValueError(
            f"x has the history {history!r:.100}, and the model no vocabulary: its "
            "items are integers, item indices. For raw ids set model.vocabulary first."
        )
    return indices


def _left_padded(rows):
    padded = np.zeros((len(rows), max(1, *map(len, rows))), "int64")
    for row, values in zip(padded, rows):
        row[len(row) - len(values) :] = values
    return padded


def _warn_of_unknown(model, histories, items):
    unknown = (items < 0) | (items > model.num_items)
    if not unknown.any():
        return
    hint = ""
    if model.vocabulary is None:
        names = items[unknown].tolist()
    elif isinstance(histories, (list, tuple)):
        raw = [item for history in histories for item in history]
        names = [raw[i] for i in np.flatnonzero(unknown[items != 0])]
    else:
        names = items[unknown].tolist()
        hint = " An array holds indices; raw ids go in as a list of lists."
    shown = list(dict.fromkeys(map(repr, names)))
    warnings.warn(
        f"The model does not know {len(names)} of the items in the histories and skips "
        f"them: {', '.join(shown[:5])}{', ...' if len(shown) > 5 else '.'}{hint}",
        stacklevel=4,
    )


def _known(items, num_items):
    """Moves known items to the right end."""
    known = (items >= 1) & (items <= num_items)
    order = np.argsort(known, axis=1, kind="stable")
    return np.take_along_axis(np.where(known, items, 0), order, axis=1)


def _check_histories(model, histories, items, seen):
    empty = np.flatnonzero(~seen.any(axis=1))
    if len(empty) == 0:
        return
    given, known = items[empty[0]].tolist(), f"indices 1 to {model.num_items}"
    if model.vocabulary is not None:
        id = f"{model.vocabulary.ids[:1].tolist()[0]!r}"
        known += f" in an array, and raw ids such as {id} in a list of lists"
        if isinstance(histories, (list, tuple)):
            given, known = histories[int(empty[0])], f"ids such as {id}"
    raise ValueError(
        f"Of {len(seen)} histories {len(empty)} have no item that the model knows: "
        f"rows {empty[:5].tolist()}{'...' if len(empty) > 5 else ''}, such as "
        f"{given!r:.100}. It knows {known}. Leave them out, or recommend popular "
        "items to them."
    )


def _fit_length(seen, model):
    """Cut or padded to the length of the training sequences, which is what the
    model has learned to read."""
    length = model.trained_length or model.max_length or seen.shape[1]
    padding = max(0, length - seen.shape[1])
    return np.pad(seen, ((0, 0), (padding, 0)))[:, -length:].astype("int32")


def _row_slices(num_rows, batch_size):
    return [slice(i, i + batch_size) for i in range(0, num_rows, batch_size)]


def _batch(inputs, users, rows, batch_size):
    """A batch of always the same size, so that one compiled function serves all."""
    size = min(batch_size, len(inputs))

    def part(values):
        values = np.asarray(values)[rows]
        missing = size - len(values)
        return np.concatenate([values, np.repeat(values[:1], missing, axis=0)])

    if users is None:
        return part(inputs)
    return {"items": part(inputs), "users": part(users)}


def _best(model, batch, seen, k, exclude_seen):
    scores = np.array(model.predict_on_batch(batch), "float32")[: len(seen)]
    if exclude_seen:
        np.put_along_axis(scores, seen, -np.inf, axis=1)
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    top_scores = np.take_along_axis(scores, top, axis=1)
    order = np.lexsort((top, -top_scores), axis=1)
    top_scores = np.take_along_axis(top_scores, order, axis=1)
    ids = np.take_along_axis(top, order, axis=1)
    return np.where(np.isneginf(top_scores), 0, ids), top_scores


def _decode(model, ids):
    raw = np.full(ids.shape, None, dtype=object)
    known = ids > 0
    raw[known] = model.target_vocabulary.decode(ids[known])
    return raw
