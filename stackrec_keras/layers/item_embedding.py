from typing import Any

import keras
import numpy as np
from keras import ops

from stackrec_keras.arguments import check_choice, check_fraction, is_integer
from stackrec_keras.data.item_features import as_feature_rows
from stackrec_keras.layers.dropout import seed_generator
from stackrec_keras.layers.embedding import Embedding, known_ids
from stackrec_keras.layers.random_numbers import random_uniform
from stackrec_keras.layers.split_rows import used_rows
from stackrec_keras.types import Tensor

FUSIONS = ("add", "replace")
"""The ways to make an item's vector from features and ids."""


@keras.saving.register_keras_serializable(package="stackrec_keras")
class ItemEmbedding(Embedding):
    """An embedding of items that have features, such as vectors of their texts.

    The features are non-trainable weights, so a model's file holds them. A trained
    matrix projects them to the width of the embedding. There is no bias, so an item
    whose features are all 0, such as the padding, has only the vector of its id.

    Args:
        input_dim: Integer, the number of items plus one, for the padding.
        output_dim: Integer, the width of the vectors.
        item_features: Array of shape `(input_dim - 1, num_features)`, the features of
            item 1 first. Or an integer, the number of features, which are then 0 until
            weights are loaded.
        fusion: `"add"` adds the projected features to a vector that is learned for each
            id. `"replace"` makes an item's vector only from its features; ids have no
            vectors. Defaults to `"add"`.
        id_dropout: Float, the fraction of positions at which training leaves out the
            vector of the id. Defaults to `0.0`.
        **kwargs: The other arguments of `keras.layers.Embedding`. Its
            `embeddings_initializer` draws the vectors of the ids and the projection.

    Call arguments:
        inputs: Integer tensor of item ids, of any shape.
        training: Boolean or `None`; `id_dropout` has an effect only in training.

    Returns:
        Tensor of shape `(..., output_dim)`.

    Raises:
        ArgumentError: If `item_features`, `fusion` or `id_dropout` is invalid.

    Reference:
        - [Where to Go Next for Recommender Systems? ID- vs. Modality-based Recommender
          Models Revisited, SIGIR 2023](https://arxiv.org/abs/2303.13835)
        - [DropoutNet: Addressing Cold Start in Recommender Systems, NeurIPS 2017](
          https://papers.nips.cc/paper/7081-dropoutnet-addressing-cold-start-in-recommender-systems)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        item_features: np.ndarray | int,
        fusion: str = "add",
        id_dropout: float = 0.0,
        **kwargs,
    ) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        check_choice("fusion", fusion, FUSIONS)
        check_fraction(id_dropout=id_dropout)
        self.id_dropout = id_dropout
        if id_dropout:  # without dropout, files need no random state
            self.seed_generator = seed_generator("id_dropout")
        self.fusion = fusion
        self._given = None
        if not is_integer(item_features):
            self._given = as_feature_rows("item_features", item_features, input_dim - 1)
            item_features = self._given.shape[1]
        self.num_features = int(item_features)

    @property
    def has_ids(self) -> bool:
        """Boolean, whether each id has a vector of its own."""
        return self.fusion == "add"

    def build(self, input_shape: tuple | None = None) -> None:
        if self.has_ids:
            super().build(input_shape)
        self.projection = self.add_weight(
            name="projection",
            shape=(self.num_features, self.output_dim),
            # One initializer object would draw the same numbers for ids and projection.
            initializer=self.embeddings_initializer.clone(),
        )
        self.item_features = self.add_weight(
            name="item_features",
            shape=(self.input_dim, self.num_features),
            initializer=self._initial_features,
            trainable=False,
            autocast=False,  # `call` casts only the rows that it reads
        )
        self._given = None  # the weight holds them now
        self.built = True

    def _initial_features(self, shape, dtype=None):
        if self._given is None:
            return ops.zeros(shape, dtype)
        padded = np.pad(self._given, ((1, 0), (0, 0)))
        return ops.convert_to_tensor(padded, dtype)

    @property
    def item_variables(self) -> list[keras.Variable]:
        """List of the variables that have a row for each item."""
        return [*([self.embeddings] if self.has_ids else []), self.item_features]

    @property
    def given_variables(self) -> list[keras.Variable]:
        """List of the variables whose values were given, not drawn at random."""
        return [self.item_features]

    def table(self, kept: Tensor | None = None) -> Tensor:
        """Returns the vectors of all items, `(input_dim, output_dim)`.

        Args:
            kept: Tensor `(input_dim, 1)`, 0 where the id's vector is left out,
                otherwise 1. Defaults to `None`, which leaves out none.
        """
        projected = project(self.item_features, self.projection)
        if not self.has_ids:
            return projected
        rows = used_rows(self.embeddings)
        return projected + (rows if kept is None else rows * kept)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        ids = known_ids(ops.cast(inputs, "int32"), self.input_dim)
        features = ops.take(self.item_features, ids, axis=0)
        features = ops.cast(features, self.compute_dtype)
        projected = ops.matmul(features, ops.cast(self.projection, self.compute_dtype))
        if not self.has_ids:
            return projected
        rows = super().call(inputs)
        if training and self.id_dropout:
            shape = (*ops.shape(ids), 1)
            rows = rows * draw_kept(shape, self.id_dropout, self.seed_generator, rows)
        return projected + rows

    # Keras' Embedding stores only the vectors of the ids.
    def save_own_variables(self, store: Any) -> None:
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "item_features": self.num_features,
            "fusion": self.fusion,
            "id_dropout": self.id_dropout,
        }


def draw_kept(
    shape: tuple, id_dropout: float, seed: keras.random.SeedGenerator, like: Any
) -> Tensor:
    """Draws 1 for ids whose vectors a training step keeps, 0 for the others."""
    kept = random_uniform(shape, seed) >= id_dropout
    return ops.cast(kept, like.dtype)


def project(features: Any, projection: Any) -> Tensor:
    """Returns the product of two variables, `features @ projection`, as a tensor."""
    return ops.matmul(used_rows(features), ops.convert_to_tensor(projection))


def table_of(embedding: keras.layers.Embedding) -> Tensor:
    """Returns the vectors of all items of an input embedding, with or without item
    features."""
    if isinstance(embedding, ItemEmbedding):
        return embedding.table()
    return used_rows(embedding.embeddings)


def item_variables(embedding: keras.layers.Embedding) -> list[keras.Variable]:
    """Returns the variables of an input embedding that have a row for each item."""
    if isinstance(embedding, ItemEmbedding):
        return embedding.item_variables
    return [embedding.embeddings]
