"""The best items for each history."""

import keras
import numpy as np

from stackrec_keras.arguments import check_bools, check_integers, is_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.best_items import (
    BestItems,
    check_no_nan,
    column_slices,
    slices,
)
from stackrec_keras.models.candidates import read_candidates
from stackrec_keras.models.histories import read_histories
from stackrec_keras.models.inference import last_hidden
from stackrec_keras.models.scored_items import ScoredItems


def recommend(model, x, k, exclude_seen, batch_size, items, at):
    """See `SequentialRecommender.recommend`."""
    check_integers(batch_size=batch_size)
    check_bools(exclude_seen=exclude_seen)
    check_k(k, model.num_targets, "items of the model")
    histories = read_histories(model, x, at)
    raw = histories.are_raw and model.target_vocabulary is not None
    candidates = read_candidates(model, items, raw, len(histories))
    scored = ScoredItems.of(model)
    if candidates.shared is not None:
        scored = scored.among(candidates.shared)
    parts = []
    for rows, hidden in hidden_states(model, histories, batch_size):
        seen = histories.items.pairs(rows) if exclude_seen else None
        own = None if candidates.lists is None else candidates.lists.pairs(rows)
        parts.append(_best(scored, hidden, rows, k, seen, own))
    ids, scores = (np.concatenate(part) for part in zip(*parts))
    check_no_nan(scores, "histories")
    return (decode(model.target_vocabulary, ids) if raw else ids), scores


def hidden_states(model, histories, batch_size):
    """Yields each slice of rows and a tensor of the hidden states at the ends of their
    histories. The tensor may have extra rows."""
    length = model.trained_length or model.max_length or histories.items.lengths.max()
    for rows in slices(len(histories), batch_size):
        inputs = _filled_up(histories.inputs(rows, length), batch_size)
        yield rows, last_hidden(model, inputs)


def check_k(k, most, which):
    """Checks that `k` is an integer from 1 to `most`."""
    if not is_integer(k) or not 1 <= k <= most:
        reason = f"must be an integer from 1 to {most}, the number of {which}"
        raise ArgumentError("k", reason, received=k)


def decode(vocabulary, ids):
    """Returns the raw ids of item indices, `None` for 0."""
    raw = np.full(ids.shape, None, dtype=object)
    known = ids > 0
    raw[known] = vocabulary.decode(ids[known])
    return raw


def _filled_up(inputs, batch_size):
    """Returns the inputs of a batch, filled up to a power of two or `batch_size` rows,
    since TensorFlow and JAX compile a function for each size."""
    num_rows = len(keras.tree.flatten(inputs)[0])
    size = min(1 << (num_rows - 1).bit_length(), batch_size)
    row = np.minimum(np.arange(size), num_rows - 1)
    return keras.tree.map_structure(lambda values: values[row], inputs)


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
