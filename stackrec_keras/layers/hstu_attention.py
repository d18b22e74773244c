"""HSTU's attention: SiLU of the scores in place of their softmax."""

from keras import ops

from stackrec_keras.layers.relative_bias import relative_positions, time_buckets


def hstu_attention(query, key, value, tables, times, max_length):
    """Causal attention with SiLU weights and relative biases.

    Computes `silu(query key^T + bias) value / max_length`. Keys and values of padding
    must be 0, so that padding adds nothing.

    Args:
        query: Tensor of shape `(batch, time, heads, qk_dim)`.
        key: Tensor of the same shape.
        value: Tensor of shape `(batch, time, heads, v_dim)`.
        tables: Dict with the biases in use: `"time"`, tensor of shape `(129,)`, and
            `"position"`, tensor of shape `(2 * max_length - 1,)`.
        times: Pair of integer tensors of shape `(batch, time)`, the time of the event
            after each position and of the position itself; used with `"time"`.
        max_length: Integer, the constant that the sum over keys is divided by.

    Returns:
        float32 tensor of shape `(batch, time, heads, v_dim)`.

    Reference:
        [Actions Speak Louder than Words, ICML 2024](https://arxiv.org/abs/2402.17152)
    """
    position = ops.arange(ops.shape(query)[1], dtype="int32")
    indices = {"position": relative_positions(position, position, max_length)}
    if "time" in tables:
        indices["time"] = time_buckets(*times)
    scores = ops.cast(ops.einsum("bqhd,bkhd->bhqk", query, key), "float32")
    for name, table in tables.items():
        scores = scores + _bias(table, indices[name])
    seen = ops.expand_dims(position, axis=1) >= position
    weights = ops.cast(ops.where(seen, ops.silu(scores), 0.0), value.dtype)
    output = ops.einsum("bhqk,bkhd->bqhd", weights, value)
    return ops.cast(output, "float32") / max_length


def _bias(table, index):
    """Bias of shape `(batch or 1, 1, queries, keys)`."""
    bias = ops.cast(ops.take(table, index, axis=0), "float32")
    return ops.expand_dims(bias, axis=-3)
