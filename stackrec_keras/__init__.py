"""Very deep next-item recommenders that grow inside one fit."""

from stackrec_keras import convert, data, losses, metrics, plot, stacking
from stackrec_keras.models import SSEPT, GRec, NextItNet, SASRec
from stackrec_keras.stacking import StackingCallback, StackingSchedule
from stackrec_keras.version import __version__

__all__ = [
    "GRec",
    "NextItNet",
    "SASRec",
    "SSEPT",
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
