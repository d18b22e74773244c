"""Softmax cross-entropy and its gradients in one pass over the positions.

The plain form keeps the logits of all positions, in float32, until the backward pass.
Here, each chunk of positions gets its logits, losses and gradients before the next one
starts. With a small catalogue, logits then never leave the processor's caches.
"""

import keras
from keras import ops

from stackrec_keras.layers.tracing import is_on_one_cpu, loop_over_chunks
from stackrec_keras.losses.cross_entropy import mask_padding, target_logits

# Positions per chunk; benchmarks/output_layer.py compares other values.
ROWS = 256
# Logits per chunk, 256 MB. This limit matters above 262,144 items.
LOGITS = 2**26


def pays_in_one_pass(hidden):
    """Returns whether `weighted_cross_entropy` is best for these hidden states.

    It is best only on a single CPU. A GPU is faster with a few large operations, and if
    JAX splits a batch over devices, each device would compute every chunk.
    """
    return hidden.shape[0] != 0 and is_on_one_cpu(hidden)


def weighted_cross_entropy(
    targets, hidden, table, bias, weights, include_padding=False
):
    """Returns `sum(weights * cross_entropy(...))`, with gradients from the same pass.

    Args:
        targets: Integer tensor of shape `(positions,)`, 0 where there is no target.
        hidden: Tensor of shape `(positions, dim)`. Products are computed in its dtype,
            the softmax in float32.
        table: Tensor of shape `(num_items + 1, dim)`.
        bias: Tensor of shape `(num_items + 1,)`.
        weights: float32 tensor of shape `(positions,)`, 0 where there is no target.
        include_padding: Boolean, whether class 0 is in the denominator. Defaults to
            `False`.

    Returns:
        A float32 scalar.
    """

    def compare(logits, scores, places):
        chances, scale, normalizers = _softmax(logits, hidden.dtype)
        return normalizers - scores, chances, scale, -ops.ones_like(scores)

    bias = ops.cast(bias, "float32")
    scores = target_logits(targets, hidden, table, bias)
    if not include_padding:
        bias = mask_padding(bias)
    return weighted_sum(compare, targets != 0, hidden, table, bias, scores, weights)


