"""A training run: its configuration, its folder, and the code that trains it."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stackrec_keras.runs.config import TrainConfig
    from stackrec_keras.runs.evaluating import Evaluation, evaluate
    from stackrec_keras.runs.growing import grow
    from stackrec_keras.runs.named_recipes import recipe, recipes
    from stackrec_keras.runs.presets import load_preset
    from stackrec_keras.runs.publishing import publish
    from stackrec_keras.runs.run import Run, read_run
    from stackrec_keras.runs.training import train
    from stackrec_keras.runs.user_histories import user_history

__all__ = [
    "Evaluation",
    "Run",
    "TrainConfig",
    "evaluate",
    "grow",
    "load_preset",
    "publish",
    "read_run",
    "recipe",
    "recipes",
    "train",
    "user_history",
]

_MODULES = {
    "Evaluation": "evaluating",
    "evaluate": "evaluating",
    "Run": "run",
    "TrainConfig": "config",
    "grow": "growing",
    "load_preset": "presets",
    "publish": "publishing",
    "read_run": "run",
    "recipe": "named_recipes",
    "recipes": "named_recipes",
    "train": "training",
    "user_history": "user_histories",
}


def __getattr__(name):
    """Imports a public name on first use, so that the command line can read its
    options before a backend is loaded."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    return getattr(module, name)


def __dir__():
    return __all__
