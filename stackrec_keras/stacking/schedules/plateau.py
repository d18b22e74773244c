"""The depth autopilot: a schedule that follows a metric."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stackrec_keras.arguments import check_bools, check_integers, check_number
from stackrec_keras.stacking.growth_record import GrowthRecord
from stackrec_keras.stacking.schedules.metric_schedule import (
    MetricSchedule,
    check_monitor,
)
from stackrec_keras.stacking.schedules.schedule import RunningSchedule
from stackrec_keras.wording import counted

if TYPE_CHECKING:
    from stackrec_keras.stacking.growable import Growable
    from stackrec_keras.stacking.growth import Growth


@dataclass(frozen=True)
class Plateau(MetricSchedule):
    """Grows when a metric stops improving: see `StackingSchedule.plateau`."""

    monitor: str = "val_mrr@5"
    patience: int = 2
    min_gain: float = 0.0
    max_blocks: int = 64
    restore_best: bool = True

    def __post_init__(self):
        check_monitor(self.monitor)
        check_integers(patience=self.patience, max_blocks=self.max_blocks)
        check_number("min_gain", self.min_gain)
        check_bools(restore_best=self.restore_best)

    def running(
        self, model: "Growable", epochs: int, growth: "Growth"
    ) -> "RunningPlateau":
        return RunningPlateau(model, growth, self)


@dataclass
class PlateauState:
    """The state of a run under `Plateau`.

    Args:
        epoch: Integer, the last epoch observed.
        due: Integer, the depth that the model must have in the next epoch.
        growing: Boolean, whether more growth steps may come.
        wait: Integer, epochs at this depth since the metric last improved.
        best: Float, the best value so far, negated for a loss.
        stage_best: Float, the best value since the last growth step.
        previous_best: Float, the best value of the previous stage.
        best_weights: The model's weights in its best epoch, as arrays.
    """

    epoch: int
    due: int
    growing: bool = True
    wait: int = 0
    best: float = -math.inf
    stage_best: float = -math.inf
    previous_best: float = -math.inf
    best_weights: Sequence[np.ndarray] = ()

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Returns the state as a dict of arrays."""
        arrays = {
            name: np.asarray(value, "float64")
            for name, value in vars(self).items()
            if name != "best_weights"
        }
        for i, weight in enumerate(self.best_weights):
            arrays[f"best_weights_{i:04d}"] = weight
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "PlateauState":
        """Restores a state from the arrays that `to_arrays` returned."""
        weights = sorted(name for name in arrays if name.startswith("best_weights_"))
        kinds: dict[str, Any] = {"epoch": int, "due": int, "growing": bool, "wait": int}
        kinds |= {"best": float, "stage_best": float, "previous_best": float}
        return cls(
            **{name: kind(arrays[name]) for name, kind in kinds.items()},
            best_weights=[np.asarray(arrays[name]) for name in weights],
        )


class RunningPlateau(RunningSchedule):
    """A `Plateau` in one fit."""

    def __init__(self, model: "Growable", growth: "Growth", schedule: Plateau) -> None:
        super().__init__(model, growth)
        self.schedule = schedule
        self._validated_best: list[np.ndarray] | None = None

    def depths(self) -> list[int]:
        return self.schedule.depths(self.model.num_blocks, self.growth.top_blocks)

    def due(self, epoch: int) -> list[int]:
        state = self._state()
        if state is None or state.epoch != epoch - 1:  # left by an earlier fit
            state = PlateauState(epoch=epoch - 1, due=self.model.num_blocks)
            self._keep(state)
        return [state.due]

    def validated(self, logs: dict[str, float]) -> None:
        # The weights are copied now, because SwapEMAWeights takes its averages out of
        # the model before `observe`.
        state, value = self._state(), logs.get(self.schedule.monitor)
        if self.schedule.restore_best and state is not None and value is not None:
            if self.schedule.gain(value) > state.best:
                self._validated_best = self.model.get_weights()

    def observe(self, epoch: int, logs: dict[str, float]) -> None:
        state = self._state()
        state.epoch = epoch
        if self.schedule.monitor in logs:
            self._compare(state, self.schedule.gain(float(logs[self.schedule.monitor])))
        self._keep(state)

    def finish(self) -> str:
        state = self._state()
        if state is None or not state.best_weights:
            return ""
        self.model.set_weights(state.best_weights)
        return (
            f"restored the best {self.schedule.monitor} ({abs(state.best):.4f}), "
            f"with {counted(self.model.num_blocks, 'block')}"
        )

    def _compare(self, state, gain):
        if gain > state.best:
            state.best = gain
            if self.schedule.restore_best:
                state.best_weights = self._validated_best or self.model.get_weights()
        self._validated_best = None
        if gain > state.stage_best:
            state.stage_best, state.wait = gain, 0
        else:
            state.wait += 1
        if state.growing and state.wait >= self.schedule.patience:
            self._end_stage(state)

    def _end_stage(self, state):
        gained = state.stage_best - state.previous_best
        deeper = self.depths()
        # With `gained < min_gain`, a NaN would not end the growth.
        if not gained >= self.schedule.min_gain or not deeper:
            state.growing = False
            return
        state.due = deeper[0]
        state.previous_best, state.stage_best = state.stage_best, -math.inf
        state.wait = 0

    def _state(self):
        record = self.model.growth_record
        if record is None or "growing" not in record.arrays:  # of another schedule
            return None
        return PlateauState.from_arrays(record.arrays)

    def _keep(self, state):
        self.model.growth_record = GrowthRecord(state.to_arrays())
