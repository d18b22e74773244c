import numbers
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import keras_tuner
import numpy as np

from stackrec_keras import losses
from stackrec_keras.arguments import is_integer
from stackrec_keras.stacking import Growth, StackingSchedule
from stackrec_keras.stacking.methods import get_method
from stackrec_keras.tuning.values import Choice, Range, draw, is_searched, values_of

# These say how a net grows, and nothing where it does not.
_OF_GROWTHS = (
    *("method", "stage_ratio", "first_data_share"),
    *("inherit", "optimizer_state"),
)


@dataclass(frozen=True)
class SearchSpace:
    """What `StackingHyperModel` searches: the schedule and the usual parameters.

    Each is a fixed value, a `Choice` or a `Range`. In the trials it goes by its name
    here.

    Args:
        start_blocks: The depth to build with.
        growths: How many times the depth doubles.
        method: The stacking method: see `stackrec_keras.stacking.methods`.
        stage_ratio: How long the stage after a growth is, in epochs, relative to
            the one before it: 1 for stages of the same length, 2 for 1:2:4.
        first_data_share: The share of the training rows that the first stage sees.
            The others see more, in equal steps, and the last one all.
        inherit: `"all"`, `"all_but_gates"` or `"paper"`, what a growth carries over.
        optimizer_state: `"carry"` or `"reset"`, what becomes of it in a growth.
        learning_rate: Of Adam.
        batch_size: Rows a training batch.
        width: The model's `embedding_dim` (of SSEPT each of `item_dim` and
            `user_dim`), or `None` for the model's default.
        dropout: For a model that has it, or `None` for the model's default.
        training_loss: Name of a loss of `stackrec_keras.losses`.

    Raises:
        ValueError: If one of the values may not be.

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
        for name in ("start_blocks", "batch_size", "width"):
            self._check(name, lambda v: is_integer(v) and v > 0, "an integer above 0")
        self._check(
            "growths", lambda v: is_integer(v) and v >= 0, "an integer of at least 0"
        )
        for name in ("stage_ratio", "learning_rate"):
            self._check(name, lambda v: _is_number(v) and v > 0, "a number above 0")
        self._check(
            "dropout", lambda v: _is_number(v) and 0 <= v < 1, "from 0 to below 1"
        )
        self._check(
            "first_data_share",
            lambda v: _is_number(v) and 0 < v <= 1,
            "above 0 and at most 1",
        )
        for method in values_of(self.method):
            for inherit in values_of(self.inherit):
                for state in values_of(self.optimizer_state):
                    Growth(method, inherit=inherit, optimizer_state=state)
        for loss in values_of(self.training_loss):
            losses.get(loss)

    def check_epochs(self, epochs: int) -> None:
        """Raises a ValueError if a schedule may have more stages than epochs."""
        growths = max(values_of(self.growths))
        if growths >= epochs:
            raise ValueError(
                f"growths={growths} makes {growths + 1} stages, and epochs={epochs} is "
                "too few for them. Give more epochs, or fewer growths."
            )

    def growth_paths(self) -> Iterator[tuple[str, list[int]]]:
        """Yields each pair of a method and the depths that it may have to grow by."""
        for start in values_of(self.start_blocks):
            depths = [start * 2**i for i in range(max(values_of(self.growths)) + 1)]
            for method in values_of(self.method):
                yield method, depths

    def draw(self, hp: keras_tuner.HyperParameters) -> "SearchSpace":
        """Returns the space of one trial, all values of which are fixed.

        Args:
            hp: `keras_tuner.HyperParameters`; what it lacks is declared there.
        """
        # Parents come before those that hang on them: the order of the fields.
        drawn = {
            f.name: draw(hp, f.name, getattr(self, f.name), self._conditions(f.name))
            for f in fields(self)
            if self._matters(f.name)
        }
        return replace(self, **drawn)

    def schedule(self, epochs: int) -> StackingSchedule | None:
        """Returns the `StackingSchedule` of a drawn space, `None` without growth."""
        if self.growths == 0:
            return None
        depths = [self.start_blocks * 2**i for i in range(self.growths + 1)]
        lengths = [self.stage_ratio**i for i in range(self.growths + 1)]
        table = StackingSchedule.shares(depths, lengths).table(depths[0], epochs)
        shares = None
        if self.first_data_share < 1:
            each = np.linspace(self.first_data_share, 1, len(depths)).round(4)
            shares = dict(zip([0, *table], each.tolist()))
        # Hyperband trains for a part of the epochs at first.
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

    def _check(self, name, is_right, what):
        given = getattr(self, name)
        if given is None and name in ("width", "dropout"):
            return
        if not all(map(is_right, values_of(given))):
            raise ValueError(f"{name} must be {what}. Received: {name}={given!r}")


def _inherits(method):
    """Whether `inherit` makes a difference to a method."""
    method = get_method(method)
    return method.keeps_rest and not method.carries_all


def _is_number(value):
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
