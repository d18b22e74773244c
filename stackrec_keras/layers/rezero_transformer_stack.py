from typing import Any

import keras
from keras import ops
from keras.initializers import Ones, RandomUniform, Zeros

from stackrec_keras.layers.block_stack import BlockStack, BlockWeight
from stackrec_keras.layers.causal_attention import causal_attention
from stackrec_keras.layers.dropout import dropout, seed_generator
from stackrec_keras.types import Context, Tensor

EPSILON = 1e-5


@keras.saving.register_keras_serializable(package="stackrec_keras")
class ReZeroTransformerStack(BlockStack):
    """Causal transformer blocks, each with two gates that start at 0 (ReZero).

    With `norm="post"` a block computes `h = LN(x + gate1 * attention(x))` and
    `y = LN(h + gate2 * ffn(h))`; with `norm="pre"` `h = x + gate1 *
    attention(LN(x))` and `y = h + gate2 * ffn(LN(h))`, so that a block whose gates
    are 0 is exactly the identity. `ffn` is two dense layers of the width `dim` with
    a ReLU between them. There is no projection after the attention.

    Args:
        depth: Integer, the number of blocks.
        dim: Integer, the width of the hidden states.
        num_heads: Integer, attention heads; it divides `dim`.
        dropout: Float, the share of attention weights and of outputs of both dense
            layers that are dropped in training.
        rezero: Boolean, whether blocks have the gates.
        norm: `"post"` or `"pre"`.
        **kwargs: The other arguments of a Keras layer.

    Call arguments:
        x: Tensor of shape `(batch, time, dim)`.
        training: Boolean or `None`; dropout is on in training alone.
        context: Dict or `None`. With `"is_item"`, a boolean tensor of shape
            `(batch, time)`, no position sees padding.

    Returns:
        Tensor of shape `(batch, time, dim)`; position `t` depends on positions
        up to `t` alone.

    Reference:
        [Self-Attentive Sequential Recommendation, ICDM 2018](
        https://arxiv.org/abs/1808.09781),
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """

    def __init__(
        self,
        depth: int,
        dim: int,
        num_heads: int = 1,
        dropout: float = 0.0,
        rezero: bool = True,
        norm: str = "post",
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        self.dim = dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.rezero = rezero
        self.norm = norm
        self.seed_generator = seed_generator(f"{self.name}_seed_generator")

    @property
    def details(self) -> str:
        return f"heads {self.num_heads}, norm {self.norm}"

    def block_weights(self) -> dict[str, BlockWeight]:
        weights = {
            "attention_kernel": self._uniform((self.dim, 3 * self.dim), copied=True),
            "attention_bias": self._uniform((3 * self.dim,), copied=True),
        }
        for i in (1, 2):
            weights[f"dense{i}_kernel"] = self._uniform((self.dim, self.dim))
            weights[f"dense{i}_bias"] = self._uniform((self.dim,))
            weights[f"norm{i}_scale"] = BlockWeight((self.dim,), lambda seed: Ones())
            weights[f"norm{i}_shift"] = BlockWeight((self.dim,), lambda seed: Zeros())
            if self.rezero:
                weights[f"gate{i}"] = BlockWeight((), lambda seed: Zeros(), gate=True)
        return weights

    def _uniform(self, shape, copied=False):
        bound = self.dim**-0.5
        return BlockWeight(
            shape,
            lambda seed: RandomUniform(-bound, bound, seed=seed),
            release_copies=copied,
        )

    def block(
        self,
        x: Tensor,
        weights: dict[str, Tensor],
        kind: int,
        training: bool | None,
        context: Context = None,
    ) -> Tensor:
        for i, branch in ((1, self._attention), (2, self._feed_forward)):
            h = self._normalized(x, weights, i) if self.norm == "pre" else x
            h = branch(h, weights, training, context)
            x = x + (weights[f"gate{i}"] * h if self.rezero else h)
            x = x if self.norm == "pre" else self._normalized(x, weights, i)
        return x

    def _attention(self, x, weights, training, context):
        h = ops.matmul(x, weights["attention_kernel"]) + weights["attention_bias"]
        heads = (*ops.shape(x)[:2], self.num_heads, self.dim // self.num_heads)
        query, key, value = (
            ops.reshape(part, heads) for part in ops.split(h, 3, axis=-1)
        )
        is_item = (context or {}).get("is_item")
        mask = None if is_item is None else _visible(is_item)
        rate = self.dropout if training else 0.0
        h = causal_attention(query, key, value, mask, rate, self.seed_generator)
        return ops.reshape(h, ops.shape(x))

    def _feed_forward(self, x, weights, training, context):
        x = ops.matmul(x, weights["dense1_kernel"]) + weights["dense1_bias"]
        x = dropout(ops.relu(x), self.dropout, training, self.seed_generator)
        x = ops.matmul(x, weights["dense2_kernel"]) + weights["dense2_bias"]
        return dropout(x, self.dropout, training, self.seed_generator)

    def _normalized(self, x, weights, i):
        scale, shift = weights[f"norm{i}_scale"], weights[f"norm{i}_shift"]
        return ops.layer_normalization(x, scale, shift, epsilon=EPSILON)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dim": self.dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "rezero": self.rezero,
            "norm": self.norm,
        }


def _visible(is_item):
    """Which positions each one may see: items, and itself, so that padding, which
    comes first, sees something."""
    position = ops.arange(0, ops.shape(is_item)[1], dtype="int32")
    itself = ops.expand_dims(position, 1) == position
    return ops.logical_or(is_item[:, None, None, :], itself)
