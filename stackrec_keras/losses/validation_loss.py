from keras import ops


def validation_loss(y_true, scores, sample_weight=None):
    """The exact softmax cross-entropy of the next item, whatever the training loss.

    Args:
        y_true: Integer tensor of shape `(batch,)`, 0 = no target in this row.
        scores: Tensor of shape `(batch, num_items + 1)`, the padding at -inf.
        sample_weight: `None` or a tensor of shape `(batch,)`; of one of shape
            `(batch, time)` the last position counts.

    Returns:
        A float32 scalar: the weighted mean over the rows that have a target, or 0
        if none has one.
    """
    scores = ops.cast(scores, "float32")
    weights = ops.cast(y_true != 0, "float32")
    if sample_weight is not None:
        of_rows = ops.cast(last_of_row(sample_weight, scores), "float32")
        weights = ops.where(y_true != 0, of_rows, 0.0)
    # Class 1 stands in where there is no target: the padding's score is -inf.
    targets = ops.expand_dims(ops.maximum(ops.cast(y_true, "int32"), 1), axis=1)
    of_targets = ops.squeeze(ops.take_along_axis(scores, targets, axis=1), axis=1)
    losses = ops.logsumexp(scores, axis=1) - of_targets
    total = ops.sum(weights)
    weighted = ops.where(weights == 0, 0.0, losses * weights)
    return ops.sum(weighted) / ops.where(total == 0, 1.0, total)


def last_of_row(values, scores):
    """The value of each row of `values`, `(batch,)`, or its last, `(batch, time)`.

    A reshape does for both: on TensorFlow not even the rank is known once a function
    has been called with either.
    """
    return ops.reshape(values, (ops.shape(scores)[0], -1))[:, -1]
