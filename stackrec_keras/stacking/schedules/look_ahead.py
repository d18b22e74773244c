"""An autopilot that tries a growth step and takes it back if it does not pay."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from stackrec_keras.arguments import check_integers, check_number
from stackrec_keras.stacking.growth_record import GrowthRecord
from stackrec_keras.stacking.in_place import (
    learning_rate_schedule,
    step_count,
    updating_optimizers,
)
from stackrec_keras.stacking.optimizer_state import (
    finalize_averages,
    schedule_starts,
    set_schedule_starts,
)
from stackrec_keras.stacking.schedules.metric_schedule import (
    MetricSchedule,
    check_monitor,
)
from stackrec_keras.stacking.schedules.schedule import RunningSchedule
from stackrec_keras.stacking.snapshot import Snapshot
from stackrec_keras.wording import counted

if TYPE_CHECKING:
    from stackrec_keras.stacking.growable import Growable
    from stackrec_keras.stacking.growth import Growth

BETWEEN, SHALLOW, DEEP, ENDED = range(4)
"""Phases: between trials, in the two halves of a trial, and after the last one."""


@dataclass(frozen=True)
class LookAhead(MetricSchedule):
    """Tries each growth step: see `StackingSchedule.look_ahead`."""

    monitor: str = "val_loss"
    start_epoch: int = 1
    trial_epochs: int = 2
    min_gain: float = 0.01
    max_blocks: int = 64

    def __post_init__(self):
        check_monitor(self.monitor)
        check_integers(
            start_epoch=self.start_epoch,
            trial_epochs=self.trial_epochs,
            max_blocks=self.max_blocks,
        )
        check_number("min_gain", self.min_gain)

    def running(
        self, model: "Growable", epochs: int, growth: "Growth"
    ) -> "RunningLookAhead":
        return RunningLookAhead(model, epochs, growth, self)


@dataclass
class LookAheadState:
    """The state of a run under `LookAhead`.

    Args:
        epoch: Integer, the last epoch observed.
        due: Integer, the depth that the model must have in the next epoch.
        phase: Integer, `BETWEEN`, `SHALLOW`, `DEEP` or `ENDED`.
        left: Integer, the epochs that this phase still lasts. In a trial, only epochs
            with a value of the metric count.
        begun: Integer, the epoch in which the trial began.
        validated: Boolean, whether the last epoch had a value of the metric.
        best: Float, the best value in this phase, negated for a loss.
        shallow_best: Float, the best value in the trial's first half.
        steps_taken_back: Integer, in a trial's second half, the training steps of the
            first half. The learning-rate schedule repeats them, and skips as many when
            the trial ends.
        held: `Snapshot`, what the model returns to: in a trial's first half, the model
            at the start of the trial; in its second half, the model at the end of the
            first half. `None` outside of a trial.
    """

    epoch: int
    due: int
    phase: int = BETWEEN
    left: int = 0
    begun: int = 0
    validated: bool = False
    best: float = -math.inf
    shallow_best: float = -math.inf
    steps_taken_back: int = 0
    held: Snapshot | None = None

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Returns the state as a dict of arrays."""
        arrays = {
            name: np.asarray(value, "float64")
            for name, value in vars(self).items()
            if name != "held"
        }
        held = {} if self.held is None else self.held.to_arrays()
        return {**arrays, **{f"held_{name}": value for name, value in held.items()}}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "LookAheadState":
        """Restores a state from the arrays that `to_arrays` returned."""
        kinds: dict[str, Any] = {"best": float, "shallow_best": float}
        kinds["validated"] = bool
        held = {
            name.removeprefix("held_"): np.asarray(value)
            for name, value in arrays.items()
            if name.startswith("held_")
        }
        numbers = {name for name in arrays if not name.startswith("held_")}
        return cls(
            **{name: kinds.get(name, int)(arrays[name]) for name in numbers},
            held=Snapshot.from_arrays(held) if held else None,
        )


