"""The items that `recommend` may choose from."""

from dataclasses import dataclass

import numpy as np

from stackrec_keras.models.item_ids import are_lists, as_list, known_indices
from stackrec_keras.models.row_lists import RowLists


@dataclass(frozen=True, eq=False)
class Candidates:
    """Items to choose from: the same for all rows, a list for each row, or all items.

    Args:
        shared: Integer array of indices in ascending order, or `None`.
        lists: `RowLists`, or `None`.
    """

    shared: np.ndarray | None = None
    lists: RowLists | None = None


def read_candidates(model, items, raw, num_rows):
    """Reads the `items` of `recommend`.

    Args:
        model: A `SequentialRecommender`.
        items: A list of items, one list for each history, or `None` for all items.
        raw: Boolean, whether items are raw ids; else they are indices.
        num_rows: Integer, the number of histories.

    Returns:
        `Candidates`.

    Raises:
        ValueError: If a list has no items or unknown ones.
    """
    if items is None:
        return Candidates()
    items = as_list("items", items)
    kinds = (list, np.ndarray) if raw else (list, np.ndarray, tuple)
    is_per_row = are_lists("items", items, kinds)
    lists = items if is_per_row else [items]
    if is_per_row and len(lists) != num_rows:
        raise ValueError(
            f"items has {len(lists)} lists for {num_rows} histories. Give one list "
            "for each history, or a single list for all of them."
        )
    indices, lengths = known_indices(
        "items",
        lists,
        model.target_vocabulary if raw else None,
        model.num_targets,
        "items holds indices if x does; for raw ids give x as a list of histories, to "
        "a model with a vocabulary.",
    )
    if not is_per_row:
        return Candidates(np.unique(indices))
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise ValueError(
            f"items has no item for {len(empty)} of {num_rows} histories, first for "
            f"row {empty[0]}. Leave those histories out."
        )
    rows = np.repeat(np.arange(num_rows), lengths)
    return Candidates(lists=RowLists.from_pairs(rows, indices, num_rows))
