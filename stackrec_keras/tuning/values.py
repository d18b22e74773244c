"""The values of a hyperparameter: a fixed value, a choice or a range."""

import contextlib
from dataclasses import dataclass
from typing import Any

import keras_tuner

from stackrec_keras.arguments import check_bools, check_number, is_integer
from stackrec_keras.errors import ArgumentError


@dataclass(frozen=True)
class Choice:
    """A hyperparameter that is one of several values, of any type.

    Args:
        *values: The values. The first one is the default.

    Raises:
        ArgumentError: If there are no values.

    Example:

    ```python
    Choice(2, 4, 8)
    Choice((1,), (1, 4))  # dilations
    ```
    """

    values: tuple

    def __init__(self, *values: Any) -> None:
        if not values:
            fix = "Give some, such as Choice(2, 4)."
            raise ArgumentError("values", "must not be empty", fix, values)
        object.__setattr__(self, "values", values)

    def draw(self, hp: keras_tuner.HyperParameters, name: str) -> Any:
        """Returns the value of `name` in `hp`. Declares `name` there if necessary."""
        labels = [self._label(value) for value in self.values]
        label = hp.Choice(name, labels)
        if label is None:
            return None
        if isinstance(label, float):
            # In a distributed search, workers get the value in single precision.
            return min(self.values, key=lambda value: abs(value - label))
        return self.values[labels.index(label)]

    def _label(self, value):
        # KerasTuner needs values of a single type, and knows only the four types below.
        types = {type(v) for v in self.values}
        known = len(types) == 1 and types <= {bool, int, float, str}
        return value if known else str(value)


@dataclass(frozen=True)
class Range:
    """A hyperparameter that is a number in a range.

    If both ends are integers, it is an integer.

    Args:
        low: Number, the least value, which is also the default.
        high: Number, the greatest value, which may be drawn.
        step: Number, the distance between neighbouring values. With `log`, their ratio.
            Defaults to `None`, which allows any value in the range.
        log: Boolean, whether to draw on a logarithmic scale, where 1 to 10 is as likely
            as 10 to 100. Defaults to `False`.

    Raises:
        ArgumentError: If an argument is not a number, or out of range.

    Example:

    ```python
    Range(1e-4, 1e-2, log=True)
    ```
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    def __post_init__(self):
        check_number("low", self.low)
        check_number("high", self.high)
        check_bools(log=self.log)
        with_log = " with log=True" if self.log else ""
        if not self.low < self.high:
            raise ArgumentError("low", f"must be below high={self.high}", "", self.low)
        if self.log and self.low <= 0:
            raise ArgumentError("low", f"must be above 0{with_log}", "", self.low)
        if self.step is None:
            return
        check_number("step", self.step)
        least = 1 if self.log else 0
        if self.step <= least:
            raise ArgumentError(
                "step", f"must be above {least}{with_log}", "", self.step
            )

    @property
    def values(self) -> tuple:
        """Tuple: all values of a linear range of integers, otherwise the two ends."""
        if self._is_integer and not self.log:
            return tuple(range(self.low, self.high + 1, self.step or 1))  # type: ignore[call-overload]
        return (self.low, self.high)

    def draw(self, hp: keras_tuner.HyperParameters, name: str) -> float:
        """Returns the value of `name` in `hp`. Declares `name` there if necessary."""
        kind = hp.Int if self._is_integer else hp.Float
        sampling = "log" if self.log else "linear"
        return kind(name, self.low, self.high, step=self.step, sampling=sampling)

    @property
    def _is_integer(self):
        return is_integer(self.low) and is_integer(self.high)


def is_searched(value):
    """Returns whether a value is searched rather than fixed."""
    return isinstance(value, (Choice, Range))


def values_of(value):
    """Returns a tuple of the possible values: for a range of floats, the two ends."""
    return value.values if is_searched(value) else (value,)


def draw(hp, name, value, conditions=()):
    """Returns the value that a trial has for a hyperparameter.

    Args:
        hp: `keras_tuner.HyperParameters` of the trial.
        name: String, the name of the hyperparameter.
        value: A fixed value, a `Choice` or a `Range`.
        conditions: List of pairs `(parent, values)`. The hyperparameter is searched
            only if each parent has one of the values listed for it. Defaults to `()`.

    Returns:
        The value, or the first possible one if a condition does not hold.
    """
    if not is_searched(value):
        return value
    with contextlib.ExitStack() as scopes:
        for parent, values in conditions:
            scopes.enter_context(hp.conditional_scope(parent, values))
        drawn = value.draw(hp, name)
    return values_of(value)[0] if drawn is None else drawn
