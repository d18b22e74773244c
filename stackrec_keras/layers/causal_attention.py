from keras import ops

from stackrec_keras.layers.random_numbers import drop_units

MASKED = -1e30


def causal_attention(query, key, value, mask=None, dropout=0.0, seed=None):
    """Scaled dot-product attention in which no position sees later ones.

    Args:
        query: Tensor of shape `(batch, time, heads, head_dim)`.
        key: Tensor of the same shape.
        value: Tensor of the same shape.
        mask: Boolean tensor of shape `(batch, 1, time, time)`, or `None`. It is
            `True` at `[b, 0, i, j]` if position `i` may see position `j`. The output of
            a position that sees nothing is undefined. Defaults to `None`.
        dropout: Float, fraction of attention weights to drop. Defaults to `0.0`.
        seed: A `keras.random.SeedGenerator`, required if `dropout` is not 0. Defaults
            to `None`.

    Returns:
        Tensor of shape `(batch, time, heads, head_dim)`.

    Reference:
        [Attention Is All You Need, NeurIPS 2017](https://arxiv.org/abs/1706.03762)
    """
    if dropout:
        # Keras' fused kernels cannot drop attention weights.
        return _attention_with_dropout(query, key, value, mask, dropout, seed)
    return ops.dot_product_attention(query, key, value, mask=mask, is_causal=True)


def _attention_with_dropout(query, key, value, mask, dropout, seed):
    query = query * query.shape[-1] ** -0.5
    scores = ops.cast(ops.einsum("bqhd,bkhd->bhqk", query, key), "float32")
    position = ops.arange(ops.shape(query)[1], dtype="int32")
    visible = ops.expand_dims(position, 1) >= position
    if mask is not None:
        visible = ops.logical_and(visible, mask)
    weights = ops.softmax(ops.where(visible, scores, MASKED), axis=-1)
    weights = drop_units(weights, dropout, seed)
    return ops.einsum("bhqk,bkhd->bqhd", ops.cast(weights, value.dtype), value)
