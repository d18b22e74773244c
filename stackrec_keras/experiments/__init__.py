"""Experiments: searches, and comparisons of growing models with others."""

from stackrec_keras.experiments.arms import Arm, Stage
from stackrec_keras.experiments.continual import continual
from stackrec_keras.experiments.experiment import Experiment
from stackrec_keras.experiments.from_scratch import from_scratch
from stackrec_keras.experiments.search_config import TuneConfig
from stackrec_keras.experiments.transfer import transfer

__all__ = [
    "Arm",
    "Experiment",
    "Stage",
    "TuneConfig",
    "continual",
    "from_scratch",
    "transfer",
    "tune",
]


def __getattr__(name):
    # KerasTuner takes most of a second to import.
    if name == "tune":
        from stackrec_keras.experiments.search import tune

        return tune
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
