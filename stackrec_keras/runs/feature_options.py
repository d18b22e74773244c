"""Options of a training run: the features of its items."""

from dataclasses import dataclass
from pathlib import Path

from stackrec_keras.arguments import check_file
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.option_kinds import option


@dataclass(frozen=True)
class FeatureOptions:
    """The options of `TrainConfig` for item features."""

    item_features: str | None = option(
        "item features",
        None,
        "a .csv, .tsv or .parquet file: the item ids are in a column named as in the "
        "log, and all other columns are numbers",
        metavar="FILE",
    )
    feature_fusion: str = option(
        "item features",
        "add",
        "add an item's features to the vector that is learned for its id, or replace "
        "that vector with them",
        choices=("add", "replace"),
    )
    id_dropout: float = option(
        "item features",
        0.0,
        "fraction of items that a training step treats as new",
        float,
    )


def feature_arguments(config, vocabulary):
    """Returns a model's arguments for the item features of a configuration.

    Args:
        config: `TrainConfig`.
        vocabulary: `Vocabulary` of the items.
    """
    if config.item_features is None:
        return {}
    return {
        "item_features": features_in(config, vocabulary),
        "feature_fusion": config.feature_fusion,
        "id_dropout": config.id_dropout,
    }


def features_in(config, vocabulary):
    """Returns the array of item features in a configuration's file.

    Args:
        config: `TrainConfig` with `item_features`.
        vocabulary: `Vocabulary` of the items.
    """
    from stackrec_keras.data import read_item_features

    try:
        return read_item_features(config.item_features, vocabulary, config.item)
    except ArgumentError as error:
        if error.argument == "item":
            raise
        fix = "" if "give default" in error.fix else error.fix
        raise ArgumentError(
            "item_features", error.reason, fix, config.item_features
        ) from error


def check_feature_options(config):
    """Checks that the features file of a `TrainConfig` exists. If the configuration has
    no features file, checks that no other feature option is set."""
    if config.item_features is not None:
        check_file("item_features", Path(config.item_features))
    for name in ("feature_fusion", "id_dropout"):
        value = getattr(config, name)
        if config.item_features is None and value != getattr(FeatureOptions, name):
            raise ArgumentError(
                name,
                "needs item features, but there are none",
                "Give a file of item features, or leave out this option.",
                value,
            )
