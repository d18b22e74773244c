"""The items that `recommend` may choose from."""

from dataclasses import dataclass

import numpy as np

from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.item_ids import are_lists, as_list, lookup_indices
from stackrec_keras.models.row_lists import RowLists
from stackrec_keras.wording import counted


@dataclass(frozen=True, eq=False)
class Candidates:
    """The items to choose from: all items if both arguments are `None`.

    Args:
        shared: Integer array of indices in ascending order, the items for all rows;
            or `None`. Defaults to `None`.
        lists: `RowLists`, the items for each row; or `None`. Defaults to `None`.
    """

    shared: np.ndarray | None = None
    lists: RowLists | None = None


def read_candidates(model, items, raw, num_rows):
    """Reads the argument `items` of `recommend`.

    Args:
        model: A `SequentialRecommender`.
        items: A list of items, one list for each history, or `None` for all items.
        raw: Boolean, whether items are raw ids. Otherwise they are indices.
        num_rows: Integer, the number of histories.

    Returns:
        `Candidates`.

    Raises:
        ArgumentError: If a list is empty or has an unknown item.
    """
    if items is None:
        return Candidates()
    items = as_list("items", items)
    kinds = (list, np.ndarray) if raw else (list, np.ndarray, tuple)
    is_per_row = are_lists("items", items, kinds)
    lists = items if is_per_row else [items]
    if is_per_row and len(lists) != num_rows:
        raise ArgumentError(
            "items",
            f"has {counted(len(lists), 'list')} for "
            f"{counted(num_rows, 'history', 'histories')}",
            "Give one list for each history, or one list of items for all of them.",
        )
    indices, lengths = lookup_indices(
        "items",
        lists,
        model.target_vocabulary if raw else None,
        model.num_targets,
        "If x holds indices, so must items. To use raw ids in both, give x as a list "
        "of histories; the model needs a vocabulary.",
    )
    if not is_per_row:
        return Candidates(np.unique(indices))
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise ArgumentError(
            "items",
            f"has an empty list for {len(empty):,} of "
            f"{counted(num_rows, 'history', 'histories')}; the first is in row "
            f"{empty[0]}",
            "Leave those histories out.",
        )
    rows = np.repeat(np.arange(num_rows), lengths)
    return Candidates(lists=RowLists.from_pairs(rows, indices, num_rows))
