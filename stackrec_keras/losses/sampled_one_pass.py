"""Losses against drawn negatives, and their gradients, in one pass over the positions.

The plain form gathers the vectors of the negatives and keeps the logits of all
positions until the backward pass. Here, each chunk of positions is multiplied by the
whole table if the catalogue is small enough. Drawn ids then choose among the logits, or
say how often each logit counts, and no vector is gathered.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from stackrec_keras.losses.cross_entropy import target_logits
from stackrec_keras.losses.one_pass import weighted_sum
from stackrec_keras.types import Tensor

# Classes for each negative of a row, and for each negative of a position, up to which a
# pass over the whole table is best; benchmarks/output_layer.py compares both forms.
CLASSES_PER_NEGATIVE = {2: 1.5, 3: 32}


class Sample(NamedTuple):
    """What a loss compares the targets with, and how.

    Attributes:
        ids: int32 tensor, as `negatives.sample_shape` says.
        removes_hits: Boolean, whether each position leaves out its own target.
        compare: Function of logits `(rows, count)`, how often each of them counts (a
            float32 tensor that broadcasts to their shape), and the targets' scores
            `(rows,)`. It returns what the `compare` of `weighted_sum` returns.
        log_expected: float32 tensor that is subtracted from the logits of the
            negatives. Its shape is that of `ids` or `(count,)`. `None` stands for 0.
        log_targets: float32 tensor that is subtracted from the scores of the targets,
            one number for each. `None` stands for 0.
    """

    ids: Tensor
    removes_hits: bool
    compare: Callable
    log_expected: Tensor | None = None
    log_targets: Tensor | None = None


def pays_for_sample(ids, num_classes):
    """Returns whether `weighted_sampled_loss` is best for these ids on a CPU.

    Ids of a batch are scored on their own; others need a pass over the whole table.
    """
    rank = len(ids.shape)
    return rank == 1 or num_classes <= CLASSES_PER_NEGATIVE[rank] * ids.shape[-1]


def weighted_sampled_loss(sample, targets, hidden, table, bias, weights):
    """Returns the weighted sum of the losses of all positions.

    Args:
        sample: A `Sample`.
        targets: int32 tensor of shape `(batch, time)`, 0 where there is no target.
        hidden: Tensor of shape `(batch, time, dim)`.
        table: Tensor of shape `(num_items + 1, dim)`.
        bias: Tensor of shape `(num_items + 1,)`.
        weights: float32 tensor of shape `(batch, time)`, 0 where there is no target.

    Returns:
        A float32 scalar.
    """
    bias = ops.cast(bias, "float32")
    scores = target_logits(targets, hidden, table, bias)
    if sample.log_targets is not None:
        scores = scores - ops.reshape(sample.log_targets, ops.shape(scores))
    rank = len(sample.ids.shape)
    form = (_of_batch, _of_rows, _of_positions)[rank - 1]
    compare, vectors, offsets = form(sample, targets, table, bias)
    states = ops.reshape(hidden, (-1, hidden.shape[-1]))
    if rank == 3:  # in float32, as in the plain form
        states = ops.cast(states, "float32")
    scores, weights = (ops.reshape(x, (-1,)) for x in (scores, weights))
    has_target = ops.reshape(targets, (-1,)) != 0
    return weighted_sum(compare, has_target, states, vectors, offsets, scores, weights)


def _of_batch(sample, targets, table, bias):
    """Scores the drawn items alone."""
    offsets = ops.take(bias, sample.ids, axis=0)
    if sample.log_expected is not None:
        offsets = offsets - sample.log_expected
    ids = ops.expand_dims(sample.ids, 0)
    targets = ops.reshape(targets, (-1,))

    def compare(logits, scores, places):
        own = ops.take(targets, places, axis=0)
        return sample.compare(logits, _counts(sample, ids, own), scores)

    return compare, ops.take(table, sample.ids, axis=0), offsets


def _of_rows(sample, targets, table, bias):
    """Scores all classes, each of which counts as often as its row drew it."""
    num_classes, time = table.shape[0], ops.shape(targets)[1]
    counts, shift = _counts_of_rows(sample, ops.shape(targets)[0], num_classes)
    classes = ops.expand_dims(ops.arange(num_classes, dtype="int32"), 0)
    targets = ops.reshape(targets, (-1,))

    def compare(logits, scores, places):
        own = ops.take(targets, places, axis=0)
        drawn = ops.take(counts, places // time, axis=0)
        return sample.compare(logits, drawn * _counts(sample, classes, own), scores)

    return compare, table, bias - shift


def _of_positions(sample, targets, table, bias):
    """Scores all classes and chooses the drawn ones."""
    count, num_classes = sample.ids.shape[-1], table.shape[0]
    ids = ops.reshape(sample.ids, (-1, count))
    targets = ops.reshape(targets, (-1,))

    def compare(logits, scores, places):
        own = ops.take(targets, places, axis=0)
        drawn = ops.take(ids, places, axis=0)
        chosen = ops.take_along_axis(logits, drawn, axis=1)
        if sample.log_expected is not None:
            chosen = chosen - _rows(sample.log_expected, places)
        counts = _counts(sample, drawn, own)
        losses, slopes, scale, d_scores = sample.compare(chosen, counts, scores)
        return losses, _scattered(drawn, slopes, num_classes), scale, d_scores

    return compare, table, bias


def _counts(sample, ids, own):
    """Returns 0 for each id that is the position's own target and left out, else 1."""
    if not sample.removes_hits:
        return ops.ones((1, 1))
    return ops.cast(ids != ops.expand_dims(own, -1), "float32")


def _counts_of_rows(sample, rows, num_classes):
    """Returns how often each class counts for each row, `(rows, classes)`, if a number
    is subtracted from all logits; and this number."""
    shape, log_expected = (rows, sample.ids.shape[-1]), sample.log_expected
    ids = ops.broadcast_to(sample.ids, shape)  # all rows may share what was drawn
    if log_expected is None:
        return _scattered(ids, ops.ones_like(ids, dtype="float32"), num_classes), 0.0
    # exp(z - log_expected) is exp(z - shift) * exp(shift - log_expected), and the
    # second factor is at most 1.
    shift = ops.min(log_expected)
    counts = ops.broadcast_to(ops.exp(shift - log_expected), shape)
    return _scattered(ids, counts, num_classes), shift


def _rows(values, places):
    if len(values.shape) < 2:
        return values
    return ops.take(ops.reshape(values, (-1, values.shape[-1])), places, axis=0)


def _scattered(ids, values, num_classes):
    """Returns a matrix `(rows, classes)` with the sum of the values of each id."""
    rows = ops.shape(ids)[0]
    starts = ops.expand_dims(ops.arange(rows, dtype="int32") * num_classes, -1)
    places = ops.reshape(ids + starts, (-1, 1))
    sums = ops.zeros((rows * num_classes,), dtype="float32")
    sums = ops.scatter_update(sums, places, ops.reshape(values, (-1,)), reduction="add")
    return ops.reshape(sums, (rows, num_classes))
