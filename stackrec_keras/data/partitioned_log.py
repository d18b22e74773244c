"""A log in many Parquet files, which is read a few events at a time."""

import contextlib
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted, shown

from .columns import IDS, check_names, match_columns, named_column
from .log import clean_columns
from .log_files import open_parquet, place_in_frame
from .log_paths import MISSING, find_files, keys_of, types_in_paths

_EVENTS = 1 << 18  # the number of events to read at a time


class PartitionedLog:
    """An interaction log in Parquet files, which need not fit into memory.

    `open_log` makes one, and `prepare_log` turns it into rows to train on.

    Attributes:
        files: List of the paths of the files with events, in the order of their names.
        num_events: Integer, the number of events in all files.
        has_times: Boolean, whether the log has a column of times.
        columns: List of the names of the further columns.
    """

    def __init__(self, files: list[Path], given: dict[str, str | None]) -> None:
        self.has_times = given["timestamp"] is not None
        self.columns = [name for name in given if name not in (*IDS, "timestamp")]
        self._given = given
        self._path_types = types_in_paths(files)
        self._first = None  # the path and the types of the first file
        events = {path: self._check_file(path) for path in files}
        self.files = [path for path in files if events[path]]
        # The number of events before each file, and of all events.
        self._starts = np.cumsum([0, *(events[path] for path in self.files)])
        self.num_events = int(self._starts[-1])

    def __repr__(self):
        events = counted(self.num_events, "event")
        return f"PartitionedLog({events} in {counted(len(self.files), 'file')})"

    def frames(
        self, roles: Sequence[str] | None = None, files: range | None = None
    ) -> Iterator[pd.DataFrame]:
        """Reads the log in order, a small number of events at a time.

        Args:
            roles: List of the columns to read: `"user"`, `"item"`, `"timestamp"` and
                names of further columns. Defaults to `None`: all.
            files: The indices of the files to read. Defaults to `None`: all.

        Returns:
            Iterator of frames as `read_interactions` returns them, but not sorted.

        Raises:
            ArgumentError: If a file is damaged, or a value is missing or invalid. The
                error names the file.
        """
        files = range(len(self.files)) if files is None else files
        row = int(self._starts[files.start])
        for path in self.files[files.start : files.stop]:
            with _errors_about_path():
                for frame in self._frames_of(path, roles or list(self._given)):
                    if "timestamp" in frame and not self.has_times:
                        frame["timestamp"] += row
                    row += len(frame)
                    yield frame

    def parts(self, events: int) -> list[range]:
        """Divides the files into groups for `frames`.

        Args:
            events: Integer, the approximate number of events per group. A larger file
                is a group of its own.
        """
        groups = self._starts[:-1] // events
        starts = np.flatnonzero(np.diff(groups, prepend=-1)).tolist()
        stops = [*starts[1:], len(self.files)]
        return [range(start, stop) for start, stop in zip(starts, stops)]

    def fingerprint(self) -> str:
        """Returns a string that changes if a file is written again, and that depends on
        the columns to read."""
        stats = [(path, path.stat()) for path in self.files]
        files = [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats]
        return repr([self._given, files])

    def _frames_of(self, path, roles):
        row = 0
        with open_parquet(path) as file:
            names = {role: self._names_in(file, path)[role] for role in roles}
            in_file = [n for n in names.values() if n in file.schema_arrow.names]
            for batch in file.iter_batches(_EVENTS, columns=in_file):
                raw = _as_frame(batch)
                for name in {*names.values()} - {*in_file, None}:
                    raw[name] = self._value_in_path(path, name, len(raw))
                place = _place_after(row)
                row += len(raw)
                if len(raw):
                    yield clean_columns(raw, names, path, place)

    def _names_in(self, file, path):
        available = dict.fromkeys([*file.schema_arrow.names, *keys_of(path)])
        return match_columns(available, self._given, path)

    def _value_in_path(self, path, name, rows):
        value = keys_of(path)[name]
        if value == MISSING:
            reason = f"has events without {shown(name)} in the folder of {shown(path)}"
            raise ArgumentError("path", reason, "Write the log without such events.")
        if self._path_types[name] is int:
            return np.full(rows, int(value))
        return pd.Series([value]).repeat(rows).reset_index(drop=True)

    def _check_file(self, path):
        """Returns the number of events in a file, and checks that its columns have the
        same types as in the first file."""
        with _errors_about_path(), open_parquet(path) as file:
            # pandas gives the columns of an empty file other types.
            if not file.metadata.num_rows:
                return 0
            names = self._names_in(file, path)
            types = {
                role: None if name is None else self._type_in(file, name)
                for role, name in names.items()
            }
            self._first = self._first or (path, types)
            for role, kind in types.items():
                if kind is not None:
                    column = named_column(role, names[role])
                    _check_type(role, column, kind, path)
                    self._check_same(role, column, kind, path)
            return file.metadata.num_rows

    def _type_in(self, file, name):
        import pyarrow

        if name in file.schema_arrow.names:
            return _plain_type(file.schema_arrow.field(name).type)
        is_integer = self._path_types[name] is int
        return pyarrow.int64() if is_integer else pyarrow.string()

    def _check_same(self, role, column, kind, path):
        first_path, types = self._first
        if kind != types[role]:
            raise ArgumentError(
                "path",
                f"has files of different types: the column {column} is {kind} in "
                f"{shown(path)}, but {types[role]} in {shown(first_path)}",
                "Write all files with the same types.",
            )


