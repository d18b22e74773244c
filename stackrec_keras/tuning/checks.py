"""Checks of what is searched, and for what."""

import importlib.util
import math

import keras
import keras_tuner

from stackrec_keras import metrics
from stackrec_keras.data import Split
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.stacking.growth import stacked_variables


def check_installed():
    """Raises an ImportError if KerasTuner lacks what all of its trials would need."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if on_tensorflow and importlib.util.find_spec("tensorboard") is None:
        raise ImportError(
            "KerasTuner needs tensorboard on the TensorFlow backend, and TensorFlow "
            "does not bring it any more: pip install tensorboard"
        )


def check_model_and_data(model_class, data):
    """Raises a ValueError if they are no class of models and no `Split`."""
    is_class = isinstance(model_class, type)
    if not (is_class and issubclass(model_class, SequentialRecommender)):
        raise ValueError(
            "model_class must be a class of recommenders, such as sr.NextItNet. "
            f"Received: model_class={model_class!r}"
        )
    if not isinstance(data, Split):
        raise ValueError(
            "data must be a Split, as sr.data.split_random(windows) makes it. "
            f"Received: data of type {type(data).__name__}"
        )


def check_goal(monitor, target, time_budget):
    """Raises a ValueError if they do not make an objective."""
    names = ["val_loss", *(f"val_{m.name}" for m in metrics.default_metrics())]
    if monitor not in names:
        raise ValueError(
            f"monitor must be one of {', '.join(names)}. Received: monitor={monitor!r}"
        )
    if time_budget is not None and not time_budget > 0:
        raise ValueError(
            f"time_budget must be above 0 seconds. Received: time_budget={time_budget}"
        )
    if target is None:
        return
    if target == 0 or not math.isfinite(target):
        raise ValueError(f"target must be a number but 0. Received: target={target}")
    if time_budget is None:
        raise ValueError(
            f"target={target} needs a time_budget: the seconds after which a trial "
            "that does not reach it is given up."
        )


def check_size(model, drawn, most):
    """Raises what KerasTuner does for a model that is too large, but for the depth
    that it will grow to."""
    if most is None:
        return
    of_blocks = sum(math.prod(v.shape) for v in stacked_variables(model))
    now = sum(math.prod(variable.shape) for variable in model.trainable_weights)
    final = drawn.start_blocks * 2**drawn.growths
    size = now + of_blocks // model.num_blocks * (final - model.num_blocks)
    if size > most:
        raise keras_tuner.errors.FailedTrialError(
            f"Oversized model: {size} parameters with {final} blocks. Skip model."
        )
