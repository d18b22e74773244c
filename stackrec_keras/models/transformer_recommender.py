from typing import Any

from keras import layers, ops
from keras.initializers import RandomNormal

from stackrec_keras.arguments import (
    check_bools,
    check_choice,
    check_fraction,
    check_integers,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers import Embedding, ReZeroTransformerStack, dropout
from stackrec_keras.layers.rezero_transformer_stack import EPSILON
from stackrec_keras.models.inputs import Features
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.types import Tensor


class TransformerRecommender(SequentialRecommender):
    """Base of the models on a `ReZeroTransformerStack`.

    A subclass builds its embeddings in the constructor and says how features become
    vectors (`embed`). This class adds the positions, counted from the left end of the
    input.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        dim: Integer, the width of the hidden states.
        max_length: Integer, the longest input; only the last items of a longer one are
            read.
        num_blocks: Integer, the depth to build with.
        num_heads: Integer, number of attention heads, a divisor of `dim`.
        dropout: Float, fraction of units to drop in training.
        rezero: Boolean, whether each block has two gates that start at 0.
        norm: `"post"`, as in the reference implementation, or `"pre"`, with which a
            block whose gates are 0 is exactly the identity.
        padding_mask: Boolean, whether to hide padding from every position. It is not
            hidden in the reference implementation.
        **kwargs: The other arguments of `SequentialRecommender`.
    """

    output_fan_in = True

    def __init__(
        self,
        num_items: int,
        dim: int,
        max_length: int,
        num_blocks: int,
        num_heads: int,
        dropout: float,
        rezero: bool,
        norm: str,
        padding_mask: bool,
        **kwargs,
    ) -> None:
        check_integers(max_length=max_length, num_heads=num_heads)
        check_fraction(dropout=dropout)
        check_bools(rezero=rezero, padding_mask=padding_mask)
        if dim % num_heads:
            reason = f"must divide the width of the blocks, {dim}"
            raise ArgumentError("num_heads", reason, received=num_heads)
        check_choice("norm", norm, ("post", "pre"))
        super().__init__(num_items, dim, num_blocks, **kwargs)
        self.max_length = int(max_length)
        self.num_heads = int(num_heads)
        self.dropout = dropout
        self.rezero = bool(rezero)
        self.norm = norm
        self.padding_mask = bool(padding_mask)
        self.position_embedding = self._embedding(
            self.max_length, dim, "positions", (None,)
        )
        self.embedding_norm = self._norm(dim, "embedding_norm")
        self.stack = ReZeroTransformerStack(
            num_blocks,
            dim,
            self.num_heads,
            dropout,
            rezero,
            norm,
            dtype=self.dtype_policy,
            name="stack",
        )
        self.stack.build((None, None, dim))
        if norm == "pre":
            self.output_norm = self._norm(dim, "output_norm")

    def embed(self, features: Features, training: bool | None) -> Tensor:
        """Returns vectors `(batch, time, dim)`; the arguments are those of
        `hidden_states`."""
        raise NotImplementedError(f"{type(self).__name__} defines embed().")

    def hidden_states(self, features: Features, training: bool | None) -> Tensor:
        items = features["items"]
        positions = self.position_embedding(
            ops.arange(0, ops.shape(items)[1], dtype="int32")
        )
        x = self.embed(features, training) + positions
        x = dropout(x, self.dropout, training, self.seed_generator)
        x = self.embedding_norm(x)
        context = dict(features)
        if self.padding_mask:
            context["is_item"] = ops.not_equal(items, 0)
        x = self.stack(x, training=training, context=context)
        return self.output_norm(x) if self.norm == "pre" else x

    def _embedding(self, size, dim, name, input_shape=(None, None)):
        embedding = Embedding(
            size,
            dim,
            embeddings_initializer=RandomNormal(stddev=0.01),
            dtype=self.dtype_policy,
            name=name,
        )
        embedding.build(input_shape)
        return embedding

    def _norm(self, dim, name):
        norm = layers.LayerNormalization(
            epsilon=EPSILON, dtype=self.dtype_policy, name=name
        )
        norm.build((None, None, dim))
        return norm

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "max_length": self.max_length,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "rezero": self.rezero,
            "norm": self.norm,
            "padding_mask": self.padding_mask,
        }
