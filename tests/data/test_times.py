import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import read_interactions
from stackrec_keras.errors import StackRecWarning


def log_at(times):
    """The log of three events of one user, items 0 to 2, at these times."""
    return read_interactions({"user": [1, 1, 1], "item": [0, 1, 2], "timestamp": times})


@pytest.mark.parametrize(
    "times",
    [
        ["2019-10-01 00:00:02 UTC", "2019-10-01 00:00:01 UTC", "2019-10-01 UTC"],
        [
            "2020-01-01T00:00:00Z",
            "2020-01-01T00:30:00+02:00",
            "2019-12-31 22:00:00 GMT",
        ],
        [
            "2020-01-01T00:00:00.000000002",
            "2020-01-01T00:00:00.000000001",
            "2020-01-01",
        ],
        ["2020-01-01 00:00:00.000000002 UTC", "2020-01-01 00:00:00 UTC", "2019-01-01"],
        pd.Series(["2020-01-03", "2020-01-02 UTC", "2020-01-01"], dtype="category"),
        pd.Series(["2020-01-03", "2020-01-02 UTC", "2020-01-01"], dtype="string"),
        [datetime.date(2020, 1, day) for day in (3, 2, 1)],
        ["9007199254740993", "9007199254740992", "9007199254740991"],
        ["18446744073709551615", "18446744073709551614", "1"],
        [decimal.Decimal("1.5"), decimal.Decimal(1), 0],
        pd.arrays.SparseArray([2.5, 1.5, 0.0]),
        pd.Series([2**60 + 2, 2**60 + 1, 1], dtype="Int64"),
    ],
)
def test_times_of_many_forms_are_sorted(times):
    assert log_at(times)["item"].tolist() == [2, 1, 0]


@pytest.mark.parametrize("type", ["timestamp[ms]", "date32", "int64", "string", "tz"])
def test_times_of_pyarrow_are_sorted(type):
    pyarrow = pytest.importorskip("pyarrow")
    days = [datetime.date(2020, 1, day) for day in (3, 2, 1)]
    values = {"int64": [3, 2, 1], "string": [*map(str, days)]}.get(type, days)
    zoned = pyarrow.timestamp("us", "Europe/Berlin")
    dtype = zoned if type == "tz" else pyarrow.type_for_alias(type)
    array = pyarrow.array(values).cast(dtype)
    log = log_at(pd.Series(pd.arrays.ArrowExtensionArray(array)))
    assert log["item"].tolist() == [2, 1, 0]
    assert log["timestamp"].dtype.kind in "iM"


@pytest.mark.parametrize(
    "times, step",
    [
        (
            np.array([1.6e9 + 60, 1.6e9 + 30, 1.6e9], np.float32),
            "float32.* of 128:",
        ),
        ([1.6e18, 1.6e18 + 256, 1.6e18 + 300], "float64.* of 256:"),
        (["9007199254740993", "9007199254740992", "1.5"], "float64.* of 2:"),
        (["99999999999999999999", "1", "2"], "float64"),
        (pd.Series([2**70, 1, 2], dtype=object), "float64"),
    ],
)
def test_times_that_their_type_cannot_tell_apart_are_told(times, step):
    with pytest.warns(StackRecWarning, match=f"'timestamp' of a frame .* is {step}"):
        log_at(times)


@pytest.mark.filterwarnings("error")
def test_times_that_their_type_can_hold_give_no_warning():
    assert log_at(np.array([3, 2, 0.5], np.float32))["item"].tolist() == [2, 1, 0]
    assert log_at([1.6e9 + 0.2, 1.6e9 + 0.1, 1.6e9])["item"].tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    "times, message",
    [
        (
            [1, np.inf, 2],
            "holds inf .*, row 1 .*, which is not a time",
        ),
        (["now", "2020-01-01", "2020-01-02"], "holds 'now' .* row 0"),
        (["2020-01-01", "today", "2020-01-02"], "holds 'today' .* row 1"),
        (["2020-01-01 00:00:00 EST"] * 3, "holds '2020-01-01 00:00:00 EST' .* row 0"),
        (["1_000", "2", "3"], "holds '1_000' .* row 0"),
        ([True, False, True], "type bool, which is not a time"),
        ([1j, 2, 3], "type complex128, which is not a time"),
        (pd.to_timedelta([1, 2, 3]), r"timedelta64.*column\.dt\.total_seconds\(\)"),
        (pd.period_range("2020", "2022", freq="Y"), r"period.*dt\.to_timestamp\(\)"),
    ],
)
def test_what_is_not_a_time_is_named(times, message):
    with refused("path_or_frame", says=message):
        log_at(times)
