"""Softmax cross-entropy and its gradients in one pass over the positions.

The plain form keeps the logits of all positions, in float32, until the backward pass.
Here, a chunk of positions gets its logits, losses and gradients before the next one
starts, so that logits never leave the processor's caches if the catalogue is small.
"""

import keras
from keras import ops

from stackrec_keras.losses.cross_entropy import mask_padding, target_logits

# Positions at a time; benchmarks/output_layer.py compares others.
ROWS = 256
# Logits at a time, 256 MB. It bounds the memory of a catalogue above 262,144 items.
LOGITS = 2**26


def pays_in_one_pass(hidden):
    """Returns whether `weighted_cross_entropy` is the best form for hidden states.

    A GPU prefers few large operations. If JAX shares a batch out over devices, each of
    them would compute every chunk.
    """
    if hidden.shape[0] == 0:
        return False
    if keras.backend.backend() == "torch":
        return hidden.device.type == "cpu"
    if keras.distribution.distribution() is not None:
        return False
    return keras.distribution.list_devices()[0].startswith("cpu")


def weighted_cross_entropy(
    targets, hidden, table, bias, weights, include_padding=False
):
    """Returns `sum(weights * cross_entropy(...))`, and computes its gradients with it.

    The weights take part because a gradient of the table adds up the positions, each
    times its weight. What the sum is multiplied by later then multiplies all gradients
    alike. Positions without a target are left out.

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
    rows = max(1, min(ROWS, hidden.shape[0] or ROWS, LOGITS // table.shape[0]))
    packed = _Packed(targets != 0, rows)

    @ops.custom_gradient
    def weighted_sum(hidden, table, bias, scores, weights):
        states, own, given = (packed.pack(x) for x in (hidden, scores, weights))
        given = ops.where(packed.is_taken, given, 0.0)
        vectors = ops.cast(table, hidden.dtype)

        def chunk(index, sums):
            part = packed.chunk(index, states), packed.chunk(index, given)
            normalizers, d_states, *changes = _chunk(*part, vectors, bias)
            losses = normalizers - packed.chunk(index, own)
            sums = tuple(a + b for a, b in zip(sums, changes, strict=True))
            return losses, d_states, sums

        zeros = ops.zeros_like(table, dtype="float32"), ops.zeros_like(bias)
        losses, d_states, (d_table, d_bias) = packed.loop(chunk, zeros, states)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return (
                ops.cast(packed.unpack(d_states) * upstream, hidden_dtype),
                ops.cast(d_table * upstream, table_dtype),
                d_bias * upstream,
                -weights * upstream,
                packed.unpack(losses) * upstream,
            )

        return ops.sum(losses * given[: losses.shape[0]]), gradient

    hidden_dtype, table_dtype = hidden.dtype, table.dtype
    bias = ops.cast(bias, "float32")
    scores = target_logits(targets, hidden, table, bias)
    if not include_padding:
        bias = mask_padding(bias)
    return weighted_sum(hidden, table, bias, scores, weights)


def _chunk(states, weights, vectors, bias):
    """Returns the log of each position's softmax denominator, and the gradients of
    their weighted sum."""
    logits = ops.cast(ops.matmul(states, ops.transpose(vectors)), "float32") + bias
    chances, scale, normalizers = _softmax(logits, states.dtype)
    scale = scale * weights
    d_bias = ops.matmul(ops.expand_dims(scale, 0), chances)[0]
    chances = ops.cast(chances, states.dtype)
    scale = ops.expand_dims(scale, -1)
    d_states = ops.cast(ops.matmul(chances, vectors), "float32") * scale
    scaled = states * ops.cast(scale, states.dtype)
    d_table = ops.matmul(ops.transpose(chances), scaled)
    return normalizers, d_states, ops.cast(d_table, "float32"), d_bias


def _softmax(logits, dtype):
    """Returns the softmax, what it still has to be multiplied by, and the log of the
    denominator."""
    top = ops.max(logits, axis=-1, keepdims=True)
    is_float32 = keras.backend.standardize_dtype(dtype) == "float32"
    if is_float32 and keras.backend.backend() != "torch":
        # The division is left to the products, which are smaller.
        powers = ops.exp(logits - top)
        totals = ops.sum(powers, axis=-1)
        return powers, 1 / totals, ops.squeeze(top, -1) + ops.log(totals)
    chances = ops.softmax(logits, axis=-1)
    # The largest one is 1 / total.
    largest = ops.max(chances, axis=-1)
    return chances, ops.ones_like(largest), ops.squeeze(top, -1) - ops.log(largest)


class _Packed:
    """Positions in an order in which those with a target come first.

    Args:
        has_target: Boolean tensor of shape `(positions,)`.
        rows: Integer, positions of a chunk.
    """

    def __init__(self, has_target, rows):
        size = ops.shape(has_target)[0]
        ones = ops.cast(has_target, "int32")
        ranks, count = ops.cumsum(ones), ops.sum(ones)
        index = ops.arange(size, dtype="int32")
        places = ops.where(has_target, ranks - 1, count + index - ranks)
        slots = ops.arange(-(-size // rows) * rows, dtype="int32")
        self.rows = rows
        self.has_target = has_target
        self.is_taken = slots < count
        # The inverse of `places`. A sort would take longer.
        order = ops.segment_sum(index, places, num_segments=size)
        self.order = ops.take(order, ops.minimum(slots, size - 1))
        self.places = ops.maximum(ranks - 1, 0)
        self.num_chunks = (count + rows - 1) // rows

    def pack(self, values):
        return ops.take(values, self.order, axis=0)

    def unpack(self, values):
        """Returns values in the old order, 0 where there is no target."""
        shape = (-1,) + (1,) * (len(values.shape) - 1)
        has_target = ops.reshape(self.has_target, shape)
        return ops.where(has_target, ops.take(values, self.places, axis=0), 0.0)

    def chunk(self, index, values):
        start = (index * self.rows, *(0 for _ in values.shape[1:]))
        return ops.slice(values, start, (self.rows, *values.shape[1:]))

    def loop(self, body, sums, states):
        """Runs `body(index, sums)`, which returns losses, gradients of the states and
        new sums, for each chunk with a target. Returns all of them."""
        if keras.backend.backend() == "torch":
            # An update of a slice would copy the whole tensor.
            losses, gradients = [], []
            for index in range(max(1, int(self.num_chunks))):
                loss, gradient, sums = body(index, sums)
                losses.append(loss)
                gradients.append(gradient)
            return ops.concatenate(losses), ops.concatenate(gradients), sums

        def update(index, values):
            losses, gradients, sums = values
            loss, gradient, sums = body(index, sums)
            start = index * self.rows
            losses = ops.slice_update(losses, (start,), loss)
            return losses, ops.slice_update(gradients, (start, 0), gradient), sums

        nothing = ops.zeros_like(states, dtype="float32")
        initial = ops.zeros_like(nothing[:, 0]), nothing, sums
        return ops.fori_loop(0, self.num_chunks, update, initial)
