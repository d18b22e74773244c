"""What schedules that follow a metric have in common."""

from typing import TYPE_CHECKING

from stackrec_keras import monitors
from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking.schedules.schedule import RunningSchedule, Schedule
from stackrec_keras.wording import counted

if TYPE_CHECKING:
    from stackrec_keras.stacking.growable import Growable
    from stackrec_keras.stacking.growth import Growth


class MetricSchedule(Schedule):
    """A schedule that grows a model, again and again, depending on a metric.

    A subclass has the attributes `monitor` (a key of the logs) and `max_blocks`, and
    defines `running`.
    """

    monitor: str
    max_blocks: int

    def running(
        self, model: "Growable", epochs: int, growth: "Growth"
    ) -> RunningSchedule:
        """Returns the `RunningSchedule` of a fit. Takes the arguments of `start`."""
        raise NotImplementedError(f"{type(self).__name__} must define running().")

    def depths(self, depth: int, step: int | None = None) -> list[int]:
        """Returns all depths to which a model of `depth` blocks may grow, in order."""
        depths = []
        while (depth := depth + (step or depth)) <= self.max_blocks:
            depths.append(depth)
        return depths

    def gain(self, value: float) -> float:
        """Returns a value of the metric, negated for a loss, so that higher is
        better."""
        return monitors.sign(self.monitor) * value

    def start(
        self, model: "Growable", epochs: int, growth: "Growth"
    ) -> RunningSchedule:
        names = ["loss", *(f"val_{metric.name}" for metric in model.metrics)]
        if self.monitor not in names:
            raise ArgumentError(
                "monitor",
                f"is not in the logs of this model ({', '.join(names)})",
                "Monitor one of these, or compile with that metric.",
                self.monitor,
            )
        if not self.depths(model.initial_blocks, growth.top_blocks):
            raise ArgumentError(
                "max_blocks",
                "leaves no growth step for a model built with "
                f"{counted(model.initial_blocks, 'block')}",
                "Give a larger number.",
                self.max_blocks,
            )
        return self.running(model, epochs, growth)


def check_monitor(monitor: object) -> None:
    """Checks that `monitor` is a string."""
    if not isinstance(monitor, str):
        raise ArgumentError(
            "monitor",
            "must be a key of the logs, such as 'val_loss'",
            received=monitor,
        )
