"""Finds the columns of a table: users, items, times and further columns."""

import re

import pandas as pd

from stackrec_keras.arguments import is_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean, shown

from .further_columns import check_column_name

IDS = ("user", "item")
"""The roles of columns that hold ids."""

ROLES = (*IDS, "timestamp")
"""The roles of columns that every log has. A further column's role is its name."""

_NUMBER_OR_DATE = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|\d{4}-\d\d-\d\d.*")


def check_names(roles, further):
    """Checks the names of the columns.

    Args:
        roles: Dict from `user`, `item` and `timestamp` to the caller's arguments.
        further: The caller's list of further columns.
    """
    for role, name in roles.items():
        is_name = pd.api.types.is_scalar(name) or isinstance(name, tuple)
        if not is_name or (name is None and role != "timestamp"):
            raise ArgumentError(
                role, "must be the name of a column", f"Give {role}={role!r}.", name
            )
    if not isinstance(further, (list, tuple)) or len(set(further)) < len(further):
        raise ArgumentError(
            "columns",
            "must be a list of different names",
            "Give a list, such as columns=['price'].",
            further,
        )
    for name in further:
        check_column_name(name)


def argument_of(role):
    """Returns the name of the argument for a role's column."""
    return role if role in ROLES else "columns"


def match_columns(available, columns, source):
    """Returns a dict from each role to the name of its column in `available`.

    Args:
        available: The names of a table's columns.
        columns: Dict from each role to the name that the caller gave.
        source: The path or the frame, for errors.

    Raises:
        ArgumentError: If a column is missing, exists twice or is given for two roles.
    """
    available = list(available)
    found = find_columns(available, columns)
    lost = lost_columns(found, columns)
    if lost:
        raise _missing_columns(lost, available, columns, source)
    for role, name in found.items():
        if available.count(name) > 1:
            raise ArgumentError(
                argument_of(role),
                f"names {available.count(name)} columns of {shown(source)}",
                "Rename all but one.",
                name,
            )
    _check_roles(found)
    return found


def _missing_columns(lost, available, columns, source):
    """Returns the error for columns that a table lacks."""
    first, *others = lost
    also = "".join(f", nor is {argument_of(r)}={columns[r]!r}" for r in others)
    arguments = dict.fromkeys(argument_of(role) for role in lost)
    log = "the frame" if isinstance(source, pd.DataFrame) else shown(source)
    meant = did_you_mean([str(columns[r]) for r in lost], map(str, available))
    named = ", ".join(f"{argument}='...'" for argument in arguments)
    flags = " ".join(f"--{argument} COLUMN" for argument in arguments)
    fixes = []
    for names, none in (named, "timestamp=None"), (flags, "--timestamp none"):
        fix = f"{meant} Name existing columns: {names}"
        if "timestamp" in lost:
            fix += f"; {none} uses the order of the rows instead"
        fixes.append(f"{fix.lstrip()}.")
    return ArgumentError(
        argument_of(first),
        f"is not a column of {log}{also}. Its columns are {available}",
        fixes[0],
        columns[first],
        fixes[1],
    )


def find_columns(available, columns):
    """As `match_columns`, but with `None` for each column that is missing."""
    bare = {}
    for name in available:
        bare.setdefault(str(name).split(":")[0], name)
    return {
        role: None if name is None else _find_column(role, name, available, bare)
        for role, name in columns.items()
    }


def lost_columns(found, columns):
    """Returns the roles for which `find_columns` found no column."""
    return [
        role
        for role, name in columns.items()
        if name is not None and found[role] is None
    ]


def _find_column(role, name, available, bare):
    if name in available:
        return name
    if str(name) in bare:
        return bare[str(name)]
    return bare.get(f"{role}_id") if name == role and role in IDS else None


def _check_roles(found):
    """Checks that no column has two roles."""
    roles = {}
    for role, name in found.items():
        if name is not None and name in roles:
            raise ArgumentError(
                argument_of(role),
                f"names the same column as {argument_of(roles[name])}",
                "Name another column.",
                name,
            )
        roles[name] = role


def numbered_columns(columns, first_row, source):
    """Returns column positions if columns were given as numbers, otherwise `None`.

    Args:
        columns: Dict from each role to a column's name, or to its number from 0.
        first_row: List of the fields in the first line of the file.
        source: The path, for errors.

    Raises:
        ArgumentError: If names and numbers are mixed, or a number is out of range.
    """
    given = {role: name for role, name in columns.items() if name is not None}
    numbers = {role: name for role, name in given.items() if is_integer(name)}
    # pandas writes the header 0, 1, 2, ... if a frame's columns have no names. Then the
    # numbers are names.
    if not numbers or first_row == [str(place) for place in range(len(first_row))]:
        return None
    for role, name in given.items():
        if role not in numbers:
            raise _mixed_columns_error(role, name, numbers)
        if not 0 <= name < len(first_row):
            raise ArgumentError(
                role,
                f"must be 0 to {len(first_row) - 1}, because the first line of "
                f"{shown(source)} has the fields {first_row}",
                received=name,
            )
    _check_roles(numbers)
    return dict(columns)


def _mixed_columns_error(role, name, numbers):
    listed = ", ".join(f"{role}: {place}" for role, place in numbers.items())
    option_fix = None
    if role not in ROLES:
        fix = "Put a line with the names of all columns above the rows, and give names."
    elif role == "timestamp":
        fix = "Give this column by number too, or timestamp=None."
        option_fix = "Give this column by number too, or --timestamp none."
    else:
        fix = "Give this column by number too."
    return ArgumentError(
        argument_of(role),
        f"is a name, but other columns are given by number ({listed})",
        fix,
        name,
        option_fix,
    )


def check_for_header(header, rows, source):
    """Checks that a file's first line is a header, not a row of values.

    Args:
        header: List of the fields of the first line, which lacks the requested columns.
        rows: List of the first rows of the file, including the first line.
        source: The path, for errors.
    """
    seen = [set(fields) for fields in zip(*rows[1:])]
    if any(map(is_number_or_date, header)) or any(
        name in fields for name, fields in zip(header, seen)
    ):
        raise no_header(header, source)


def is_number_or_date(text):
    """Returns whether a field looks like a value rather than a column name."""
    return _NUMBER_OR_DATE.fullmatch(text.strip()) is not None


def no_header(first_row, source):
    """Returns the error for a file without a header, with column numbers to copy."""
    times = [place for place, text in enumerate(first_row) if is_number_or_date(text)]
    times = [place for place in times if place > 1]
    time = times[-1] if times else None
    flags = f"--user 0 --item 1 --timestamp {'none' if time is None else time}"
    fix = (
        "Put a line with the names of the columns above it, or give the columns by "
        "number, from 0. These numbers are a guess: "
    )
    return log_error(
        source,
        f"seems to have no header: its first line is {first_row}",
        f"{fix}user=0, item=1, timestamp={time}.",
        f"{fix}{flags}.",
    )


def log_error(source, reason, fix="", option_fix=None):
    """Returns the error for a log with wrong content.

    Args:
        source: The path or the frame.
        reason: String, as in `ArgumentError`.
        fix: String, as in `ArgumentError`. Defaults to `""`.
        option_fix: String, as in `ArgumentError`. Defaults to `None`.
    """
    return ArgumentError("path_or_frame", reason, fix, source, option_fix)


def named_column(role, name):
    """Returns a column's name for errors, with its role if the two differ."""
    return f"{name!r}" if name == role else f"{name!r} ({argument_of(role)})"
