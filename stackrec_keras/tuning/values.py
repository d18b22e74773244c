"""What a hyper-parameter may be: a fixed value, one of some values, or a range."""

import contextlib
import numbers
from dataclasses import dataclass
from typing import Any

import keras_tuner


@dataclass(frozen=True)
class Choice:
    """One of some values, of any type.

    Args:
        *values: The values; the first one is the default.

    Example:

    ```python
    Choice(2, 4, 8)
    Choice((1,), (1, 4))  # dilations
    ```
    """

    values: tuple

    def __init__(self, *values: Any) -> None:
        if not values:
            raise ValueError("Choice() has no value. Give some, such as Choice(2, 4).")
        object.__setattr__(self, "values", values)

    def draw(self, hp: keras_tuner.HyperParameters, name: str) -> Any:
        """Returns the value that `hp` has for that name, declaring it if need be."""
        labels = [self._label(value) for value in self.values]
        label = hp.Choice(name, labels)
        if label is None:
            return None
        if isinstance(label, float):
            # A worker gets it from its chief in single precision.
            return min(self.values, key=lambda value: abs(value - label))
        return self.values[labels.index(label)]

    def _label(self, value):
        # KerasTuner knows these types, and one of them at a time.
        types = {type(v) for v in self.values}
        known = len(types) == 1 and types <= {bool, int, float, str}
        return value if known else str(value)


@dataclass(frozen=True)
class Range:
    """A number between two others, an integer if both are.

    Args:
        low: The least value, also the default.
        high: The greatest value; it may be drawn too.
        step: The distance of values, or `None`. With `log`, their ratio.
        log: Boolean, whether each ratio, rather than each difference, is as likely.

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
        ends = (self.low, self.high)
        if any(isinstance(e, bool) or not isinstance(e, numbers.Real) for e in ends):
            raise ValueError(f"A Range goes from number to number. Received: {self}")
        if not self.low < self.high:
            raise ValueError(f"A Range must have low < high. Received: {self}")
        if self.log and not self.low > 0:
            raise ValueError(f"A Range with log=True starts above 0. Received: {self}")
        least = 1 if self.log and self.step is not None else 0
        if self.step is not None and not self.step > least:
            raise ValueError(f"step must be above {least}. Received: {self}")

    @property
    def values(self) -> tuple:
        """Tuple of all values of a linear range of integers, else of its two ends."""
        if self._is_integer and not self.log:
            return tuple(range(self.low, self.high + 1, self.step or 1))  # type: ignore[call-overload]
        return (self.low, self.high)

    def draw(self, hp: keras_tuner.HyperParameters, name: str) -> float:
        """Returns the value that `hp` has for that name, declaring it if need be."""
        kind = hp.Int if self._is_integer else hp.Float
        sampling = "log" if self.log else "linear"
        return kind(name, self.low, self.high, step=self.step, sampling=sampling)

    @property
    def _is_integer(self):
        return all(isinstance(e, numbers.Integral) for e in (self.low, self.high))


def is_searched(value):
    """Returns whether a value is to be searched for, and not fixed."""
    return isinstance(value, (Choice, Range))


def values_of(value):
    """Returns the tuple of what a value may be: of a range of floats the two ends."""
    return value.values if is_searched(value) else (value,)


def draw(hp, name, value, conditions=()):
    """Returns what a trial has for a hyper-parameter.

    Args:
        hp: `keras_tuner.HyperParameters` of the trial.
        name: String.
        value: A fixed value, a `Choice` or a `Range`.
        conditions: List of pairs `(parent, values)`: it is searched only where each
            parent has one of the values.

    Returns:
        The value; the first one where the conditions do not hold.
    """
    if not is_searched(value):
        return value
    with contextlib.ExitStack() as scopes:
        for parent, values in conditions:
            scopes.enter_context(hp.conditional_scope(parent, values))
        drawn = value.draw(hp, name)
    return values_of(value)[0] if drawn is None else drawn