class RunningLookAhead(RunningSchedule):
    """A `LookAhead` in one fit."""

    def __init__(
        self, model: "Growable", epochs: int, growth: "Growth", schedule: LookAhead
    ) -> None:
        super().__init__(model, growth)
        self.epochs = epochs
        self.schedule = schedule

    def depths(self) -> list[int]:
        return self.schedule.depths(self.model.num_blocks, self.growth.top_blocks)

    def begin(self, epoch: int) -> str:
        state = self._state()
        if state is None or state.epoch != epoch - 1:  # left by an earlier fit
            # A snapshot needs an optimizer that has taken a step.
            left = max(self.schedule.start_epoch - epoch, 1)
            state = LookAheadState(epoch - 1, self.model.num_blocks, left=left)
        line = ""
        if state.left == 0 and state.phase == DEEP:
            line = self._decide(state)
        if state.left == 0 and state.phase == SHALLOW:
            line = self._try_deeper(state, epoch)
        elif state.left == 0 and state.phase == BETWEEN:
            self._begin_trial(state, epoch)
        self._keep(state)
        return line

    def due(self, epoch: int) -> list[int]:
        return [self._state().due]

    def observe(self, epoch: int, logs: dict[str, float]) -> None:
        state = self._state()
        state.epoch = epoch
        value = logs.get(self.schedule.monitor)
        state.validated = value is not None
        if state.phase == BETWEEN or value is not None:
            state.left = max(state.left - 1, 0)
        if value is not None:
            # A NaN is never the greater one.
            state.best = max(state.best, self.schedule.gain(float(value)))
        self._keep(state)

    def finish(self) -> str:
        state = self._state()
        if state is None or state.phase != DEEP:
            return ""
        if state.left:  # the fit was stopped
            state.best = -math.inf
        line = self._decide(state)
        finalize_averages(self.model)
        return line

    def _begin_trial(self, state, epoch):
        """Begins a trial, unless it must wait until both of its halves would be equal:
        between the same number of validations, with the same weights trained."""
        if epoch + 2 * self.schedule.trial_epochs >= self.epochs or not self.depths():
            state.phase = ENDED
        elif state.validated and getattr(self.model, "frozen", None) is None:
            state.phase, state.left = SHALLOW, self.schedule.trial_epochs
            state.begun, state.best = epoch, -math.inf
            state.held = Snapshot.of(self.model)

    def _try_deeper(self, state, epoch):
        """Takes the model back to the start of the trial, to grow there."""
        if epoch + (epoch - state.begun) >= self.epochs:
            state.phase, state.held = ENDED, None
            return ""
        end, position = Snapshot.of(self.model), _position(self.model)
        state.held.restore(self.model)
        state.steps_taken_back = position - _position(self.model)
        state.shallow_best, state.best = state.best, -math.inf
        state.held = end
        state.phase, state.left = DEEP, self.schedule.trial_epochs
        state.due = self.depths()[0]
        return (
            f"back by {state.steps_taken_back} steps, to compare {state.due} blocks "
            f"with {self.model.num_blocks}"
        )

    def _decide(self, state):
        """Ends a trial: the grown model stays if it gained enough."""
        gain, depth = state.best - state.shallow_best, self.model.num_blocks
        stays = gain >= self.schedule.min_gain  # not if it is NaN
        if not stays:
            state.held.restore(self.model)
            state.left = self.schedule.trial_epochs
        state.phase = BETWEEN
        state.due, state.held = self.model.num_blocks, None
        _skip(self.model, state.steps_taken_back)
        state.steps_taken_back = 0
        return (
            f"{depth} blocks changed the best {self.schedule.monitor} by "
            f"{self.schedule.gain(gain):+.4f}: "
            + ("they stay" if stays else f"back to {counted(state.due, 'block')}")
        )

    def _state(self):
        record = self.model.growth_record
        if record is None or "phase" not in record.arrays:  # of another schedule
            return None
        return LookAheadState.from_arrays(record.arrays)

    def _keep(self, state):
        self.model.growth_record = GrowthRecord(state.to_arrays())


def _position(model):
    """Returns the step that the learning-rate schedule of a model has reached."""
    steps = step_count(updating_optimizers(model.optimizer)[0])
    return int(ops.convert_to_numpy(steps)) + schedule_starts(model)[0]


def _skip(model, steps):
    """Moves the model's learning-rate schedule on, if it has one."""
    if any(map(learning_rate_schedule, updating_optimizers(model.optimizer))):
        starts = [start + steps for start in schedule_starts(model)]
        set_schedule_starts(model, starts)
