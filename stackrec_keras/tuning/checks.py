"""Checks of a search: its model, data and objective, and the tuner's arguments."""

import importlib.util
import math

import keras
import keras_tuner

from stackrec_keras import metrics
from stackrec_keras.arguments import check_choice, check_positive, is_number
from stackrec_keras.data import Split
from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.stacking import StackingCallback
from stackrec_keras.stacking.growth import stacked_variables


class SearchArgumentError(ArgumentError, keras_tuner.errors.FatalValueError):
    """An `ArgumentError` that ends a search, because all its trials would raise it."""


def check_installed():
    """Checks that all packages that KerasTuner needs in a trial are installed."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if on_tensorflow and importlib.util.find_spec("tensorboard") is None:
        raise ImportError(
            "On the TensorFlow backend KerasTuner needs tensorboard, which is not "
            "installed with TensorFlow: pip install tensorboard"
        )


def check_model_and_data(model_class, data):
    """Checks that a search has a class of models and a `Split`."""
    is_class = isinstance(model_class, type)
    if not (is_class and issubclass(model_class, SequentialRecommender)):
        raise ArgumentError(
            "model_class",
            "must be a class of recommenders, such as sr.NextItNet",
            received=model_class,
        )
    if not isinstance(data, Split):
        raise ArgumentError(
            "data",
            "must be a Split",
            "sr.data.split_random(windows) makes one.",
            data,
        )


def check_goal(monitor, target, time_budget):
    """Checks that the arguments define an objective."""
    names = ["val_loss", *(f"val_{m.name}" for m in metrics.default_metrics())]
    check_choice("monitor", monitor, names)
    if time_budget is not None:
        check_positive(time_budget=time_budget)
    if target is None:
        return
    if not is_number(target) or target == 0 or not math.isfinite(target):
        raise ArgumentError("target", "must be a number other than 0", received=target)
    if time_budget is None:
        raise ArgumentError(
            "time_budget",
            f"is missing, but target={target} needs it",
            "Give the seconds after which a trial ends without reaching the target.",
            time_budget,
        )


def check_tuner_arguments(fit_arguments, callbacks, epochs, most_epochs, of_hyperband):
    """Checks what a tuner passes from `search` to the `fit` of a trial.

    Args:
        fit_arguments: Dict of arguments of `keras.Model.fit`.
        callbacks: List of callbacks.
        epochs: Integer or `None`, the trial's number of epochs.
        most_epochs: Integer, the hypermodel's `epochs`.
        of_hyperband: Boolean, whether the tuner sets the epochs of each trial.
    """
    for name in ("x", "y", "validation_data", "validation_split"):
        if name in fit_arguments:
            reason = "is set by the data of StackingHyperModel"
            raise SearchArgumentError(name, reason, "Leave it out.")
    if "batch_size" in fit_arguments:
        reason = "is set by the SearchSpace of StackingHyperModel"
        raise SearchArgumentError("batch_size", reason, "Leave it out.")
    if any(isinstance(c, StackingCallback) for c in callbacks):
        raise SearchArgumentError(
            "callbacks",
            "has a StackingCallback, but StackingHyperModel adds one to each trial",
            "Leave it out, and set values that need no search in SearchSpace.",
        )
    if epochs is None or epochs == most_epochs:
        return
    if not of_hyperband or epochs > most_epochs:
        raise SearchArgumentError(
            "max_epochs" if of_hyperband else "epochs",
            f"must come from StackingHyperModel(epochs={most_epochs}), because growth "
            "schedules are fractions of these epochs",
            f"Give Hyperband max_epochs={most_epochs}."
            if of_hyperband
            else "Give the epochs to StackingHyperModel.",
            epochs,
        )


def check_size(model, drawn, most):
    """Raises KerasTuner's error if a model will be too large at its final depth."""
    if most is None:
        return
    of_blocks = sum(math.prod(v.shape) for v in stacked_variables(model))
    now = sum(math.prod(variable.shape) for variable in model.trainable_weights)
    final = drawn.start_blocks * 2**drawn.growths
    size = now + of_blocks // model.num_blocks * (final - model.num_blocks)
    if size > most:
        raise keras_tuner.errors.FailedTrialError(
            f"Oversized model: {size:,} parameters with {final} blocks. Skip model."
        )
