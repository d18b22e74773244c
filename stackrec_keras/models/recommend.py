"""From histories to the best items that are not in them."""

import numpy as np

from stackrec_keras.layers.arguments import check_bools, check_integers, is_integer
from stackrec_keras.models.best_items import (
    BestItems,
    check_no_nan,
    column_slices,
    slices,
)
from stackrec_keras.models.candidates import Candidates, read_candidates
from stackrec_keras.models.histories import as_lists, read_histories
from stackrec_keras.models.inference import last_hidden
from stackrec_keras.models.inputs import check_users, items_of, users_of
from stackrec_keras.models.scored_items import ScoredItems


def recommend(model, x, k, exclude_seen, batch_size, items):
    """See `SequentialRecommender.recommend`."""
    check_integers(batch_size=batch_size)
    check_bools(exclude_seen=exclude_seen)
    check_k(k, model.num_targets, "items of the model")
    check_users(model, "x", x)
    given, users = as_lists(items_of(x)), users_of(x)
    raw = isinstance(given, (list, tuple)) and model.target_vocabulary is not None
    histories = read_histories(model, given)
    _check_users(users, len(histories))
    candidates = Candidates()
    if items is not None:
        candidates = read_candidates(model, items, raw, len(histories))
    scored = ScoredItems.of(model)
    if candidates.shared is not None:
        scored = scored.among(candidates.shared)
    length = model.trained_length or model.max_length or histories.lengths.max()
    parts = []
    for rows in slices(len(histories), batch_size):
        inputs = _inputs(histories.last(rows, length), users, rows, batch_size)
        hidden = last_hidden(model, inputs)
        seen = histories.pairs(rows) if exclude_seen else None
        own = None if candidates.lists is None else candidates.lists.pairs(rows)
        parts.append(_best(scored, hidden, rows, k, seen, own))
    ids, scores = (np.concatenate(part) for part in zip(*parts))
    check_no_nan(scores, "histories")
    return (decode(model.target_vocabulary, ids) if raw else ids), scores


def check_k(k, most, which):
    """Raises a ValueError if `k` is not an integer from 1 to `most`."""
    if not is_integer(k) or not 1 <= k <= most:
        raise ValueError(
            f"k must be between 1 and the {most} {which}, and an integer. Received: "
            f"k={k!r}"
        )


def decode(vocabulary, ids):
    """Returns the raw ids of item indices, `None` for 0."""
    raw = np.full(ids.shape, None, dtype=object)
    known = ids > 0
    raw[known] = vocabulary.decode(ids[known])
    return raw


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


def _inputs(items, users, rows, batch_size):
    """Returns the inputs of a batch. Its size is a power of two or `batch_size`, since
    TensorFlow and JAX compile a function for each size."""
    size = min(1 << (len(items) - 1).bit_length(), batch_size)
    row = np.minimum(np.arange(size), len(items) - 1)
    if users is None:
        return items[row]
    return {"items": items[row], "users": np.asarray(users)[rows][row]}


def _best(scored, hidden, rows, k, seen, own):
    """Returns ids and scores `(rows, k)` of the best items.

    Args:
        scored: `ScoredItems`.
        hidden: Tensor with at least as many rows as the slice `rows`.
        seen: (row, id) pairs to leave out, or `None`.
        own: (row, id) pairs to choose from, or `None`.
    """
    num_rows = rows.stop - rows.start
    best = BestItems(num_rows, k)
    if own is not None:
        scored = scored.among(np.unique(own[1]))
    for columns in column_slices(len(hidden), scored.vectors, k):
        scores = scored.scores(hidden, columns)[:num_rows]
        if own is not None:
            is_own = np.zeros(scores.shape, bool)
            is_own[scored.places(*own, columns)] = True
            scores[~is_own] = -np.inf
        if seen is not None:
            scores[scored.places(*seen, columns)] = -np.inf
        best.add(scored.ids[columns], scores)
    return best.result()
