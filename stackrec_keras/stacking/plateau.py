"""The depth autopilot: a schedule that follows a metric."""

import math
import numbers
from dataclasses import dataclass, field

import numpy as np

from stackrec_keras.arguments import check_bools, check_integer


@dataclass(frozen=True)
class Plateau:
    """Grow when a metric stops improving. See `StackingSchedule.plateau`."""

    monitor: str = "val_mrr@5"
    patience: int = 2
    min_gain: float = 0.0
    max_blocks: int = 64
    restore_best: bool = True

    data_shares = None

    def __post_init__(self):
        if not isinstance(self.monitor, str):
            raise ValueError(
                "monitor must be a key of the logs, such as 'val_loss'. Received: "
                f"monitor={self.monitor!r}"
            )
        for name in ("patience", "max_blocks"):
            check_integer(name, getattr(self, name), least=1)
        gain = self.min_gain
        if not isinstance(gain, numbers.Real) or math.isnan(gain):
            raise ValueError(f"min_gain must be a number. Received: min_gain={gain!r}")
        check_bools(restore_best=self.restore_best)

    def depths(self, depth, step=None):
        """Returns all depths that may come after `depth`, in order."""
        depths = []
        while (depth := depth + (step or depth)) <= self.max_blocks:
            depths.append(depth)
        return depths

    def start(self, epoch, depth):
        """Returns the record of a run that starts at that epoch and depth."""
        return PlateauRecord(epoch=epoch - 1, due=depth)

    def is_best(self, record, value):
        """Returns whether that value of the metric is the best so far."""
        return self._gain(value) > record.best

    def observe(self, record, value, depth, step=None):
        """Updates the record with the metric's value after an epoch of that depth.

        Returns:
            Boolean, whether this was the best epoch so far.
        """
        gain = self._gain(value)
        best = self.is_best(record, value)
        if best:
            record.best = gain
        if gain > record.stage_best:
            record.stage_best, record.wait = gain, 0
        else:
            record.wait += 1
        if record.growing and record.wait >= self.patience:
            self._end_stage(record, depth, step)
        return best

    def _gain(self, value):
        return -value if self.monitor.endswith("loss") else value

    def _end_stage(self, record, depth, step):
        brought = record.stage_best - record.previous_best
        deeper = self.depths(depth, step)
        # Not "less than": a metric that is NaN is no reason to grow.
        if not brought >= self.min_gain or not deeper:
            record.growing = False
            return
        record.due = deeper[0]
        record.previous_best, record.stage_best = record.stage_best, -math.inf
        record.wait = 0


@dataclass
class PlateauRecord:
    """Where a run under `Plateau` stands. It is saved with the model's weights, so
    that a run that was killed goes on as if it had not been.

    Args:
        epoch: Integer, the last epoch observed.
        due: Integer, the depth due at the next epoch.
        growing: Boolean, whether more growths may come.
        wait: Integer, epochs since the metric improved at this depth.
        best: Float, the best value so far (a loss with its sign turned).
        stage_best: Float, the best since the last growth.
        previous_best: Float, the best of the stage before it.
        best_weights: List of arrays, the model's weights at its best.
    """

    epoch: int
    due: int
    growing: bool = True
    wait: int = 0
    best: float = -math.inf
    stage_best: float = -math.inf
    previous_best: float = -math.inf
    best_weights: list = field(default_factory=list)

    def to_arrays(self):
        """Returns the record as a dict of arrays."""
        arrays = {
            name: np.asarray(value, "float64")
            for name, value in vars(self).items()
            if name != "best_weights"
        }
        for i, weight in enumerate(self.best_weights):
            arrays[f"best_weights_{i:04d}"] = weight
        return arrays

    @classmethod
    def from_arrays(cls, arrays):
        """Returns the record of which `to_arrays` made these arrays."""
        weights = sorted(name for name in arrays if name.startswith("best_weights_"))
        return cls(
            **{
                name: kind(arrays[name])
                for name, kind in (
                    ("epoch", int),
                    ("due", int),
                    ("growing", bool),
                    ("wait", int),
                    ("best", float),
                    ("stage_best", float),
                    ("previous_best", float),
                )
            },
            best_weights=[np.asarray(arrays[name]) for name in weights],
        )
