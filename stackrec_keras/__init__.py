"""Very deep next-item recommenders that grow inside one fit."""

from stackrec_keras import convert, data, losses, metrics, plot, stacking
from stackrec_keras.models import NextItNet
from stackrec_keras.stacking import StackingCallback, StackingSchedule
from stackrec_keras.version import __version__

__all__ = [
    "NextItNet",
    "StackingCallback",
    "StackingSchedule",
    "__version__",
    "convert",
    "data",
    "losses",
    "metrics",
    "plot",
    "stacking",
]
