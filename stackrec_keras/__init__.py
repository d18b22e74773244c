"""Very deep next-item recommenders that grow inside one fit."""

import importlib
from typing import TYPE_CHECKING

from stackrec_keras.backend import is_command, load_keras
from stackrec_keras.version import __version__

if TYPE_CHECKING:
    from stackrec_keras import (
        convert,
        data,
        distribution,
        evaluation,
        experiments,
        losses,
        metrics,
        plot,
        runs,
        schedules,
        stacking,
        tuning,
    )
    from stackrec_keras.errors import ArgumentError, StackRecWarning
    from stackrec_keras.models import (
        HSTU,
        SSEPT,
        ESASRec,
        FreezeStack,
        GRec,
        NextItNet,
        SASRec,
        TransferRecommender,
    )
    from stackrec_keras.runs import load_preset
    from stackrec_keras.stacking import StackingCallback, StackingSchedule

__all__ = [
    "ArgumentError",
    "ESASRec",
    "FreezeStack",
    "GRec",
    "HSTU",
    "NextItNet",
    "SASRec",
    "SSEPT",
    "StackingCallback",
    "StackRecWarning",
    "StackingSchedule",
    "TransferRecommender",
    "__version__",
    "convert",
    "data",
    "distribution",
    "evaluation",
    "experiments",
    "load_preset",
    "losses",
    "metrics",
    "plot",
    "runs",
    "schedules",
    "stacking",
    "tuning",
]

_PACKAGES = {
    "ArgumentError": "errors",
    "StackRecWarning": "errors",
    **dict.fromkeys(["ESASRec", "FreezeStack", "GRec", "HSTU"], "models"),
    **dict.fromkeys(["NextItNet", "SASRec", "SSEPT"], "models"),
    "TransferRecommender": "models",
    "StackingCallback": "stacking",
    "StackingSchedule": "stacking",
    "load_preset": "runs",
}


def __getattr__(name):
    """Imports a public name when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    value = getattr(importlib.import_module(f"{__name__}.{_PACKAGES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__


# Keras must know our classes before it loads a file that has them. The `stackrec`
# command loads Keras later, after it has read its options, so that `--help` does not
# wait for a backend.
if not is_command():
    load_keras()
    importlib.import_module("stackrec_keras.models").import_all()
