"""The features of a model's items: how they are given, and where they are used."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from stackrec_keras.arguments import check_choice, check_fraction
from stackrec_keras.data import Vocabulary
from stackrec_keras.data.item_features import align_features, as_feature_rows
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.embedding import Embedding
from stackrec_keras.layers.item_embedding import FUSIONS, ItemEmbedding, draw_kept
from stackrec_keras.layers.output_table import OutputTable
from stackrec_keras.types import Tensor
from stackrec_keras.wording import counted

_NUMBER = "num_features"


def given_features(item_features: Any, feature_fusion: Any, num_items: int) -> Any:
    """Returns what the embedding layer gets as `item_features`. This is an array of
    features, or only their number for a saved model, or `None`."""
    check_choice("feature_fusion", feature_fusion, FUSIONS)
    if item_features is None:
        if feature_fusion == "replace":
            raise ArgumentError(
                "feature_fusion",
                "makes items' vectors from their features, but the model has none",
                "Give item_features.",
                feature_fusion,
            )
        return None
    if isinstance(item_features, Mapping) and set(item_features) == {_NUMBER}:
        return item_features[_NUMBER]  # a saved model has them in its weights
    if isinstance(item_features, (Mapping, pd.DataFrame)):
        raise ArgumentError(
            "item_features",
            "is indexed by raw ids, but must be in the order of the model's indices",
            "Convert it with vocabulary.align_features(...).",
            item_features,
        )
    return as_feature_rows("item_features", item_features, num_items)


def check_id_dropout(id_dropout: Any, given: Any, feature_fusion: str) -> None:
    """Checks the argument `id_dropout` of a model."""
    check_fraction(id_dropout=id_dropout)
    if id_dropout and (given is None or feature_fusion == "replace"):
        raise ArgumentError(
            "id_dropout",
            "needs a model that learns from both ids and features, but this model "
            "uses only one of them",
            'Give item_features, and feature_fusion="add".',
            id_dropout,
        )


def config_of(num_features: int | None) -> dict[str, int] | None:
    """Returns what a model's config holds in place of `item_features`."""
    return None if num_features is None else {_NUMBER: num_features}


def read_new_features(model: keras.Model, features: Any, n: int, ids: Any) -> Any:
    """Returns the features of new items as an array, or `None` if the model has none.

    Args:
        model: A `SequentialRecommender`.
        features: The `features` of `extend_items`.
        n: Integer, the number of new items.
        ids: List of their raw ids, or `None`.

    Raises:
        ArgumentError: If only the model or only the new items have features, or if the
            new features are invalid.
    """
    number = model.num_item_features
    if number is None and features is not None:
        raise ArgumentError(
            "features",
            "cannot be given to a model without item features",
            "Leave it out, or build a model with item_features.",
            features,
        )
    if number is None:
        return None
    if features is None:
        raise ArgumentError(
            "features",
            f"is missing, but the model has {counted(number, 'feature')} for each item",
            f"Give an array of shape ({n}, {number}), or a frame or dict indexed by "
            "raw ids.",
        )
    if isinstance(features, (Mapping, pd.DataFrame)):
        if ids is None:
            raise ArgumentError(
                "features",
                "is indexed by raw ids, so it needs the argument ids",
                "Give ids too, or features as an array in the order of the new items.",
                features,
            )
        features = align_features(Vocabulary(ids), features)
    rows = as_feature_rows("features", features, n, "new items")
    if rows.shape[1] != number:
        raise ArgumentError(
            "features",
            f"has {counted(rows.shape[1], 'number')} for each item, but the model has "
            f"{number:,}",
            received=features,
        )
    return rows


def check_not_zero(model: keras.Model) -> None:
    """Refuses to train a model whose features are all 0. They are 0 in a model that is
    made from a config, such as a clone."""
    model = getattr(model, "source", model)
    if model.num_item_features is None:
        return
    given = model.item_embedding.item_features
    if not ops.convert_to_numpy(ops.any(ops.not_equal(given, 0))):
        raise ArgumentError(
            "item_features",
            "are all 0, as in a clone or another model that is made from a config",
            "Load weights that have them, or build the model with item_features.",
        )


class HasItemFeatures(keras.Model):
    """A model whose items may have features."""

    num_items: int
    item_embedding: Any
    output_table: OutputTable
    seed_generator: keras.random.SeedGenerator
    num_item_features: int | None = None
    """Integer, the number of features of each item, or `None`."""

    feature_fusion: str
    id_dropout: float
    _item_features: Any = None

    @property
    def item_features(self) -> np.ndarray | None:
        """Array `(num_items, num_features)`, the features of item 1 first; or `None`
        for a model without item features."""
        if self.num_item_features is None:
            return None
        return ops.convert_to_numpy(self.item_embedding.item_features)[1:]

    def new_item_embedding(
        self, dim: int, initializer: keras.initializers.Initializer | str = "uniform"
    ) -> Embedding:
        """Returns a built layer for the input embedding, with the item features that
        the model was given. A subclass stores it as `self.item_embedding`.

        Args:
            dim: Integer, the width of an item's vector.
            initializer: A Keras initializer. Defaults to `"uniform"`.
        """
        arguments = {
            "embeddings_initializer": initializer,
            "dtype": self.dtype_policy,
            "name": "item_embedding",
        }
        if self._item_features is None:
            embedding = Embedding(self.num_items + 1, dim, **arguments)
        else:
            embedding = ItemEmbedding(
                self.num_items + 1,
                dim,
                self._item_features,
                self.feature_fusion,
                self.id_dropout,
                **arguments,
            )
        embedding.build((None, None))
        self._item_features = None  # the layer holds them now
        return embedding

    def kept_ids(self) -> Tensor | None:
        if not self.id_dropout:
            return None
        shape = (self.output_table.num_items + 1, 1)
        table = self.item_embedding.item_features
        return draw_kept(shape, self.id_dropout, self.seed_generator, table)

    def connect_item_features(self) -> None:
        """Lets the output embedding use the features of the input embedding."""
        embedding = getattr(self, "item_embedding", None)
        if self.num_item_features is None:
            return
        if not isinstance(embedding, ItemEmbedding):
            raise ArgumentError(
                "item_features",
                f"cannot be given, because {type(self).__name__} makes an input "
                "embedding that does not take them",
                "In its constructor, write self.item_embedding = "
                "self.new_item_embedding(dim).",
            )
        self.output_table.use_features(embedding)
