"""Very deep next-item recommenders that grow inside one fit."""

import importlib
import os

try:
    importlib.import_module("keras")
except ValueError:
    if "KERAS_BACKEND" not in os.environ:
        raise
    raise ImportError(
        f"KERAS_BACKEND={os.environ['KERAS_BACKEND']!r} is no backend of Keras. Set it "
        "to tensorflow, jax or torch."
    ) from None
except ModuleNotFoundError as error:
    missing = (error.name or "").split(".")[0]
    if missing != os.environ.get("KERAS_BACKEND"):
        raise
    raise ImportError(
        f"KERAS_BACKEND={missing!r}, and {missing} is not installed: pip install "
        f"{missing}, or set another backend."
    ) from None

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
    "evaluation",
    "experiments",
    "losses",
    "metrics",
    "plot",
    "runs",
    "stacking",
    "tuning",
]


# KerasTuner takes most of a second to import; the others import this module's names.
_IMPORTED_LATE = ("evaluation", "experiments", "runs", "tuning")


def __getattr__(name):
    if name in _IMPORTED_LATE:
        return importlib.import_module(f"stackrec_keras.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