def weighted_sum(compare, has_target, hidden, table, bias, scores, weights):
    """Returns the weighted sum of losses that compare the score of each position's
    target with logits, `hidden @ table[j] + bias[j]`.

    The weights must be known here, because this pass already sums the table's gradient
    over all positions. Multiplying the result later scales all gradients alike.
    Positions without a target are left out.

    Args:
        compare: Function of a chunk's logits `(rows, classes)`, its targets' scores
            `(rows,)` and the places of its positions among all, `(rows,)`. It returns
            their losses `(rows,)`; the slopes of the losses by the logits, as a matrix
            `(rows, classes)` and a factor for each of its rows `(rows,)`; and the
            slopes by the scores `(rows,)`.
        has_target: Boolean tensor of shape `(positions,)`.
        hidden: Tensor of shape `(positions, dim)`. Products are computed in its dtype.
        table: Tensor of shape `(classes, dim)`.
        bias: float32 tensor of shape `(classes,)`.
        scores: float32 tensor of shape `(positions,)`.
        weights: float32 tensor of shape `(positions,)`, 0 where there is no target.

    Returns:
        A float32 scalar.
    """
    rows = max(1, min(ROWS, hidden.shape[0] or ROWS, LOGITS // table.shape[0]))
    packed = _Packed(has_target, rows)
    hidden_dtype, table_dtype = hidden.dtype, table.dtype

    @ops.custom_gradient
    def in_one_pass(hidden, table, bias, scores, weights):
        states, own, given = (packed.pack(x) for x in (hidden, scores, weights))
        given = ops.where(packed.is_taken, given, 0.0)
        vectors = ops.cast(table, hidden.dtype)

        def chunk(index, sums):
            part = [packed.chunk(index, x) for x in (states, own, given, packed.order)]
            outputs, changes = _chunk(compare, *part, vectors, bias)
            return outputs, tuple(a + b for a, b in zip(sums, changes, strict=True))

        outputs = tuple(ops.zeros_like(x, dtype="float32") for x in (own, own, states))
        sums = tuple(ops.zeros_like(x, dtype="float32") for x in (table, bias))
        outputs, sums = loop_over_chunks(chunk, packed.num_chunks, rows, outputs, sums)
        losses, d_scores, d_states = outputs

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            d_table, d_bias = sums
            return (
                ops.cast(packed.unpack(d_states) * upstream, hidden_dtype),
                ops.cast(d_table * upstream, table_dtype),
                d_bias * upstream,
                packed.unpack(d_scores) * upstream,
                packed.unpack(losses) * upstream,
            )

        return ops.sum(losses * given[: losses.shape[0]]), gradient

    return in_one_pass(hidden, table, bias, scores, weights)


def _chunk(compare, states, scores, weights, places, vectors, bias):
    """Returns `(losses, d_scores, d_states)` of a chunk's positions, and
    `(d_vectors, d_bias)`, the gradients of the weighted sum of the losses."""
    logits = ops.cast(ops.matmul(states, ops.transpose(vectors)), "float32") + bias
    losses, slopes, scale, d_scores = compare(logits, scores, places)
    scale = scale * weights
    d_bias = ops.matmul(ops.expand_dims(scale, 0), slopes)[0]
    slopes = ops.cast(slopes, states.dtype)
    scale = ops.expand_dims(scale, -1)
    d_states = ops.cast(ops.matmul(slopes, vectors), "float32") * scale
    scaled = states * ops.cast(scale, states.dtype)
    d_vectors = ops.cast(ops.matmul(ops.transpose(slopes), scaled), "float32")
    return (losses, d_scores * weights, d_states), (d_vectors, d_bias)


def _softmax(logits, dtype):
    """Returns a softmax before scaling, its scale factor, and the log of the
    denominator."""
    top = ops.max(logits, axis=-1, keepdims=True)
    is_float32 = keras.backend.standardize_dtype(dtype) == "float32"
    if is_float32 and keras.backend.backend() != "torch":
        # The factor is applied later, to the products, which are smaller.
        powers = ops.exp(logits - top)
        totals = ops.sum(powers, axis=-1)
        return powers, 1 / totals, ops.squeeze(top, -1) + ops.log(totals)
    chances = ops.softmax(logits, axis=-1)
    # The largest probability is 1 / total.
    largest = ops.max(chances, axis=-1)
    return chances, ops.ones_like(largest), ops.squeeze(top, -1) - ops.log(largest)


class _Packed:
    """Positions reordered so that those with a target come first.

    Args:
        has_target: Boolean tensor of shape `(positions,)`.
        rows: Integer, positions per chunk.
    """

    def __init__(self, has_target, rows):
        size = ops.shape(has_target)[0]
        ones = ops.cast(has_target, "int32")
        ranks, count = ops.cumsum(ones), ops.sum(ones)
        index = ops.arange(size, dtype="int32")
        places = ops.where(has_target, ranks - 1, count + index - ranks)
        slots = -(-size // rows) * rows
        self.rows = rows
        self.has_target = has_target
        self.is_taken = ops.arange(slots, dtype="int32") < count
        # The inverse of `places`. A sort would take longer.
        self.order = ops.segment_sum(index, places, num_segments=slots)
        self.places = ops.maximum(ranks - 1, 0)
        self.num_chunks = (count + rows - 1) // rows

    def pack(self, values):
        return ops.take(values, self.order, axis=0)

    def unpack(self, values):
        """Returns values in the original order, 0 where there is no target."""
        shape = (-1,) + (1,) * (len(values.shape) - 1)
        has_target = ops.reshape(self.has_target, shape)
        return ops.where(has_target, ops.take(values, self.places, axis=0), 0.0)

    def chunk(self, index, values):
        start = (index * self.rows, *(0 for _ in values.shape[1:]))
        return ops.slice(values, start, (self.rows, *values.shape[1:]))
