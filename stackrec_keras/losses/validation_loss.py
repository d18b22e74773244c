"""The loss of an evaluation, from the same scores as its metrics."""

from keras import ops


def validation_losses(y_true, scores):
    """Returns the softmax cross-entropy of each next item, whatever the training loss.

    Args:
        y_true: Integer tensor of shape `(batch,)`, 0 in a row without a target.
        scores: Tensor of shape `(batch, num_items + 1)`, -inf for the padding.

    Returns:
        A float32 tensor of shape `(batch,)`, 0 where there is no target.
    """
    scores = ops.cast(scores, "float32")
    # Class 1 stands in for a missing target, because the padding's score is -inf.
    targets = ops.expand_dims(ops.maximum(ops.cast(y_true, "int32"), 1), axis=1)
    of_targets = ops.squeeze(ops.take_along_axis(scores, targets, axis=1), axis=1)
    return ops.where(y_true == 0, 0.0, ops.logsumexp(scores, axis=1) - of_targets)


def row_weights(y_true, sample_weight=None):
    """Returns the weight of each row in an evaluation.

    Args:
        y_true: Integer tensor of shape `(batch,)`, 0 in a row without a target.
        sample_weight: Tensor of shape `(batch,)` or `(batch, time)`; with
            `(batch, time)`, only the last position counts. Defaults to `None`: each row
            has the weight 1.

    Returns:
        A float32 tensor of shape `(batch,)`, 0 where there is no target.
    """
    if sample_weight is None:
        return ops.cast(y_true != 0, "float32")
    weights = ops.cast(last_of_row(sample_weight, y_true), "float32")
    return ops.where(y_true != 0, weights, 0.0)


def last_of_row(values, rows):
    """Returns one value for each row.

    If `values` is `(batch, time)`, this is the row's last value. If `values` is
    `(batch,)`, it is returned as it is.

    A reshape works for both shapes. A test of the rank would not: in a TensorFlow
    function that has been called with both shapes, the rank is unknown.
    """
    return ops.reshape(values, (ops.shape(rows)[0], -1))[:, -1]
