"""Schedules decide when a model grows. All kinds have the same interface."""

from typing import Any

from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking.schedules.doubling import DoublingSchedule
from stackrec_keras.stacking.schedules.look_ahead import LookAhead
from stackrec_keras.stacking.schedules.metric_schedule import MetricSchedule
from stackrec_keras.stacking.schedules.plateau import Plateau
from stackrec_keras.stacking.schedules.schedule import RunningSchedule, Schedule
from stackrec_keras.stacking.schedules.stacking_schedule import (
    ShareSchedule,
    StackingSchedule,
)
from stackrec_keras.stacking.schedules.stages import stages

__all__ = [
    "DoublingSchedule",
    "LookAhead",
    "MetricSchedule",
    "Plateau",
    "RunningSchedule",
    "Schedule",
    "ShareSchedule",
    "StackingSchedule",
    "get",
    "stages",
]


def get(identifier: Schedule | dict[int, int] | str | None) -> Schedule:
    """Returns the schedule that `identifier` stands for.

    Args:
        identifier: A `Schedule`; a dict from epoch to number of blocks;
            `"plateau"` or `"look_ahead"`; or `None` for a `DoublingSchedule`.

    Raises:
        ArgumentError: If `identifier` is anything else.
    """
    named: dict[Any, type[Schedule]] = {
        None: DoublingSchedule,
        "plateau": Plateau,
        "look_ahead": LookAhead,
    }
    if isinstance(identifier, Schedule):
        return identifier
    if isinstance(identifier, dict):
        return StackingSchedule(identifier)
    if isinstance(identifier, str | None) and identifier in named:
        return named[identifier]()
    raise ArgumentError(
        "schedule",
        "must be None, a dict from epoch to number of blocks, a StackingSchedule, "
        "'plateau' or 'look_ahead'",
        received=identifier,
    )
