"""The histories that `recommend` is given."""

from dataclasses import dataclass

import numpy as np
from keras import ops

from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.models.inputs import (
    TIMES,
    as_features,
    check_feature,
    check_names,
    further_of,
    items_of,
)
from stackrec_keras.models.item_ids import encode, flat_ids, flat_indices
from stackrec_keras.models.request_times import (
    as_seconds,
    needs_next_times,
    with_next_times,
)
from stackrec_keras.models.row_lists import RowLists
from stackrec_keras.wording import agreeing


@dataclass(frozen=True, eq=False)
class Histories:
    """The known items of each row, oldest first, and their features.

    Args:
        items: `RowLists` of indices.
        of_items: Dict of `RowLists` by feature, with a value for each item.
        of_rows: Dict of arrays `(rows,)` by feature, with a value for each row.
        are_raw: Boolean, whether the histories were given as lists (of raw ids if the
            model has a vocabulary).
    """

    items: RowLists
    of_items: dict[str, RowLists]
    of_rows: dict[str, np.ndarray]
    are_raw: bool

    def __len__(self):
        return len(self.items)

    def inputs(self, rows, length):
        """Returns the last `length` items of a slice of rows, and their features, as
        the model takes them."""
        items = self.items.last(rows, length).astype("int32")
        if not self.of_items and not self.of_rows:
            return items
        of_items = {name: v.last(rows, length) for name, v in self.of_items.items()}
        of_rows = {name: values[rows] for name, values in self.of_rows.items()}
        return {"items": items, **of_items, **of_rows}


def read_histories(model, x, at=None):
    """Reads the `x` of `recommend`, warning of items that the model does not know.

    Args:
        model: A `SequentialRecommender`.
        x: Array of indices `(batch, time)`, or list of lists of items; or a dict of
            these and other features.
        at: The time of the request, as `recommend` takes it. Defaults to `None`.

    Returns:
        `Histories`.

    Raises:
        ArgumentError: If the model knows no item of a history. If a feature or the time
            of the request does not fit the items.
    """
    names = list(as_features(x))
    needs_times = needs_next_times(model, names, at)
    check_names(model, "x", [*names, "next_timestamps"] if needs_times else names)
    given = as_lists(items_of(x))
    are_lists = isinstance(given, (list, tuple))
    items, lengths = _flat(model, given)
    indices = items.astype("int64") if items.dtype.kind in "iu" else items
    if are_lists and model.vocabulary is not None:
        indices = encode(model.vocabulary, items)
        indices = np.where(indices == 0, -1, indices)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    is_known = (indices >= 1) & (indices <= model.num_items)
    known = RowLists.from_pairs(rows[is_known], indices[is_known], len(lengths))
    empty = np.flatnonzero(known.lengths == 0)
    if len(empty):
        raise _no_known_item(model, given, empty, items[rows == empty[0]])
    unknown = items[~is_known & (indices != 0)].tolist()
    if unknown:
        _warn_of_unknown(model, given, unknown)
    of_items, of_rows = {}, {}
    for name, values in further_of(x).items():
        if name != "users" and _are_per_item(values):
            flat = _values_of_items(name, values, lengths)
            of_items[name] = known.with_values(flat[is_known])
        else:
            of_rows[name] = _values_of_rows(name, values, len(lengths))
    histories = Histories(known, of_items, of_rows, are_lists)
    return with_next_times(histories, at) if needs_times else histories


def as_lists(values):
    """Converts lists of ids in a frame column or an array of objects to a list of
    lists. An array of indices is returned unchanged."""
    if isinstance(values, str):
        return [values]
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    if kind in ("O", "U") and np.ndim(values) == 1:
        values = list(values)
    if isinstance(values, (list, tuple)):
        return [ops.convert_to_numpy(v) if ops.is_tensor(v) else v for v in values]
    return values


def _are_per_item(values):
    lists = as_lists(values)
    if isinstance(lists, (list, tuple)):
        return any(np.ndim(row) for row in lists)
    return np.ndim(lists) != 1


