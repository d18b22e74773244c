import keras
from keras import ops

MASKED = -1e30


def causal_attention(query, key, value, mask=None, dropout=0.0, seed=None):
    """Scaled dot-product attention in which no position sees a later one.

    Args:
        query: Tensor of shape `(batch, time, heads, head_dim)`.
        key: Tensor of the same shape.
        value: Tensor of the same shape.
        mask: Boolean tensor of shape `(batch, 1, time, time)`, or `None`: whether
            position `t` (third axis) may see a position (fourth axis). Each
            position must see at least one, or its result has no meaning.
        dropout: Float, the share of attention weights that are dropped.
        seed: A `keras.random.SeedGenerator`, needed if `dropout` is not 0.

    Returns:
        Tensor of shape `(batch, time, heads, head_dim)`.

    Reference:
        [Attention Is All You Need, NeurIPS 2017](https://arxiv.org/abs/1706.03762)
    """
    if dropout:
        # Keras has no way to its fused kernels that drops attention weights.
        return _attention(query, key, value, mask, dropout, seed)
    return ops.dot_product_attention(query, key, value, mask=mask, is_causal=True)


def _attention(query, key, value, mask, dropout, seed):
    scale = query.shape[-1] ** -0.5
    scores = ops.einsum("bqhd,bkhd->bhqk", query, key)
    scores = ops.cast(scores, "float32") * scale
    position = ops.arange(ops.shape(query)[1], dtype="int32")
    seen = ops.expand_dims(position, 1) >= position
    if mask is not None:
        seen = ops.logical_and(seen, mask)
    weights = ops.softmax(ops.where(seen, scores, MASKED), axis=-1)
    weights = keras.random.dropout(weights, dropout, seed=seed)
    return ops.einsum("bhqk,bkhd->bqhd", ops.cast(weights, value.dtype), value)
