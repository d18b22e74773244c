"""Reads the log that the `data` of a run names."""

import contextlib
import os
import sys

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import relative_to


def read_log(options, data=None):
    """Reads a named data set or a file as a log.

    Args:
        options: A `TrainConfig`, or another object with `data` (a name or a path) and
            with `user`, `item` and `timestamp` (the columns of a file). The timestamp
            `"none"` means that the rows are in order of time; `"0"` is the first column
            of a file without a header.
        data: String, a different log with the same columns. Defaults to `None`: the log
            in `options.data`.

    Returns:
        A frame as `read_interactions` returns it.

    Raises:
        ArgumentError: If there is neither a data set nor a file of that name, or the
            file is not a log.
    """
    from stackrec_keras.data import load, read_interactions
    from stackrec_keras.data.named import DATA_SETS

    data = data or options.data
    if is_prepared(data):
        raise ArgumentError(
            "data",
            "is a prepared log, which has rows but no whole histories",
            "Give a log that fits into memory: one file with all events of the users "
            "that you need.",
            data,
        )
    if os.path.isdir(data) and data not in DATA_SETS:
        raise ArgumentError(
            "data",
            "is a folder, but not a prepared log",
            "Give a file. For a log in many files, first run: stackrec prepare LOG "
            "--out FOLDER.",
            data,
        )
    if is_file(data):
        columns = (options.user, options.item, time_column(options))
        with errors_about_data(data):
            return read_interactions(data, *map(_name_or_number, columns))
    # Keeps stdout for results, which other programs may read.
    with contextlib.redirect_stdout(sys.stderr):
        if data in DATA_SETS:
            return load(data)
    raise ArgumentError(
        "data",
        "is neither a file nor a named data set",
        f"Check the path{relative_to(data)}, or use a name: {', '.join(DATA_SETS)}.",
        data,
    )


@contextlib.contextmanager
def errors_about_data(data):
    """Context manager that turns errors about a path into errors about a run's
    `data`."""
    try:
        yield
    except ArgumentError as error:
        if error.argument not in ("path", "path_or_frame", "folder"):
            raise
        # If the data are many files, the error is about one of them.
        names_file = error.argument != "path_or_frame" and error.has_received
        received = error.received if names_file else data
        raise ArgumentError(
            "data", error.reason, error.fix, received, error.option_fix
        ) from error


def _name_or_number(column):
    return int(column) if column and column.isdecimal() else column


def time_column(options):
    """Returns the `timestamp` that `read_interactions` takes for these options."""
    return None if options.timestamp == "none" else options.timestamp


def is_file(data):
    """Returns whether `data` is a path: it exists, or it looks like one."""
    looks_like_one = bool(os.path.splitext(data)[1]) or os.sep in data
    return looks_like_one or os.path.isfile(data) or is_prepared(data)


def is_prepared(data):
    """Returns whether `data` is a folder that `prepare_log` wrote."""
    from stackrec_keras.data.prepared_folder import is_prepared

    return is_prepared(data)


def absolute_paths(options):
    """Makes the paths in a dict of `TrainConfig` fields absolute."""
    found = dict(options)
    if "data" in found and is_file(found["data"]):
        found["data"] = os.path.abspath(found["data"])
    for name in ("load_model", "item_features"):
        if found.get(name) is not None:
            found[name] = os.path.abspath(found[name])
    return found
