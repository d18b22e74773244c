"""Points in time that a caller gives, to compare with the times of a log."""

from typing import Any

import pandas as pd

Time = Any
"""A time as a log has it, or as a split takes it: a number, a date or a string."""


def as_time(name, value, times):
    """Returns the time that a string says, in UTC, anything else as it is.

    Args:
        name: The argument's name.
        value: What the caller gave for it.
        times: `(events,)` array of the times that it is to be compared with.

    Raises:
        ValueError: The string is no time, or the times are numbers.
    """
    if not isinstance(value, str):
        return value
    if times.dtype.kind != "M":
        raise ValueError(
            f"{name}={value!r} is a string, and the times of the log are numbers such "
            f"as {times[0]}. Give a number, too."
        )
    try:
        time = pd.Timestamp(value)
    except ValueError:
        raise ValueError(
            f"{name}={value!r} is no time. Give one such as '2020-01-05' or "
            "'2020-01-05 12:30'."
        ) from None
    return time if time.tz is None else time.tz_convert("UTC").tz_localize(None)
