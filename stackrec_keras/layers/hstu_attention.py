"""HSTU's attention: SiLU of the scores in place of their softmax."""

from keras import ops

from stackrec_keras.layers.bias_indices import (
    gather_bias,
    relative_positions,
    time_buckets,
)


def hstu_attention(query, key, value, tables, times, max_length, chunk_size=None):
    """Causal attention with SiLU weights and relative biases.

    Computes `silu(query key^T + bias) value / max_length`. Keys and values of padding
    must be 0, so that padding adds nothing.

    Args:
        query: Tensor of shape `(batch, time, heads, qk_dim)`.
        key: Tensor of the same shape.
        value: Tensor of shape `(batch, time, heads, v_dim)`.
        tables: Dict with the biases in use: `"time"`, tensor of shape `(129,)`, and
            `"position"`, tensor of shape `(2 * max_length - 1,)`.
        times: Pair of integer tensors of shape `(batch, time)`. For each position, the
            first holds the time of the next event, and the second the time of the
            position's own event. They are used only if `tables` has `"time"`.
        max_length: Integer, the constant that the sum over keys is divided by.
        chunk_size: Integer, how many queries to process at a time, in the forward and
            the backward pass. Defaults to `None`: all at once, and the attention
            weights are kept for the backward pass.

    Returns:
        float32 tensor of shape `(batch, time, heads, v_dim)`.

    Reference:
        [Actions Speak Louder than Words, ICML 2024](https://arxiv.org/abs/2402.17152)
    """
    rows = _Rows(list(tables), times, max_length)
    arguments = (query, key, value, *tables.values())
    if chunk_size is None:
        output = rows.attend(slice(None), *arguments)
    else:
        # An unknown length counts as `max_length`, so the last chunks may be empty.
        length = query.shape[1]
        length = length if isinstance(length, int) else max_length
        starts = range(0, length, chunk_size)
        chunks = [slice(start, min(start + chunk_size, length)) for start in starts]
        output = _chunked(rows, chunks)(*arguments)
    return output / max_length


def _chunked(rows, chunks):
    """Attention in chunks of queries, with its own gradient function: automatic
    differentiation would keep the attention weights of all chunks."""

    @ops.custom_gradient
    def attention(*arguments):
        def gradient(*upstreams, upstream=None):
            upstream = upstreams[0] if upstream is None else upstream
            return _sum_gradients(rows, chunks, arguments, upstream)

        outputs = [rows.attend(chunk, *arguments) for chunk in chunks]
        return ops.concatenate(outputs, axis=1), gradient

    return attention


def _sum_gradients(rows, chunks, arguments, upstream):
    length = ops.shape(arguments[0])[1]
    d_queries, sums = [], None
    for chunk in chunks:
        d_query, *rest = rows.gradients(chunk, upstream, *arguments)
        d_queries.append(d_query)
        d_key, d_value, *d_tables = rest
        parts = [_padded(d_key, length), _padded(d_value, length), *d_tables]
        sums = parts if sums is None else [a + b for a, b in zip(sums, parts)]
    gradients = [ops.concatenate(d_queries, axis=1), *sums]
    return tuple(ops.cast(g, x.dtype) for g, x in zip(gradients, arguments))


def _padded(x, length):
    """Appends zero gradients for the later keys, which a chunk's queries cannot see."""
    return ops.pad(x, [[0, 0], [0, length - ops.shape(x)[1]], [0, 0], [0, 0]])


class _Rows:
    """Attention of a slice of queries to all keys that they may see.

    Args:
        names: List of the names of the tables.
        times: Pair of tensors, as in `hstu_attention`.
        max_length: Integer.
    """

    def __init__(self, names, times, max_length):
        self.names = names
        self.times = times
        self.max_length = max_length

    def attend(self, rows, query, key, value, *tables):
        scores, seen, _ = self._scores(rows, query, key, tables)
        value = value[:, : rows.stop]
        weights = _weights(scores, seen, value.dtype)
        output = ops.einsum("bhqk,bkhd->bqhd", weights, value)
        return ops.cast(output, "float32")

    def gradients(self, rows, upstream, query, key, value, *tables):
        """Returns float32 gradients for a slice's queries, for the keys and values that
        they see, and for the tables."""
        scores, seen, indices = self._scores(rows, query, key, tables)
        query = query[:, rows]
        key, value = key[:, : rows.stop], value[:, : rows.stop]
        upstream = ops.cast(upstream[:, rows], value.dtype)
        d_weights = ops.einsum("bqhd,bkhd->bhqk", upstream, value)
        sigmoid = ops.sigmoid(scores)
        d_silu = sigmoid * (1 + scores * (1 - sigmoid))
        d_scores = ops.cast(d_weights, "float32") * ops.where(seen, d_silu, 0.0)
        d_products = ops.cast(d_scores, query.dtype)
        weights = _weights(scores, seen, value.dtype)
        gradients = [
            ops.einsum("bhqk,bkhd->bqhd", d_products, key),
            ops.einsum("bhqk,bqhd->bkhd", d_products, query),
            ops.einsum("bhqk,bqhd->bkhd", weights, upstream),
        ]
        d_tables = [
            _table_gradient(d_scores, index, table.shape[0])
            for index, table in zip(indices, tables)
        ]
        return *(ops.cast(g, "float32") for g in gradients), *d_tables

    def _scores(self, rows, query, key, tables):
        """Returns float32 scores `(batch, heads, queries, keys)`, the causal mask, and
        for each table the index of the bias that each score got."""
        position = ops.arange(ops.shape(query)[1], dtype="int32")
        queries, keys = position[rows], position[: rows.stop]
        query, key = query[:, rows], key[:, : rows.stop]
        scores = ops.cast(ops.einsum("bqhd,bkhd->bhqk", query, key), "float32")
        indices = [self._index(name, rows, queries, keys) for name in self.names]
        for index, table in zip(indices, tables):
            bias = ops.cast(gather_bias(table, index), "float32")
            scores = scores + ops.expand_dims(bias, axis=-3)
        return scores, ops.expand_dims(queries, axis=1) >= keys, indices

    def _index(self, name, rows, queries, keys):
        if name == "position":
            return relative_positions(queries, keys, self.max_length)
        next_timestamps, timestamps = self.times
        return time_buckets(next_timestamps[:, rows], timestamps[:, : rows.stop])


def _weights(scores, seen, dtype):
    return ops.cast(ops.where(seen, ops.silu(scores), 0.0), dtype)


def _table_gradient(d_scores, index, size):
    """Sums, for each table entry, the gradients of the scores that used the entry."""
    # The index of positions has no batch axis, because all rows share it.
    axes = (0, 1) if len(index.shape) == 2 else 1
    d_bias = ops.sum(d_scores, axis=axes)
    return ops.segment_sum(ops.ravel(d_bias), ops.ravel(index), num_segments=size)
