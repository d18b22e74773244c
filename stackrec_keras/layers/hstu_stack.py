from typing import Any

import keras
from keras import ops
from keras.initializers import GlorotUniform, Ones, RandomNormal, Zeros

from stackrec_keras.arguments import (
    check_bools,
    check_fraction,
    check_integer,
    check_integers,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.layers.bias_indices import NUM_TIME_BUCKETS
from stackrec_keras.layers.block_stack import BlockStack, BlockWeight
from stackrec_keras.layers.dropout import dropout, seed_generator
from stackrec_keras.layers.hstu_attention import hstu_attention
from stackrec_keras.types import Context, Tensor

EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="stackrec_keras")
class HSTUStack(BlockStack):
    """HSTU's blocks: attention without a softmax, with a bias for distance.

    A block computes `u, v, q, k = split(silu(LN(x) W))` and
    `y = x + f(dropout(u * LN(silu(q k^T + bias) v / max_length)))`; `f` is a dense
    layer. The bias is the sum of two learned values from tables that all heads of a
    block share. One table has a value for each distance between positions. The other
    has a value for each range of the time that passes between the key's event and the
    event that the query has to predict. With the time bias, the model therefore knows
    when the next event happens.

    Padding has to be on the left. If `context` marks the padding, no position sees it,
    and the hidden states of the padding are 0.

    As in the authors' code, `W` and the tables are drawn with a standard deviation of
    0.02, and the kernel of `f` is Glorot uniform. A new block therefore changes its
    input little, and deep stacks learn from the first step on.

    Args:
        depth: Integer, number of blocks.
        dim: Integer, width of the hidden states.
        max_length: Integer, the maximum input length.
        num_heads: Integer, number of attention heads. Defaults to `1`.
        qk_dim: Integer, width of a head's queries and keys. Defaults to
            `dim // num_heads`.
        v_dim: Integer, width of a head's values. Defaults to `dim // num_heads`.
        dropout: Float, fraction of units to drop before `f`. Defaults to `0.0`.
        time_bias: Boolean, whether blocks have the bias by time. Defaults to `True`.
        position_bias: Boolean, whether blocks have the bias by position. Defaults to
            `True`.
        rezero: Boolean, whether a gate that starts at 0 multiplies the branch (ReZero).
            A new block is then exactly the identity. Defaults to `False`.
        chunk_size: Integer, how many queries to process at a time, or `None` for
            all. With chunks, the backward pass computes the attention weights again.
            Memory then holds only `batch * num_heads * chunk_size * time` attention
            weights at once. Without chunks, it holds
            `batch * num_heads * time * time` for each block. Hidden states and
            gradients are the same as without chunks. On JAX, a model with chunks can
            only be exported for histories of one length. Defaults to `None`.
        **kwargs: Other arguments of a Keras layer.

    Call arguments:
        x: Tensor of shape `(batch, time, dim)`, `time` at most `max_length`.
        training: Boolean or `None`. Units are dropped only in training.
        context: Dict. `"is_item"`, boolean tensor of shape `(batch, time)`, tells items
            from padding; without it every position is an item. `"timestamps"` and
            `"next_timestamps"`, integer tensors of the same shape, are the times in
            seconds of each position's event and of the event after it; the time bias
            needs them.

    Returns:
        Tensor of shape `(batch, time, dim)`. Position `t` depends on positions up to
        `t`, and on the time of the event after it.

    Raises:
        ArgumentError: If an argument is invalid. If the input is too long. If
            `time_bias` is `True` but the context has no times.

    Example:

    ```python
    stack = sr.layers.HSTUStack(depth=2, dim=50, max_length=200, num_heads=2)
    context = {
        "is_item": items != 0,
        "timestamps": timestamps[:, :-1],
        "next_timestamps": timestamps[:, 1:],
    }
    states = stack(embedded, context=context)
    ```

    Reference:
        [Actions Speak Louder than Words: Trillion-Parameter Sequential Transducers for
        Generative Recommendations, ICML 2024](https://arxiv.org/abs/2402.17152),
        [ReZero is All You Need, UAI 2021](https://arxiv.org/abs/2003.04887)
    """

    def __init__(
        self,
        depth: int,
        dim: int,
        max_length: int,
        num_heads: int = 1,
        qk_dim: int | None = None,
        v_dim: int | None = None,
        dropout: float = 0.0,
        time_bias: bool = True,
        position_bias: bool = True,
        rezero: bool = False,
        chunk_size: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(depth, **kwargs)
        check_integers(dim=dim, max_length=max_length, num_heads=num_heads)
        check_fraction(dropout=dropout)
        if chunk_size is not None:
            check_integer("chunk_size", chunk_size, least=1, why=", or None for all")
        check_bools(time_bias=time_bias, position_bias=position_bias, rezero=rezero)
        self.dim = dim
        self.max_length = max_length
        self.num_heads = num_heads
        self.qk_dim = _head_dim("qk_dim", qk_dim, dim, num_heads)
        self.v_dim = _head_dim("v_dim", v_dim, dim, num_heads)
        self.dropout = dropout
        self.time_bias = time_bias
        self.position_bias = position_bias
        self.rezero = rezero
        self.chunk_size = chunk_size
        self.seed_generator = seed_generator(f"{self.name}_seed_generator")

    @property
    def details(self) -> str:
        biases = {"time": self.time_bias, "position": self.position_bias}
        used = " and ".join(name for name, is_used in biases.items() if is_used)
        return f"heads {self.num_heads}, bias by {used or 'nothing'}"

    def block_weights(self) -> dict[str, BlockWeight]:
        width = self.num_heads * self.v_dim
        weights = {
            "input_kernel": _normal((self.dim, sum(self._widths()))),
            "output_kernel": BlockWeight(
                (width, self.dim),
                lambda seed: GlorotUniform(seed=seed),
                release_copies=True,
            ),
            "output_bias": BlockWeight(
                (self.dim,), lambda seed: Zeros(), release_copies=True
            ),
        }
        for name, size in (("input", self.dim), ("attention", width)):
            weights[f"{name}_norm_scale"] = BlockWeight((size,), lambda seed: Ones())
            weights[f"{name}_norm_shift"] = BlockWeight((size,), lambda seed: Zeros())
        if self.time_bias:
            weights["time_table"] = _normal((NUM_TIME_BUCKETS,))
        if self.position_bias:
            weights["position_table"] = _normal((2 * self.max_length - 1,))
        if self.rezero:
            weights["gate"] = BlockWeight((), lambda seed: Zeros(), gate=True)
        return weights

    def call(
        self, x: Tensor, training: bool | None = None, context: Context = None
    ) -> Tensor:
        self._check_inputs(x, context or {})
        x = super().call(x, training, context)
        return _without_padding(x, context)

    def block(
        self,
        x: Tensor,
        weights: dict[str, Tensor],
        kind: int,
        training: bool | None,
        context: Context = None,
    ) -> Tensor:
        x = _without_padding(x, context)
        h = _normalized(x, weights, "input")
        # silu(0) = 0, so the gate, value, query and key of padding are all 0.
        h = ops.silu(ops.matmul(_without_padding(h, context), weights["input_kernel"]))
        gate, value, query, key = self._split(h)
        h = self._attention(query, key, value, weights, context or {})
        h = ops.cast(_normalized(h, weights, "attention"), x.dtype)
        h = dropout(gate * h, self.dropout, training, self.seed_generator)
        h = ops.matmul(h, weights["output_kernel"]) + weights["output_bias"]
        return x + (weights["gate"] * h if self.rezero else h)

    def _attention(self, query, key, value, weights, context):
        """Returns the float32 outputs of all heads, joined along the last axis."""
        query, key, value = map(self._by_head, (query, key, value))
        tables = {
            name: weights[f"{name}_table"]
            for name in ("time", "position")
            if f"{name}_table" in weights
        }
        times = (context.get("next_timestamps"), context.get("timestamps"))
        sizes = self.max_length, self.chunk_size
        h = hstu_attention(query, key, value, tables, times, *sizes)
        return ops.reshape(h, (*ops.shape(h)[:2], self.num_heads * self.v_dim))

    def _widths(self):
        """Widths of the parts of a block's first product: gate, value, query, key."""
        v, qk = self.num_heads * self.v_dim, self.num_heads * self.qk_dim
        return v, v, qk, qk

    def _split(self, h):
        gate, value, query, _ = self._widths()
        return ops.split(h, (gate, gate + value, gate + value + query), axis=-1)

    def _by_head(self, x):
        dim = x.shape[-1] // self.num_heads
        return ops.reshape(x, (*ops.shape(x)[:2], self.num_heads, dim))

    def _check_inputs(self, x, context):
        length = x.shape[1]
        if isinstance(length, int) and length > self.max_length:
            raise ArgumentError(
                "x",
                f"has {length} positions, more than max_length={self.max_length}",
                "Give the last ones, or build the stack with a greater max_length.",
            )
        if not self.time_bias:
            return
        names = ("timestamps", "next_timestamps")
        missing = [name for name in names if context.get(name) is None]
        if missing:
            raise ArgumentError(
                "context",
                f"has no {' and no '.join(map(repr, missing))}, which the time bias "
                "needs",
                'Give "timestamps", the time of each event in seconds, and '
                '"next_timestamps", that of the event after it, both of shape '
                "(batch, time); or build the stack with time_bias=False.",
            )
        for name in names:
            dtype = keras.backend.standardize_dtype(context[name].dtype)
            if "int" not in dtype:
                raise ArgumentError(
                    f"context[{name!r}]",
                    f"is of dtype {dtype}, which cannot hold seconds since 1970",
                    "Give integers.",
                )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "dim": self.dim,
            "max_length": self.max_length,
            "num_heads": self.num_heads,
            "qk_dim": self.qk_dim,
            "v_dim": self.v_dim,
            "dropout": self.dropout,
            "time_bias": self.time_bias,
            "position_bias": self.position_bias,
            "rezero": self.rezero,
            "chunk_size": self.chunk_size,
        }


def _head_dim(name, given, dim, num_heads):
    if given is not None:
        check_integer(name, given, least=1)
        return given
    if dim % num_heads:
        raise ArgumentError(
            "num_heads",
            f"must divide dim={dim}",
            "Or give qk_dim and v_dim, the widths of a head.",
            num_heads,
        )
    return dim // num_heads


def _normal(shape):
    return BlockWeight(
        shape,
        lambda seed: RandomNormal(stddev=0.02, seed=seed),
        release_copies=True,
    )


def _normalized(x, weights, name):
    scale, shift = weights[f"{name}_norm_scale"], weights[f"{name}_norm_shift"]
    return ops.layer_normalization(x, scale, shift, epsilon=EPSILON)


def _without_padding(x, context):
    is_item = (context or {}).get("is_item")
    if is_item is None:
        return x
    return ops.where(ops.expand_dims(is_item, axis=-1), x, ops.zeros_like(x))
