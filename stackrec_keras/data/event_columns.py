"""Columns of a log, cut into the same rows as its items."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from stackrec_keras.errors import ArgumentError

from .further_columns import check_column_name
from .histories import gather_rows

Columns = Mapping[str, np.ndarray]
"""Dict from the name of a column to its values, `(rows, length)`."""


@dataclass(frozen=True, eq=False)
class EventColumns(Columns):
    """Columns of event values, which are cut into rows on each access.

    A mapping from column name to `(rows, length)` values, 0 at padding. It stores one
    value per event, however long the rows are and however much they overlap.

    Args:
        events: Dict from column name to `(events,)` values.
        begins: `(rows,)`, the index of each row's first input event. If a row has too
            many input events, the newest are kept.
        ends: `(rows,)`, the index after each row's last input event.
        targets: `(rows,)`, the index of the event in the last place of each row.
        length: Integer, the number of events in a row, including the target.
    """

    events: Mapping[str, np.ndarray]
    begins: np.ndarray
    ends: np.ndarray
    targets: np.ndarray
    length: int

    def __getitem__(self, name: str) -> np.ndarray:
        return self.cut(self.events[name])

    def __contains__(self, name: object) -> bool:
        return name in self.events  # Mapping's default would cut the column

    def __iter__(self) -> Iterator[str]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def cut(self, values: np.ndarray) -> np.ndarray:
        """Cuts `(events,)` values into `(rows, length)` values."""
        rows = np.zeros((len(self.targets), self.length), values.dtype)
        gather_rows(values, self.begins, self.ends, self.length - 1, rows[:, :-1])
        if len(self.targets):
            rows[:, -1] = values[self.targets]
        return rows

    def take(self, rows) -> "EventColumns":
        """Returns these columns for some of the rows. No values are cut yet."""
        return replace(
            self,
            begins=self.begins[rows],
            ends=self.ends[rows],
            targets=self.targets[rows],
        )


def take_rows(columns: Columns, rows) -> Columns:
    """Returns the columns at `rows`, which are indices, a slice or a boolean mask."""
    if isinstance(columns, EventColumns):
        return columns.take(rows)
    return {name: values[rows] for name, values in columns.items()}


def check_columns(columns, shape: tuple[int, int]) -> None:
    """Checks the `columns` of windows whose items have the given shape."""
    if isinstance(columns, EventColumns):
        if (len(columns.targets), columns.length) != shape:
            raise ArgumentError(
                "columns",
                f"must have the shape of the items, {shape}",
                received=columns,
            )
        return
    if not isinstance(columns, Mapping):
        raise ArgumentError(
            "columns",
            "must map the names of columns to arrays",
            "Give a dict, such as {'price': prices}.",
            columns,
        )
    for name, values in columns.items():
        if name != "timestamps":
            check_column_name(name)
        if getattr(values, "shape", None) != shape or values.dtype.kind not in "biuf":
            raise ArgumentError(
                f"columns[{name!r}]",
                f"must be an array of numbers with the shape of the items, {shape}",
                received=values,
            )
