"""Which columns of a table are the users, the items and the times."""

import re
from numbers import Integral

import pandas as pd

from .arguments import shown

IDS = ("user", "item")
"""The roles of columns that hold ids."""

_NUMBER_OR_DATE = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|\d{4}-\d\d-\d\d.*")


def check_names(columns):
    """Raises a ValueError if a value is not the name of a column."""
    for role, name in columns.items():
        is_name = pd.api.types.is_scalar(name) or isinstance(name, tuple)
        if not is_name or (name is None and role != "timestamp"):
            raise ValueError(
                f"{role}={shown(name)} must be the name of a column, such as "
                f"{role}={role!r}."
            )


def match_columns(available, columns, source):
    """Maps `user`, `item`, `timestamp` to the names in `available`.

    Args:
        available: The names of a table's columns.
        columns: Dict from role to the name that the caller gave.
        source: String, what an error calls the table.

    Raises:
        ValueError: A column is missing, there twice, or named for two roles.
    """
    available = list(available)
    found = find_columns(available, columns)
    lost = lost_columns(found, columns)
    if lost:
        what = " and no column ".join(f"{columns[role]!r} ({role})" for role in lost)
        names = ", ".join(f"{role}=..." for role in lost)
        flags = " ".join(f"--{role} ..." for role in lost)
        hint = ", timestamp=None takes the rows' order" if "timestamp" in lost else ""
        raise ValueError(
            f"There is no column {what} in {source}; the columns are {available}. "
            f"Name the right ones: {names} (on the command line {flags}){hint}."
        )
    for role, name in found.items():
        if available.count(name) > 1:
            raise ValueError(
                f"There are {available.count(name)} columns {name!r} ({role}) in "
                f"{source}; rename all but one."
            )
    _check_roles(found)
    return found


def find_columns(available, columns):
    """As `match_columns`, with None for what is not in `available`."""
    bare = {}
    for name in available:
        bare.setdefault(str(name).split(":")[0], name)
    return {
        role: None if name is None else _find_column(role, name, available, bare)
        for role, name in columns.items()
    }


def lost_columns(found, columns):
    """The roles whose columns `find_columns` did not find."""
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
    return bare.get(f"{role}_id") if name == role else None


def _check_roles(found):
    """Raises a ValueError if one column is to be two things."""
    roles = {}
    for role, name in found.items():
        if name is not None and name in roles:
            raise ValueError(
                f"The column {shown(name)} is named twice, as {roles[name]} and as "
                f"{role}; name another one for {role}."
            )
        roles[name] = role


def numbered_columns(columns, first_row, source):
    """The places of the columns in a file without a header, or None if it has one.

    Args:
        columns: Dict from role to what the caller gave: a name, or a number from 0.
        first_row: List of the fields of the file's first line.
        source: String, what an error calls the file.

    Raises:
        ValueError: Only some are given by number, or a number is out of range.
    """
    given = {role: name for role, name in columns.items() if name is not None}
    numbers = {role: name for role, name in given.items() if _is_number(name)}
    # pandas writes such a header for a frame whose columns have no names.
    if not numbers or first_row == [str(place) for place in range(len(first_row))]:
        return None
    for role, name in given.items():
        if role not in numbers:
            raise ValueError(
                f"{role}={name!r} is a name and {_listed(numbers)} the number of a "
                f"column of a file without a header. Give {role} by its number, too"
                f"{', or timestamp=None' if role == 'timestamp' else ''}."
            )
        if not 0 <= name < len(first_row):
            raise ValueError(
                f"{role}={name} must be 0 to {len(first_row) - 1}: the first line of "
                f"{source} is {first_row}."
            )
    _check_roles(numbers)
    return dict(columns)


def _is_number(name):
    return isinstance(name, Integral) and not isinstance(name, bool)


def _listed(columns):
    return ", ".join(f"{role}={name}" for role, name in columns.items())


def check_for_header(header, rows, source):
    """Raises a ValueError if a header looks like a row.

    Args:
        header: List of the fields of a file's first line, no name of a column that
            was looked for.
        rows: List of the first rows of the file, the header or not.
        source: String, what an error calls the file.
    """
    seen = [set(fields) for fields in zip(*rows[1:])]
    if any(map(is_number_or_date, header)) or any(
        name in fields for name, fields in zip(header, seen)
    ):
        raise ValueError(no_header(header, source))


def is_number_or_date(text):
    """Whether a field can be a value, but hardly the name of a column."""
    return _NUMBER_OR_DATE.fullmatch(text.strip()) is not None


def no_header(first_row, source):
    """What an error says of a file without a header, with numbers to copy."""
    times = [place for place, text in enumerate(first_row) if is_number_or_date(text)]
    times = [place for place in times if place > 1]
    time = times[-1] if times else None
    flags = f"--user 0 --item 1 --timestamp {'none' if time is None else time}"
    return (
        f"{source} seems to have no header: its first line is {first_row}. Put a line "
        "with the names of its columns above it, or give their numbers from 0, if "
        f"these are the right ones: user=0, item=1, timestamp={time} (on the command "
        f"line {flags})."
    )
