"""The exact softmax cross-entropy over an item catalogue, as a pure function."""

import keras
from keras import ops

# Finite, so that a row of nothing but masked logits still has a gradient.
MASKED = -1e30

# PyTorch runs each operation over the whole matrix of logits. In pieces that
# fit the processor's caches the same work takes half the time.
EAGER_CHUNK = 512


def cross_entropy(targets, hidden, table, bias, include_padding=False, chunk_size=None):
    """Softmax cross-entropy of each position over the whole catalogue.

    Args:
        targets: Integer tensor of shape `(positions,)`.
        hidden: Tensor of shape `(positions, dim)`. The product with the table
            is taken in its dtype, the softmax in float32.
        table: Tensor of shape `(num_items + 1, dim)`.
        bias: Tensor of shape `(num_items + 1,)`.
        include_padding: Whether class 0 is part of the denominator.
        chunk_size: How many classes to score at a time, or `None` for all.

    Returns:
        A float32 tensor of shape `(positions,)`.
    """
    bias = ops.cast(bias, "float32")
    scores = target_logits(targets, hidden, table, bias)
    if not include_padding:
        bias = mask_padding(bias)
    if chunk_size is None:
        return log_normalizer(hidden, table, bias) - scores
    return chunked_log_normalizer(hidden, table, bias, chunk_size) - scores


def target_logits(targets, hidden, table, bias):
    """The logit of each position's own target, in float32.

    A product with the gathered rows: picking the logit out of the full matrix
    would cost a scatter into a matrix of that size in the backward pass.
    """
    rows = ops.cast(ops.take(table, targets, axis=0), "float32")
    products = ops.cast(hidden, "float32") * rows
    return ops.sum(products, axis=-1) + ops.take(bias, targets, axis=0)


def mask_padding(bias):
    """The bias with class 0 out of reach of any softmax."""
    return ops.where(ops.arange(bias.shape[0], dtype="int32") == 0, MASKED, bias)


def log_normalizer(hidden, table, bias):
    """The log of the softmax denominator of each position, `(positions,)`."""
    if keras.backend.backend() != "torch" or table.shape[0] <= EAGER_CHUNK:
        return ops.logsumexp(_logits(hidden, table, bias), axis=-1)
    # Split, not slices: the gradient of each slice would be a whole table.
    ends = list(range(EAGER_CHUNK, table.shape[0], EAGER_CHUNK))
    chunks = zip(ops.split(table, ends), ops.split(bias, ends), strict=True)
    parts = [
        ops.logsumexp(_logits(hidden, rows, offsets), axis=-1)
        for rows, offsets in chunks
    ]
    return ops.logsumexp(ops.stack(parts, axis=-1), axis=-1)


def chunked_log_normalizer(hidden, table, bias, chunk_size):
    """`log_normalizer` in bounded memory.

    Scores `chunk_size` classes at a time, in the backward pass again. Its
    gradient is written out, as two plain loops: `keras.remat` around each
    chunk leaves XLA free to hold the logits of all chunks at once, and does.
    """
    num_classes, dim = table.shape
    num_chunks = -(-num_classes // chunk_size)
    missing = num_chunks * chunk_size - num_classes
    table = ops.pad(table, [[0, missing], [0, 0]])
    bias = ops.pad(bias, [[0, missing]], constant_values=MASKED)

    @ops.custom_gradient
    def normalizer(hidden, table, bias):
        def chunk(index):
            start = index * chunk_size
            rows = ops.slice(table, (start, 0), (chunk_size, dim))
            rows = ops.cast(rows, hidden.dtype)
            offsets = ops.slice(bias, (start,), (chunk_size,))
            return start, rows, _logits(hidden, rows, offsets)

        def add(index, total):
            _, _, logits = chunk(index)
            return ops.logaddexp(total, ops.logsumexp(logits, axis=-1))

        nothing = ops.full_like(hidden[:, 0], MASKED, dtype="float32")
        total = ops.fori_loop(0, num_chunks, add, nothing)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream

            def add(index, gradients):
                d_hidden, d_table, d_bias = gradients
                start, rows, logits = chunk(index)
                shares = ops.exp(logits - ops.expand_dims(total, axis=-1))
                shares = shares * ops.expand_dims(upstream, axis=-1)
                d_offsets = ops.sum(shares, axis=0)
                shares = ops.cast(shares, hidden.dtype)
                d_rows = ops.matmul(ops.transpose(shares), hidden)
                d_hidden = d_hidden + ops.cast(ops.matmul(shares, rows), "float32")
                d_rows = ops.cast(d_rows, table.dtype)
                d_table = ops.slice_update(d_table, (start, 0), d_rows)
                d_bias = ops.slice_update(d_bias, (start,), d_offsets)
                return d_hidden, d_table, d_bias

            d_hidden, d_table, d_bias = ops.fori_loop(
                0,
                num_chunks,
                add,
                (
                    ops.zeros_like(hidden, dtype="float32"),
                    ops.zeros_like(table),
                    ops.zeros_like(bias),
                ),
            )
            return ops.cast(d_hidden, hidden.dtype), d_table, d_bias

        # On PyTorch a result that its own gradient function holds on to would
        # never be freed; hence a copy.
        return ops.copy(total), gradient

    return normalizer(hidden, table, bias)


def _logits(hidden, table, bias):
    rows = ops.cast(table, hidden.dtype)
    return ops.cast(ops.matmul(hidden, ops.transpose(rows)), "float32") + bias
