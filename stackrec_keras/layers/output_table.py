import weakref
from typing import Any

import keras
from keras import ops
from keras.initializers import Constant, RandomNormal, RandomUniform

from stackrec_keras.arguments import (
    check_bools,
    check_choice,
    check_integers,
    is_number,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.item_embedding import FUSIONS, ItemEmbedding, project
from stackrec_keras.layers.split_rows import SplitsRows, used_rows
from stackrec_keras.types import Tensor

EPSILON = 1e-6
"""Float, the least norm that a vector is divided by."""


@keras.saving.register_keras_serializable(package="stackrec_keras")
class OutputTable(SplitsRows):
    """The output embedding: turns hidden states into item scores.

    The score of an item is the product of the hidden state and the item's vector,
    divided by the temperature, plus the item's bias. Row 0 belongs to the padding.

    Losses compute only the scores that they need, from what `operands` returns.

    Args:
        num_items: Integer, the number of items, without the padding.
        dim: Integer, the width of the hidden states.
        fan_in: Boolean, how the weights start. `False` draws the vectors from a
            normal distribution with standard deviation 0.01 and sets the biases to
            0.1; `True` draws both uniformly between -1/sqrt(dim) and 1/sqrt(dim).
            Defaults to `False`.
        tied: Boolean, whether to use the vectors of the input embedding (see `tie`).
            The layer then has no weights. Defaults to `False`.
        normalize: Boolean, whether hidden states and vectors are divided by their L2
            norm, so that products are cosines. There are no biases then. Defaults to
            `False`.
        temperature: Float, the divisor of the products. Defaults to `1.0`.
        num_features: Integer, the number of features of each item (see `use_features`).
            The vectors then include a projection of the features. Defaults to `None`.
        feature_fusion: `"add"` or `"replace"`: see `fusion` of `ItemEmbedding`.
            Defaults to `"add"`.
        **kwargs: The other arguments of `keras.layers.Layer`.

    Call arguments:
        hidden: Tensor of shape `(..., dim)`.

    Returns:
        Tensor of shape `(..., num_items + 1)`. The score of the padding is -inf.

    Raises:
        ArgumentError: If an argument is invalid.
    """

    def __init__(
        self,
        num_items: int,
        dim: int,
        fan_in: bool = False,
        tied: bool = False,
        normalize: bool = False,
        temperature: float = 1.0,
        num_features: int | None = None,
        feature_fusion: str = "add",
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        check_integers(num_items=num_items, dim=dim)
        check_bools(fan_in=fan_in, tied=tied, normalize=normalize)
        check_choice("feature_fusion", feature_fusion, FUSIONS)
        if not is_number(temperature) or not 0 < temperature < float("inf"):
            reason = "must be a finite number above 0"
            raise ArgumentError("temperature", reason, received=temperature)
        self.num_items = num_items
        self.dim = dim
        self.fan_in = fan_in
        self.tied = bool(tied)
        self.normalize = bool(normalize)
        self.temperature = float(temperature)
        self.num_features = num_features
        self.feature_fusion = feature_fusion
        self._input_embedding: Any = None

    @property
    def has_bias(self) -> bool:
        """Boolean, whether each item has a bias."""
        return not (self.tied or self.normalize)

    @property
    def has_table(self) -> bool:
        """Boolean, whether this layer stores a vector for each item."""
        of_features_alone = self.num_features and self.feature_fusion == "replace"
        return not (self.tied or of_features_alone)

    @property
    def item_variables(self) -> list[keras.Variable]:
        """List of the variables that have a row for each item."""
        table = [self.table] if self.has_table else []
        return [*table, *([self.bias] if self.has_bias else [])]

    def build(self, input_shape: tuple | None = None) -> None:
        bound = self.dim**-0.5
        if self.has_table:
            self.table = self._vectors("table", self.num_items + 1)
        if self.num_features and not self.tied:
            self.projection = self._vectors("projection", self.num_features)
        if self.has_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_items + 1,),
                initializer=RandomUniform(-bound, bound)
                if self.fan_in
                else Constant(0.1),
            )
        self.built = True

    def _vectors(self, name, number):
        bound = self.dim**-0.5
        return self.add_weight(
            name=name,
            shape=(number, self.dim),
            initializer=RandomUniform(-bound, bound)
            if self.fan_in
            else RandomNormal(stddev=0.01),
        )

    def use_features(self, embedding: ItemEmbedding) -> None:
        """Scores items by their features too.

        Args:
            embedding: The built layer that holds the features.
        """
        self._input_embedding = weakref.ref(embedding)  # as in `tie`

    def tie(self, embedding: keras.layers.Embedding | None) -> None:
        """Scores items by the vectors of an input embedding, if `tied`.

        Args:
            embedding: The built input embedding, or `None` if the model has none.

        Raises:
            ArgumentError: If the model has no input embedding, or its vectors are not
                as wide as the hidden states.
        """
        if embedding is None:
            raise ArgumentError(
                "tied",
                "needs the model's input embedding under the name item_embedding",
                "Leave it False.",
                True,
            )
        if embedding.output_dim != self.dim:
            raise ArgumentError(
                "tied",
                f"needs item vectors as wide as the hidden states, but the vectors "
                f"have {embedding.output_dim} numbers and the states have {self.dim}",
                "Leave it False.",
                True,
            )
        # A weak reference: otherwise Keras would treat the embedding as part of this
        # layer too, and would save it and draw its weights twice.
        self._input_embedding = weakref.ref(embedding)

    def call(self, hidden: Tensor) -> Tensor:
        states, vectors, biases = self.operands(hidden)
        scores = ops.matmul(states, ops.transpose(vectors)) + biases
        padding = ops.arange(0, self.num_items + 1, dtype="int32") == 0
        return ops.where(padding, ops.cast(-float("inf"), scores.dtype), scores)

    def operands(
        self, hidden: Tensor, kept: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns states, vectors and biases. The scores are
        `states @ vectors.T + biases`.

        Args:
            hidden: Tensor of shape `(..., dim)`.
            kept: As in `item_weights`. Defaults to `None`.

        Returns:
            The states, with the shape and dtype of `hidden`; the vectors,
            `(num_items + 1, dim)`; and the biases, `(num_items + 1,)`.
        """
        return (self.states(hidden), *self.item_weights(kept))

    def states(self, hidden: Tensor) -> Tensor:
        """Returns the states of `operands`."""
        if not self.normalize and self.temperature == 1:
            return hidden
        states = _unit(hidden) if self.normalize else hidden
        return ops.cast(states / self.temperature, hidden.dtype)

    def item_weights(self, kept: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Returns the vectors and the biases of `operands`.

        Args:
            kept: Tensor of shape `(num_items + 1, 1)`. A 0 treats an item as new: it
                gets only the vector of its features, and the mean bias. All other
                entries are 1. Defaults to `None`: no item is treated as new.
        """
        vectors = self.item_vectors(kept)
        if self.normalize:
            vectors = _unit(vectors)
        if self.has_bias:
            biases = used_rows(self.bias)
            if kept is not None:
                biases = ops.where(kept[:, 0] > 0, biases, ops.mean(biases[1:]))
            return vectors, biases
        return vectors, ops.zeros((self.num_items + 1,), vectors.dtype)

    def item_vectors(self, kept: Tensor | None = None) -> Tensor:
        """Returns the vectors of all items, stored or made from features, before
        division by their norm. `kept` is as in `item_weights`."""
        if not self.num_features:
            table = self._input_embedding().embeddings if self.tied else self.table
            return used_rows(table)
        embedding = self._input_embedding()
        if self.tied:
            return embedding.table(kept)
        projected = project(embedding.item_features, self.projection)
        if not self.has_table:
            return projected
        rows = used_rows(self.table)
        return projected + (rows if kept is None else rows * kept)

    def without_features(self) -> "OutputTable":
        """Returns a layer that stores the vectors made from features, and gives the
        same scores. Returns this layer if there are no features."""
        if not self.num_features:
            return self
        stored = OutputTable(
            self.num_items,
            self.dim,
            normalize=self.normalize,
            temperature=self.temperature,
            dtype=self.dtype_policy,
            name=f"stored_{self.name}",
        )
        stored.build()
        stored.table.assign(self.item_vectors())
        if stored.has_bias:
            stored.bias.assign(self.item_weights()[1])
        return stored

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.num_items + 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_items": self.num_items,
            "dim": self.dim,
            "fan_in": self.fan_in,
            "tied": self.tied,
            "normalize": self.normalize,
            "temperature": self.temperature,
            "num_features": self.num_features,
            "feature_fusion": self.feature_fusion,
        }


def _unit(vectors):
    """Divides vectors by their L2 norm, or by `EPSILON` if that is larger. Uses float32
    or more: squares overflow and vanish in float16."""
    vectors = ops.cast(vectors, keras.backend.result_type(vectors.dtype, "float32"))
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    # The square root has no gradient at 0, so bound its argument, not its result.
    return vectors / ops.sqrt(ops.maximum(squares, EPSILON**2))
