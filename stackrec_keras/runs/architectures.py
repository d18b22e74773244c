"""Builds the model of a configuration."""

import inspect

from stackrec_keras.models.registry import model_class
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.runs.config import options_of
from stackrec_keras.runs.feature_options import feature_arguments

_SEARCHED = ("num_blocks", "embedding_dim", "dropout")


def build_model(config, split):
    """Returns the untrained model of a configuration.

    Args:
        config: `TrainConfig`.
        split: The `Split` to train it on.
    """
    kind = model_class(config.model)
    features = feature_arguments(config, split.vocabulary)
    return kind(**_sizes(kind, config, split), **_options(kind, config), **features)


def class_and_arguments(config):
    """Returns the class of a configuration's model, and a dict of its arguments except
    those whose values come from the data or from a `SearchSpace`."""
    kind = model_class(config.model)
    arguments = _options(kind, config)
    return kind, {k: v for k, v in arguments.items() if k not in _SEARCHED}


def takes_users(config):
    """Returns whether a configuration's model takes users."""
    return "num_users" in _parameters(model_class(config.model))


def _options(kind, config):
    """Returns the fields of a configuration that are arguments of the class."""
    takes = {*_parameters(kind), *_parameters(SequentialRecommender)}
    names = [name for name in options_of(config.model) if name in takes]
    given = {name: getattr(config, name) for name in names}
    # `None` stands for the model's own default.
    return {name: value for name, value in given.items() if value is not None}


def _sizes(kind, config, split):
    """Returns the arguments whose values come from the data, and `item_dim` and
    `user_dim` if the model has them."""
    takes = _parameters(kind)
    sizes = {"num_items": split.num_items}
    if "num_users" in takes:
        sizes["num_users"] = split.num_users
    if "max_length" in takes:
        sizes["max_length"] = split.train.length - 1
    widths = ("item_dim", "user_dim")
    return sizes | {name: config.embedding_dim for name in widths if name in takes}


def _parameters(kind):
    # Read `__init__`: the signature of the class would be that of Keras's `__new__`.
    return inspect.signature(kind.__init__).parameters
