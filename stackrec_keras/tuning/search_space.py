from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import keras_tuner
import numpy as np

from stackrec_keras import losses
from stackrec_keras.arguments import (
    check_fraction,
    check_integer,
    check_positive,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking import Growth, StackingSchedule
from stackrec_keras.stacking.methods import get_method
from stackrec_keras.tuning.values import Choice, Range, draw, is_searched, values_of

# The parameters of growth steps. Without growth steps they have no effect.
_OF_GROWTHS = (
    *("method", "stage_ratio", "first_data_share"),
    *("inherit", "optimizer_state"),
)


@dataclass(frozen=True)
class SearchSpace:
    """What `StackingHyperModel` searches: the growth schedule and the usual parameters.

    Each argument is a fixed value, a `Choice` or a `Range`. The hyperparameters of a
    trial have the same names.

    Args:
        start_blocks: Integer, the initial depth. Defaults to `Choice(2, 4, 8)`.
        growths: Integer, how many times the depth doubles. Defaults to
            `Choice(0, 1, 2)`.
        method: String, the stacking method (see `stackrec_keras.stacking.methods`).
            Defaults to `Choice("stackC", "stackA", "stackR", "middle")`.
        stage_ratio: Float, the length of a stage relative to the stage before it: 1 for
            stages of the same length, 2 for 1:2:4. Defaults to
            `Range(0.5, 4.0, log=True)`.
        first_data_share: Float, the fraction of the training rows that the first stage
            sees. The fraction rises in equal steps, up to 1 in the last stage. Defaults
            to `1.0`.
        inherit: `"all"`, `"all_but_gates"` or `"paper"`, what a growth step carries
            over. Defaults to `Choice("all", "paper")`.
        optimizer_state: `"carry"` or `"reset"`, what a growth step does with the
            optimizer's state. Defaults to `Choice("carry", "reset")`.
        learning_rate: Float, Adam's learning rate. Defaults to
            `Range(3e-4, 1e-2, log=True)`.
        batch_size: Integer, the number of rows in a training batch. Defaults to
            `Choice(64, 128, 256)`.
        width: Integer, the model's `embedding_dim` (for SSEPT, both `item_dim` and
            `user_dim`), or `None` for the model's default. Defaults to
            `Choice(32, 64, 128)`.
        dropout: Float, the fraction of units to drop, or `None` for the model's
            default. Ignored by models without dropout. Defaults to
            `Range(0.0, 0.5, step=0.1)`.
        training_loss: String, the name of a loss of `stackrec_keras.losses`. Defaults
            to `"full_softmax"`.

    Raises:
        ArgumentError: If one of the values is out of range.

    Example:

    ```python
    SearchSpace(start_blocks=4, growths=Choice(1, 2), learning_rate=0.003)
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """

    start_blocks: Any = Choice(2, 4, 8)
    growths: Any = Choice(0, 1, 2)
    method: Any = Choice("stackC", "stackA", "stackR", "middle")
    stage_ratio: Any = Range(0.5, 4.0, log=True)
    first_data_share: Any = 1.0
    inherit: Any = Choice("all", "paper")
    optimizer_state: Any = Choice("carry", "reset")
    learning_rate: Any = Range(3e-4, 1e-2, log=True)
    batch_size: Any = Choice(64, 128, 256)
    width: Any = Choice(32, 64, 128)
    dropout: Any = Range(0.0, 0.5, step=0.1)
    training_loss: Any = "full_softmax"

    def __post_init__(self):
        for value in self._given("growths"):
            check_integer("growths", value, least=0)
        for name in ("start_blocks", "batch_size", "width"):
            for value in self._given(name):
                check_integer(name, value, least=1)
        for name in ("stage_ratio", "learning_rate", "first_data_share"):
            for value in self._given(name):
                check_positive(**{name: value})
        for value in self._given("first_data_share"):
            if value > 1:
                raise ArgumentError("first_data_share", "must be at most 1", "", value)
        for value in self._given("dropout"):
            check_fraction(dropout=value)
        for method in values_of(self.method):
            for inherit in values_of(self.inherit):
                for state in values_of(self.optimizer_state):
                    Growth(method, inherit=inherit, optimizer_state=state)
        for loss in values_of(self.training_loss):
            _check_loss(loss)

    def check_epochs(self, epochs: int) -> None:
        """Raises an `ArgumentError` if a schedule may have more stages than epochs."""
        growths = max(values_of(self.growths))
        if growths >= epochs:
            raise ArgumentError(
                "epochs",
                f"is less than the {growths + 1} stages that growths={growths} makes",
                "Give more epochs, or fewer growths.",
                epochs,
            )

    def growth_paths(self) -> Iterator[tuple[str, list[int]]]:
        """Yields each pair of a method and a list of depths that a trial may have."""
        for start in values_of(self.start_blocks):
            depths = [start * 2**i for i in range(max(values_of(self.growths)) + 1)]
            for method in values_of(self.method):
                yield method, depths

    def draw(self, hp: keras_tuner.HyperParameters) -> "SearchSpace":
        """Returns the space of one trial, in which all values are fixed.

        Args:
            hp: `keras_tuner.HyperParameters` of the trial. `draw` adds those that are
                missing.

        Returns:
            A `SearchSpace`.
        """
        # Draw in field order: parents come before the fields that depend on them.
        drawn = {
            f.name: draw(hp, f.name, getattr(self, f.name), self._conditions(f.name))
            for f in fields(self)
            if self._matters(f.name)
        }
        return replace(self, **drawn)

    def schedule(self, epochs: int) -> StackingSchedule | None:
        """Returns the schedule of a space that `draw` returned.

        Args:
            epochs: Integer, the number of epochs of the trial.

        Returns:
            A `StackingSchedule`, or `None` for a trial that does not grow.
        """
        if self.growths == 0:
            return None
        depths = [self.start_blocks * 2**i for i in range(self.growths + 1)]
        lengths = [self.stage_ratio**i for i in range(self.growths + 1)]
        table = StackingSchedule.shares(depths, lengths).table(depths[0], epochs)
        shares = None
        if self.first_data_share < 1:
            each = np.linspace(self.first_data_share, 1, len(depths)).round(4)
            shares = dict(zip([0, *table], each.tolist()))
        # Partial, because Hyperband at first trains for only a part of the epochs.
        return StackingSchedule(table, shares, partial=True)

    def _matters(self, name):
        if name in _OF_GROWTHS and max(values_of(self.growths)) == 0:
            return False
        return name != "inherit" or any(map(_inherits, values_of(self.method)))

    def _conditions(self, name):
        conditions = []
        if name in _OF_GROWTHS and 0 in values_of(self.growths):
            growing = [n for n in values_of(self.growths) if n > 0]
            conditions.append(("growths", growing))
        if name == "inherit" and is_searched(self.method):
            methods = [m for m in values_of(self.method) if _inherits(m)]
            conditions.append(("method", methods))
        return conditions

    def _given(self, name):
        value = getattr(self, name)
        is_default = value is None and name in ("width", "dropout")
        return () if is_default else values_of(value)


def _inherits(method):
    """Returns whether `inherit` makes a difference to a method."""
    method = get_method(method)
    return method.keeps_rest and not method.carries_all


def _check_loss(loss):
    try:
        losses.get(loss)
    except ArgumentError as error:
        name = "training_loss"
        raise ArgumentError(name, error.reason, error.fix, error.received) from error
