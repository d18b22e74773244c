"""What a perfect growth step could save, from two learning curves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stackrec_keras import monitors
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import counted

_FIX = (
    "Give a dict or frame with two values for each epoch: {monitor!r}, and 'seconds', "
    "the time from the start of training to the end of the epoch. Or give the history "
    "of a run."
)


def growth_bound(shallow: Any, deep: Any, monitor: str = "val_loss") -> float:
    """Returns how many times as fast training is with a perfect growth step.

    It compares the times needed to reach the deep model's best score, from scratch and
    with the growth step. A perfect growth step keeps all that the shallow model has
    learned. The grown model then continues along the deep model's curve, from the point
    where the deep model was as good. Let `T(v)` be the end of the last epoch at which
    the deep model is not yet better than `v` (0 if there is none, at most `T_best`).
    The bound is

    `T_best / min over s of (s + T_best - T(shallow value at s))`

    where `T_best` is the time of the deep model's best epoch, and `s` the time of the
    growth step (0, or the end of an epoch of the shallow model). A bound near 1 means
    that no method of growing can save much here.

    Args:
        shallow: The learning curve of the shallow model, trained from scratch: a dict
            or frame with the monitor and `"seconds"`, the time from the start of
            training to the end of each epoch. It may also be the history of a run
            (`run.history`, a frame of its `history.csv` or the `Run`), where
            `"seconds"` is the duration of each epoch.
        deep: The learning curve of the deep model, trained from scratch.
        monitor: String, the metric to compare the curves by. Higher is better, except
            for a loss. Defaults to `"val_loss"`.

    Returns:
        Float, at least 1.

    Raises:
        ArgumentError: If a curve lacks a column, has no finite value, or has times that
            do not increase.

    Example:

    ```python
    sr.stacking.growth_bound(
        {"val_loss": [6.4, 6.0, 5.9], "seconds": [40, 80, 120]},
        {"val_loss": [6.3, 5.9, 5.7], "seconds": [100, 200, 300]},
    )
    ```
    """
    return best_growth(shallow, deep, monitor).bound


@dataclass(frozen=True)
class BestGrowth:
    """The moment at which a perfect growth step would save most.

    Args:
        shallow: `Curve` of the shallow model.
        deep: `Curve` of the deep model.
        at: Float, seconds of shallow training before the growth step; 0 if growing
            saves no time.
        credit: Float, seconds of deep training that the growth step saves.
    """

    shallow: "Curve"
    deep: "Curve"
    at: float
    credit: float

    @property
    def bound(self) -> float:
        """Float, the bound that `growth_bound` returns."""
        needed = self.deep.seconds_to_best
        return needed / (needed + self.at - self.credit)


def best_growth(shallow: Any, deep: Any, monitor: str) -> BestGrowth:
    """Returns the `BestGrowth` of two curves, given the arguments of `growth_bound`."""
    shallow = read_curve("shallow", shallow, monitor)
    deep = read_curve("deep", deep, monitor)
    growths = [(0.0, 0.0)]
    for value, seconds in zip(shallow.values, shallow.seconds):
        if np.isfinite(value):
            growths.append((seconds, deep.seconds_to_match(value)))
    at, credit = min(growths, key=lambda growth: growth[0] - growth[1])
    return BestGrowth(shallow, deep, float(at), float(credit))


@dataclass(frozen=True, eq=False)
class Curve:
    """A learning curve.

    Args:
        values: Float array `(epochs,)`. Higher is better; NaN marks a missing value.
        seconds: Float array `(epochs,)`, the time at each epoch's end.
    """

    values: np.ndarray
    seconds: np.ndarray

    @property
    def seconds_to_best(self) -> float:
        """Float, the time of the best epoch."""
        return self.seconds[np.nanargmax(self.values)]

    def seconds_to_match(self, value: float) -> float:
        """Returns the end of the last epoch at which the curve is not yet better than a
        value; at most `seconds_to_best`."""
        best_so_far = np.fmax.accumulate(self.values)
        not_better = self.seconds[~(best_so_far > value)]
        return min(not_better[-1], self.seconds_to_best) if len(not_better) else 0.0


def read_curve(name: str, curve: Any, monitor: str) -> Curve:
    """Returns the `Curve` of a dict, a frame or a run.

    Args:
        name: String, the name of the argument that holds the curve.
        curve: As in `growth_bound`.
        monitor: String, the column with the curve's values.

    Raises:
        ArgumentError: In the same cases as `growth_bound`.
    """
    columns = getattr(curve, "history", curve)
    fix = _FIX.format(monitor=monitor)
    if not isinstance(columns, (Mapping, pd.DataFrame)):
        raise ArgumentError(name, "is not a learning curve", fix, curve)
    for column in (monitor, "seconds"):
        if column not in columns:
            had = ", ".join(map(repr, columns))
            raise ArgumentError(name, f"has no {column!r}, only {had}", fix)
    values, seconds = (_floats(name, columns, c) for c in (monitor, "seconds"))
    if len(values) != len(seconds):
        reason = (
            f"has {counted(len(values), 'value')} of {monitor!r}, but {len(seconds)} "
            "of 'seconds'"
        )
        raise ArgumentError(name, reason, fix)
    values = monitors.sign(monitor) * np.where(np.isfinite(values), values, np.nan)
    if np.isnan(values).all():
        raise ArgumentError(name, f"has no finite value of {monitor!r}", fix)
    if {"epoch", "num_blocks"} <= set(columns):  # the history of a run
        seconds = np.cumsum(seconds)
    if not (np.diff(seconds, prepend=0.0) > 0).all():
        reason = "must have 'seconds' above 0 that increase from epoch to epoch"
        raise ArgumentError(name, reason, fix, columns["seconds"])
    return Curve(values, seconds)


def _floats(name, columns, column):
    try:
        return np.asarray(columns[column], "float64").reshape(-1)
    except (TypeError, ValueError):
        reason = f"must have numbers in {column!r}"
        raise ArgumentError(name, reason, received=columns[column]) from None
