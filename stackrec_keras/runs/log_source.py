"""From what was typed after `--data` to a log."""

import contextlib
import os
import sys


def read_log(options, data=None):
    """Reads a named data set or a file as a log.

    Args:
        options: What has `data`, a name or a path, and the names of the columns of
            a file, `user`, `item` and `timestamp`: a `TrainConfig`, or the parsed
            options. `"none"` for the times takes the order of rows, and `"0"` is
            the first column of a file without a header.
        data: String, another log with the same columns.

    Returns:
        A frame as `read_interactions` returns it.

    Raises:
        ValueError: If there is neither a data set nor a file of that name, or the
            file is no log.
    """
    from stackrec_keras.data import load, read_interactions
    from stackrec_keras.data.named import DATA_SETS

    data = data or options.data
    if is_file(data):
        times = None if options.timestamp == "none" else options.timestamp
        columns = (options.user, options.item, times)
        return read_interactions(data, *map(_name_or_number, columns))
    # Results go to stdout, and some commands print them for machines.
    with contextlib.redirect_stdout(sys.stderr):
        if data in DATA_SETS:
            return load(data)
    raise ValueError(
        f"--data {data} is neither a file nor a named data set. Check the "
        f"path (it is looked up from {os.getcwd()}), or see `stackrec data` "
        "for the names."
    )


def _name_or_number(column):
    return int(column) if column and column.isdecimal() else column


def is_file(data):
    """Whether `--data` stands for a file: it exists, or it looks like a path."""
    return os.path.isfile(data) or bool(os.path.splitext(data)[1]) or os.sep in data


def absolute_paths(options):
    """Returns a dict of fields of `TrainConfig`, with paths that hold in any folder."""
    found = dict(options)
    if "data" in found and is_file(found["data"]):
        found["data"] = os.path.abspath(found["data"])
    if found.get("load_model") is not None:
        found["load_model"] = os.path.abspath(found["load_model"])
    return found
