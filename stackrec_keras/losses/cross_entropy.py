"""The exact softmax cross-entropy over an item catalogue."""

import keras
from keras import ops

# Finite, so that a row in which every logit is masked still has a gradient.
MASKED = -1e30

# PyTorch runs each operation over the whole matrix of logits. In chunks that fit the
# processor's caches, the same work takes half the time.
EAGER_CHUNK = 512


def cross_entropy(targets, hidden, table, bias, include_padding=False, chunk_size=None):
    """Returns each position's softmax cross-entropy over the whole catalogue.

    It is `log(sum_j exp(hidden @ table[j] + bias[j])) - score of the target`.

    Args:
        targets: Integer tensor of shape `(positions,)`.
        hidden: Tensor of shape `(positions, dim)`. The product with the table is
            computed in this tensor's dtype, the softmax in float32.
        table: Tensor of shape `(num_items + 1, dim)`.
        bias: Tensor of shape `(num_items + 1,)`.
        include_padding: Boolean, whether class 0 is in the denominator. Defaults to
            `False`.
        chunk_size: Integer, how many classes to score at a time. Defaults to `None`,
            all of them.

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
    """Returns the logit of each position's own target, in float32.

    It multiplies each hidden state by the row of its target. If it picked logits from
    the full matrix, the backward pass would scatter into another matrix of that size.
    """
    rows = ops.cast(ops.take(table, targets, axis=0), "float32")
    products = ops.cast(hidden, "float32") * rows
    return ops.sum(products, axis=-1) + ops.take(bias, targets, axis=0)


def mask_padding(bias):
    """Returns the bias with class 0 masked, so that its probability is 0."""
    return ops.where(ops.arange(bias.shape[0], dtype="int32") == 0, MASKED, bias)


def log_normalizer(hidden, table, bias):
    """Returns the log of each position's softmax denominator, `(positions,)`."""
    if keras.backend.backend() != "torch" or table.shape[0] <= EAGER_CHUNK:
        return ops.logsumexp(_logits(hidden, table, bias), axis=-1)
    # The table is split, not sliced, because the gradient of each slice would be as
    # large as the table.
    ends = list(range(EAGER_CHUNK, table.shape[0], EAGER_CHUNK))
    chunks = zip(ops.split(table, ends), ops.split(bias, ends), strict=True)
    parts = [
        ops.logsumexp(_logits(hidden, rows, offsets), axis=-1)
        for rows, offsets in chunks
    ]
    return ops.logsumexp(ops.stack(parts, axis=-1), axis=-1)


def chunked_log_normalizer(hidden, table, bias, chunk_size):
    """Returns what `log_normalizer` does, in bounded memory.

    It scores `chunk_size` classes at a time, and again in the backward pass, where a
    separate loop computes the gradient. `keras.remat` around each chunk would not save
    memory, because XLA would hold the logits of all chunks at once.
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
                chances = ops.exp(logits - ops.expand_dims(total, axis=-1))
                d_logits = chances * ops.expand_dims(upstream, axis=-1)
                d_offsets = ops.sum(d_logits, axis=0)
                d_logits = ops.cast(d_logits, hidden.dtype)
                d_rows = ops.matmul(ops.transpose(d_logits), hidden)
                d_hidden = d_hidden + ops.cast(ops.matmul(d_logits, rows), "float32")
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

        # Return a copy: PyTorch never frees a result that its gradient function holds.
        return ops.copy(total), gradient

    return normalizer(hidden, table, bias)


def _logits(hidden, table, bias):
    rows = ops.cast(table, hidden.dtype)
    return ops.cast(ops.matmul(hidden, ops.transpose(rows)), "float32") + bias
