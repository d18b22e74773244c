"""Points in time that a caller gives, to compare with the times of a log."""

import datetime
import numbers
from typing import Any

import numpy as np
import pandas as pd

from .arguments import shown

Time = Any
"""A time as a log has it, or as a split takes it: a number, a date or a string."""


def as_time(name, value, times):
    """Returns a time as those of a log are: a number, or a `Timestamp` in UTC.

    Args:
        name: The argument's name.
        value: What the caller gave for it.
        times: `(events,)` array of the times that it is to be compared with.

    Raises:
        ValueError: It is no time, or none of that kind.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if times.dtype.kind != "M":
        if is_number:
            return value
        raise ValueError(
            f"{name}={shown(value)} is no number, and the times of the log are numbers "
            f"such as {times[:1].tolist()}. Give a number, too."
        )
    try:
        is_time = isinstance(value, (str, datetime.date, np.datetime64))
        time = pd.Timestamp(value) if is_time else pd.NaT
    except ValueError:
        time = pd.NaT
    if time is pd.NaT:
        raise ValueError(
            f"{name}={shown(value)} is no time. Give one such as '2020-01-05' or "
            "'2020-01-05 12:30', as the log has dates."
        )
    return time if time.tz is None else time.tz_convert("UTC").tz_localize(None)
