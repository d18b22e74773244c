"""Schedules whose growth steps are known before training."""

from typing import TYPE_CHECKING

from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.stacking.schedules.schedule import RunningSchedule, Schedule
from stackrec_keras.wording import counted

if TYPE_CHECKING:
    from stackrec_keras.stacking.growable import Growable
    from stackrec_keras.stacking.growth import Growth


class TableSchedule(Schedule):
    """A schedule that is a table of epochs and depths. A subclass defines `table`."""

    def table(
        self,
        initial_blocks: int,
        epochs: int,
        step: int | None = None,
        num_blocks: int | None = None,
    ) -> dict[int, int]:
        raise NotImplementedError(f"{type(self).__name__} must define table().")

    def start(self, model: "Growable", epochs: int, growth: "Growth") -> "RunningTable":
        table = self.table(
            model.initial_blocks, epochs, growth.top_blocks, model.num_blocks
        )
        return RunningTable(model, growth, table)


class RunningTable(RunningSchedule):
    """A table of epochs and depths in one fit.

    Args:
        model: The model that is trained.
        growth: `Growth`, how the model grows.
        table: Dict from epoch to number of blocks, in order.
    """

    def __init__(
        self, model: "Growable", growth: "Growth", table: dict[int, int]
    ) -> None:
        super().__init__(model, growth)
        self.table = table

    def depths(self) -> list[int]:
        return list(self.table.values())

    def due(self, epoch: int) -> list[int]:
        if epoch == 0:
            self._warn_of_steps_already_taken()
        return [depth for start, depth in self.table.items() if start <= epoch]

    def _warn_of_steps_already_taken(self):
        blocks = self.model.num_blocks
        past = {e: n for e, n in self.table.items() if e and n <= blocks}
        if past:
            warn(
                "The model was built with "
                f"{counted(self.model.initial_blocks, 'block')} and already has "
                f"{blocks}: the growth steps {past} of "
                f"schedule={self.table} are skipped. Give depths beyond {blocks}, such "
                f"as StackingCallback({self.growth.method!r}, {{1: {2 * blocks}}})."
            )


def check_grows(name: str, depths: list[int], received: object) -> None:
    """Checks that each depth is greater than the one before it.

    Args:
        name: String, the argument that holds the depths.
        depths: List of integers.
        received: The argument's value.
    """
    if depths != sorted(set(depths)):
        raise ArgumentError(
            name,
            "must name more blocks at each later stage, as a model only grows deeper",
            received=received,
        )
