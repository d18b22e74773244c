"""Tables of learned biases for how far apart two events are, in time or position."""

import keras
from keras import ops

from stackrec_keras.types import Tensor

NUM_TIME_BUCKETS = 129
_LOG_STEP = 0.301


def time_bias(table: Tensor, next_timestamps: Tensor, timestamps: Tensor) -> Tensor:
    """Looks up a learned bias for the time between each position and earlier ones.

    A position predicts the event that follows it, so time is counted from that event.
    The time is rounded on a logarithmic scale: see `time_buckets`.

    Args:
        table: Tensor of shape `(NUM_TIME_BUCKETS,)`, the biases.
        next_timestamps: Integer tensor of shape `(batch, time)`, the time of the event
            after each position, in seconds.
        timestamps: Integer tensor of the same shape, the time of each event.

    Returns:
        Tensor of shape `(batch, time, time)`: at `[b, t, s]`, the bias of event `s` for
        position `t`. Mask the biases of later events.

    Example:

    ```python
    times = context["next_timestamps"], context["timestamps"]
    scores = scores + time_bias(weights["times"], *times)
    ```
    """
    return gather_bias(table, time_buckets(next_timestamps, timestamps))


def time_buckets(next_timestamps: Tensor, timestamps: Tensor) -> Tensor:
    """Returns the bucket of the time between each query and each key.

    The query at position `t` predicts the event that follows it, so time is counted
    from that event. The bucket is `int(log(max(1, |seconds|)) / 0.301)`, at most 128:
    about seven buckets per factor of eight.

    Args:
        next_timestamps: Integer tensor of shape `(batch, queries)`, seconds.
        timestamps: Integer tensor of shape `(batch, keys)`, seconds.

    Returns:
        Integer tensor of shape `(batch, queries, keys)`, from 0 to 128.
    """
    # Seconds since 1970 do not fit in float32, but their differences do. On JAX,
    # integers have 32 bits, which can hold differences of at most 68 years.
    dtype = "int32" if keras.backend.backend() == "jax" else "int64"
    queries = ops.expand_dims(ops.cast(next_timestamps, dtype), axis=2)
    keys = ops.expand_dims(ops.cast(timestamps, dtype), axis=1)
    seconds = ops.maximum(ops.cast(ops.abs(queries - keys), "float32"), 1.0)
    buckets = ops.cast(ops.log(seconds) / _LOG_STEP, "int32")
    return ops.minimum(buckets, NUM_TIME_BUCKETS - 1)


def relative_positions(queries: Tensor, keys: Tensor, max_length: int) -> Tensor:
    """Returns, for each pair of positions, its index in a table of relative positions.

    Args:
        queries: Integer tensor of shape `(queries,)`, positions.
        keys: Integer tensor of shape `(keys,)`, positions.
        max_length: Integer; the table has `2 * max_length - 1` entries.

    Returns:
        Integer tensor of shape `(queries, keys)`; `max_length - 1` where the two
        positions are equal, less where the key comes first.
    """
    return keys - ops.expand_dims(queries, axis=1) + (max_length - 1)


def gather_bias(table: Tensor, index: Tensor) -> Tensor:
    """Returns a table's entries at the indices in an integer tensor of any shape."""
    if keras.backend.backend() == "jax":
        return ops.take(table, index, axis=0)
    # On PyTorch, the gradient of `ops.take` is a thousand times slower than that of
    # `ops.take_along_axis`.
    values = ops.take_along_axis(table, ops.ravel(index), axis=0)
    return ops.reshape(values, ops.shape(index))
