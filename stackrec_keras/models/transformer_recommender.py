from typing import Any

from keras import layers

from stackrec_keras.arguments import check_bools, check_choice, check_integers
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers import ReZeroTransformerStack
from stackrec_keras.layers.rezero_transformer_stack import EPSILON
from stackrec_keras.models.attention_recommender import AttentionRecommender
from stackrec_keras.models.inputs import Features
from stackrec_keras.types import Tensor


class TransformerRecommender(AttentionRecommender):
    """Base class of the models whose blocks are a `ReZeroTransformerStack`.

    A subclass builds its embeddings in the constructor and says how features become
    vectors (`embed`). This class adds position vectors, counted from the left end of
    the input.

    Args:
        num_items: Integer; item ids are 1..num_items, 0 is padding (on the left).
        dim: Integer, the width of the hidden states.
        max_length: Integer, the maximum input length. Longer inputs are cut to their
            last items.
        num_blocks: Integer, the depth to build with.
        num_heads: Integer, number of attention heads, a divisor of `dim`.
        dropout: Float, fraction of units to drop in training.
        rezero: Boolean, whether each block has two gates that start at 0.
        norm: String, where a block normalizes: `"post"`, after each residual sum (as in
            the reference implementation), or `"pre"`, before the attention and before
            the dense layers. With `"pre"`, a block whose gates are 0 is exactly the
            identity.
        padding_mask: Boolean, whether to hide padding from every position. The
            reference implementation does not hide it.
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
        check_integers(num_heads=num_heads)
        check_bools(padding_mask=padding_mask)
        if dim % num_heads:
            reason = f"must divide the width of the blocks, {dim}"
            raise ArgumentError("num_heads", reason, received=num_heads)
        check_choice("norm", norm, ("post", "pre"))
        super().__init__(
            num_items,
            dim,
            max_length,
            num_blocks,
            num_heads,
            dropout,
            rezero,
            **kwargs,
        )
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

    @property
    def ignores_padding(self) -> bool:
        return self.padding_mask

    def apply_blocks(
        self, x: Tensor, features: Features, training: bool | None
    ) -> Tensor:
        x = self.embedding_norm(x)
        if self.padding_mask:
            x = super().apply_blocks(x, features, training)
        else:
            x = self.stack(x, training=training, context=features)
        return self.output_norm(x) if self.norm == "pre" else x

    def _norm(self, dim, name):
        norm = layers.LayerNormalization(
            epsilon=EPSILON, dtype=self.dtype_policy, name=name
        )
        norm.build((None, None, dim))
        return norm

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "norm": self.norm,
            "padding_mask": self.padding_mask,
        }
