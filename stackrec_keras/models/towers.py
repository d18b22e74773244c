"""The two towers of a model: vectors whose products are scores."""

from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras.arguments import check_integers
from stackrec_keras.models.histories import read_histories
from stackrec_keras.models.inference import output_weights
from stackrec_keras.models.inputs import Data
from stackrec_keras.models.recommend import hidden_states


def item_tower(model: keras.Model) -> np.ndarray:
    """Returns a vector for each item, for a nearest-neighbour index.

    The product of an item's vector and a history's vector from `user_tower` is the
    next-item score, so search by inner product. The last number of an item's vector is
    its bias.

    Args:
        model: A `SequentialRecommender`.

    Returns:
        Float32 array `(num_targets, dim + 1)`. Row 0 is item 1: padding has no row.

    Example:

    ```python
    items = sr.models.item_tower(model)
    index = faiss.IndexHNSWFlat(items.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.add(items)
    scores, rows = index.search(sr.models.user_tower(model, x), k=10)
    ids = rows + 1
    ```
    """
    with model.lock.reading():
        vectors, biases = map(ops.convert_to_numpy, output_weights(model))
    return np.column_stack([vectors, biases])[1:].astype("float32")


def user_tower(
    model: keras.Model, x: Data, batch_size: int = 256, at: Any = None
) -> np.ndarray:
    """Returns a vector for each history, for a search among the vectors of
    `item_tower`.

    Args:
        model: A `SequentialRecommender`.
        x: Histories, as in `SequentialRecommender.recommend`.
        batch_size: Integer, number of histories that the model reads at a time.
            Defaults to `256`.
        at: The time of the request, as in `SequentialRecommender.recommend`. Defaults
            to `None`.

    Returns:
        Float32 array `(batch, dim + 1)`. The last number of each row is 1, which is
            multiplied by the item's bias.

    Raises:
        ArgumentError: If a history has no known item, or `at` is invalid.
    """
    check_integers(batch_size=batch_size)
    with model.lock.reading():
        histories = read_histories(model, x, at)
        parts = [
            _states(model, hidden)[: rows.stop - rows.start]
            for rows, hidden in hidden_states(model, histories, batch_size)
        ]
    states = np.concatenate(parts)
    return np.column_stack([states, np.ones(len(states))]).astype("float32")


def _states(model, hidden):
    hidden = ops.cast(hidden, model.output_table.variable_dtype)
    return ops.convert_to_numpy(model.output_table.states(hidden))
