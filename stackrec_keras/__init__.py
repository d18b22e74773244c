"""Very deep next-item recommenders that grow inside one fit."""

import importlib

from stackrec_keras import convert, data, losses, metrics, plot, stacking
from stackrec_keras.models import (
    SSEPT,
    FreezeStack,
    GRec,
    NextItNet,
    SASRec,
    TransferRecommender,
)
from stackrec_keras.stacking import StackingCallback, StackingSchedule
from stackrec_keras.version import __version__

__all__ = [
    "FreezeStack",
    "GRec",
    "NextItNet",
    "SASRec",
    "SSEPT",
    "StackingCallback",
    "StackingSchedule",
    "TransferRecommender",
    "__version__",
    "convert",
    "data",
    "losses",
    "metrics",
    "plot",
    "stacking",
    "tuning",
]


def __getattr__(name):
    # KerasTuner takes most of a second to import.
    if name == "tuning":
        return importlib.import_module("stackrec_keras.tuning")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*globals(), "tuning"]
