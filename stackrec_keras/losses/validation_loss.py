from keras import ops


def validation_losses(y_true, scores):
    """The exact softmax cross-entropy of each next item, whatever the training loss.

    Args:
        y_true: Integer tensor of shape `(batch,)`, 0 = no target in this row.
        scores: Tensor of shape `(batch, num_items + 1)`, the padding at -inf.

    Returns:
        A float32 tensor of shape `(batch,)`, 0 where there is no target.
    """
    scores = ops.cast(scores, "float32")
    # Class 1 stands in where there is no target: the padding's score is -inf.
    targets = ops.expand_dims(ops.maximum(ops.cast(y_true, "int32"), 1), axis=1)
    of_targets = ops.squeeze(ops.take_along_axis(scores, targets, axis=1), axis=1)
    return ops.where(y_true == 0, 0.0, ops.logsumexp(scores, axis=1) - of_targets)


def row_weights(y_true, sample_weight=None):
    """What each row of an evaluation counts for.

    Args:
        y_true: Integer tensor of shape `(batch,)`, 0 = no target in this row.
        sample_weight: `None` or a tensor of shape `(batch,)`; of one of shape
            `(batch, time)` the last position counts.

    Returns:
        A float32 tensor of shape `(batch,)`, 0 where there is no target.
    """
    if sample_weight is None:
        return ops.cast(y_true != 0, "float32")
    weights = ops.cast(last_of_row(sample_weight, y_true), "float32")
    return ops.where(y_true != 0, weights, 0.0)


def last_of_row(values, rows):
    """The value of each row of `values`, `(batch,)`, or its last, `(batch, time)`.

    A reshape does for both: on TensorFlow not even the rank is known once a function
    has been called with either.
    """
    return ops.reshape(values, (ops.shape(rows)[0], -1))[:, -1]