def _values_of_items(name, values, lengths):
    """Returns the values of all histories as one array, one for each item."""
    lists = as_lists(values)
    if not isinstance(lists, (list, tuple)):
        lists = ops.convert_to_numpy(lists)
    sizes = [np.size(row) if np.ndim(row) == 1 else -1 for row in lists]
    if sizes != lengths.tolist():
        wrong = next((i for i, (a, b) in enumerate(zip(sizes, lengths)) if a != b), 0)
        raise ArgumentError(
            f"x[{name!r}]",
            f"must have one value for each item, but row {wrong} does not",
            "Give lists, or an array, of the same sizes as x['items'].",
        )
    flat = np.concatenate([np.asarray(row) for row in lists])
    if name in TIMES:
        flat = as_seconds(f"x[{name!r}]", flat)
    check_feature(f"x[{name!r}]", flat, None, name)
    return flat


def _values_of_rows(name, values, num_rows):
    if np.shape(values) != (num_rows,):
        raise ArgumentError(
            f"x[{name!r}]",
            f"must have the shape ({num_rows},), one value for each history, but its "
            f"shape is {np.shape(values)}",
        )
    first = next(iter(values))  # values[0] looks up a label in a frame's column
    if name == "users" and isinstance(first, str):
        raise ArgumentError(
            "x['users']",
            f"must have indices, but has {first!r}",
            "The index of a raw id is its place in windows.user_ids; -1 is a user that "
            "the model does not know.",
        )
    values = ops.convert_to_numpy(values) if ops.is_tensor(values) else values
    values = np.asarray(values)
    if name != "users":
        check_feature(f"x[{name!r}]", values, None, name)
    return values


def _flat(model, histories):
    """Returns the items of all histories as one array, and the length of each
    history."""
    if not isinstance(histories, (list, tuple)):
        items = _checked_array(histories)
        return items.ravel(), np.full(len(items), items.shape[1])
    if not histories or not all(map(_is_history, histories)):
        raise ArgumentError(
            "x",
            "must be an array (batch, time) of item indices, or a list of histories, "
            "each a list of items",
            "Give one history as [[...]].",
            histories,
        )
    if model.vocabulary is None:
        fix = "The model has no vocabulary. To use raw ids, set model.vocabulary first."
        return flat_indices("x", histories, fix)
    return flat_ids(histories)


def _checked_array(x):
    items = ops.convert_to_numpy(x)
    if not np.issubdtype(items.dtype, np.integer) or len(items) == 0:
        raise ArgumentError(
            "x",
            "must have rows of integer item indices if it is an array",
            "Give raw ids as a list of histories, each a list of ids.",
            items,
        )
    if items.ndim != 2:
        raise ArgumentError(
            "x",
            "must have the shape (batch, time) if it is an array",
            "Give a single history as a batch of one.",
            items,
        )
    return items


def _is_history(history):
    if isinstance(history, (list, tuple)):  # ids may be tuples themselves
        return not any(isinstance(item, (list, np.ndarray)) for item in history)
    return np.ndim(history) == 1


def _warn_of_unknown(model, histories, unknown):
    is_array = not isinstance(histories, (list, tuple))
    hint = " An array holds indices; raw ids go in as a list of lists."
    hint = hint if is_array and model.vocabulary is not None else ""
    shown = list(dict.fromkeys(map(repr, unknown)))
    warn(
        f"The model does not know {len(unknown):,} of the items in the histories and "
        f"skips {agreeing(len(unknown), 'it', 'them')}: "
        f"{', '.join(shown[:5])}{', ...' if len(shown) > 5 else '.'}{hint}",
    )


def _no_known_item(model, histories, empty, given):
    known = f"indices 1 to {model.num_items}"
    if model.vocabulary is not None:
        id = f"{model.vocabulary.ids[:1].tolist()[0]!r}"
        known += f" in an array, and raw ids such as {id} in a list of lists"
        if isinstance(histories, (list, tuple)):
            known = f"ids such as {id}"
    have = agreeing(len(empty), "has", "have")
    rows = agreeing(len(empty), "row", "rows")
    rows += f" {empty[:5].tolist()}{'...' if len(empty) > 5 else ''}"
    return ArgumentError(
        "x",
        f"must have an item that the model knows in each history, but {len(empty):,} "
        f"of {len(histories):,} {have} none: {rows}; the first of these is "
        f"{given.tolist()!r:.100}",
        f"The model knows {known}. Leave those histories out, or recommend popular "
        "items for them.",
    )