def open_log(
    path: str | PathLike,
    user: str = "user",
    item: str = "item",
    timestamp: str | None = "timestamp",
    columns: Sequence[str] = (),
) -> PartitionedLog:
    """Opens a log in many Parquet files, which need not fit into memory.

    Only the files' metadata is read. `prepare_log` makes rows to train on.

    Folders named `key=value`, as Spark, Dask and Polars write them, become columns of
    integers or text. A column must have the same type in every file that has events.
    Ids are integers, floats or text; times are numbers, timestamps or dates. Files are
    read in the order of their names. If a user has several events at the same time,
    they stay in the order in which they were read.

    Needs pyarrow, `pip install 'stackrec-keras[parquet]'`.

    Args:
        path: A pattern such as `"clicks/*.parquet"` or `"clicks/**/*.parquet"`, one
            file, or a folder to search for `.parquet` files. Files and folders whose
            names begin with `_` or `.` are skipped.
        user: Name of the column of user ids. Defaults to `"user"`, or `"user_id"` if
            there is no such column.
        item: Name of the column of item ids. Defaults to `"item"`, or `"item_id"`.
        timestamp: Name of the column of times. With `None`, the order of the rows
            serves as time. Defaults to `"timestamp"`.
        columns: List of the names of further columns to keep: numbers, booleans or
            datetimes. Defaults to none.

    Returns:
        A `PartitionedLog`.

    Raises:
        ArgumentError: If no file matches, if there are no events, or if a file is
            damaged. Also if a column is missing, has an unsupported type, or has
            another type than in the first file. An error about a file names it.
        ImportError: If pyarrow is not installed.

    Example:

    ```python
    log = open_log("clicks/*.parquet", item="article")
    split = prepare_log(log, "prepared", length=50)
    ```
    """
    roles = {"user": user, "item": item, "timestamp": timestamp}
    check_names(roles, columns)
    files = find_files(path)
    if not files:
        raise ArgumentError(
            "path",
            "matches no file",
            f"Check it. A relative path starts at {Path.cwd()}. In a folder, only "
            "files that end in .parquet count.",
            path,
        )
    log = PartitionedLog(files, {**roles, **{name: name for name in columns}})
    if log.num_events == 0:
        fix = "A log needs at least one interaction."
        raise ArgumentError("path", "has no rows", fix, path)
    return log


def _as_frame(batch):
    """Returns a batch as a frame with the index 0 to rows - 1."""
    import pyarrow

    table = pyarrow.Table.from_batches([batch])
    return table.to_pandas(ignore_metadata=True)


def _place_after(row):
    return lambda place: place_in_frame(row + place)


def _plain_type(kind):
    """Returns an Arrow type without its encoding: the value type of a dictionary, and
    a string for a large string."""
    import pyarrow
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return pyarrow.string() if types.is_large_string(kind) else kind


def _check_type(role, column, kind, path):
    """Checks that a column has a type that its role allows."""
    from pyarrow import types

    fits = types.is_integer(kind) or types.is_floating(kind)
    if role in IDS:
        needed = "integers, floats or text"
        fits |= types.is_string(kind)
    else:
        needed = "numbers, timestamps or dates"
        fits |= types.is_timestamp(kind) or types.is_date(kind)
    if role not in (*IDS, "timestamp"):
        needed = f"booleans, {needed}"
        fits |= types.is_boolean(kind)
    if not fits:
        raise ArgumentError(
            "path",
            f"must hold {needed} in the column {column}, which is {kind} in "
            f"{shown(path)}",
            "Convert the column when you write the log. Values in folder names are "
            "read as integers or text.",
        )


@contextlib.contextmanager
def _errors_about_path():
    """Context manager; errors inside it name `path`, not `path_or_frame`."""
    try:
        yield
    except ArgumentError as error:
        if error.argument != "path_or_frame":
            raise
        raise ArgumentError(
            "path", error.reason, error.fix, error.received, error.option_fix
        ) from error
