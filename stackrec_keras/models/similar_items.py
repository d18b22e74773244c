"""Finds items whose embeddings point in similar directions."""

import numpy as np
from keras import ops

from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.best_items import (
    BestItems,
    check_no_nan,
    column_slices,
    slices,
)
from stackrec_keras.models.inference import item_vectors
from stackrec_keras.models.item_ids import are_lists, as_list, lookup_indices
from stackrec_keras.models.recommend import check_k, decode

_ROWS = 256


def similar_items(model, ids, k):
    """See `SequentialRecommender.similar_items`."""
    check_k(k, model.num_items - 1, "other items of the model")
    if not hasattr(model, "item_embedding"):
        raise ValueError(
            f"similar_items compares the vectors of model.item_embedding, which "
            f"{type(model).__name__} does not have. Store the model's item embedding "
            "under that name."
        )
    ids = as_list("ids", ids)
    if are_lists("ids", ids):
        raise ArgumentError("ids", "must be one list of items", received=ids)
    fix = "To use raw ids, set model.vocabulary first."
    indices, _ = lookup_indices("ids", [ids], model.vocabulary, model.num_items, fix)
    vectors = ops.convert_to_numpy(item_vectors(model))
    parts = [
        _most_similar(vectors, indices[rows], k) for rows in slices(len(indices), _ROWS)
    ]
    best, scores = (np.concatenate(part) for part in zip(*parts))
    check_no_nan(scores, "items")
    if model.vocabulary is not None:
        best = decode(model.vocabulary, best)
    return best, scores


def _most_similar(vectors, indices, k):
    best = BestItems(len(indices), k)
    directions = _normalize(vectors[indices])
    rows = np.arange(len(indices))
    for columns in column_slices(len(indices), vectors, k):
        ids = np.arange(columns.start, columns.stop)
        scores = (directions @ _normalize(vectors[columns]).T).astype("float32")
        scores[:, ids == 0] = -np.inf
        is_here = (indices >= columns.start) & (indices < columns.stop)
        scores[rows[is_here], indices[is_here] - columns.start] = -np.inf
        best.add(ids, scores)
    return best.result()


def _normalize(vectors):
    """Scales vectors to length 1; a vector of zeros stays as it is."""
    vectors = vectors.astype("float64")  # lengths cannot overflow
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):  # check_no_nan reports NaN
        return vectors / np.where(lengths == 0, 1, lengths)
