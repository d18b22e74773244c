from keras import ops


def visible_positions(is_item):
    """Returns a mask of the positions that each position may attend to.

    Args:
        is_item: Boolean tensor of shape `(batch, time)`, `True` where a position is not
            padding; or `None`.

    Returns:
        Boolean tensor of shape `(batch, 1, time, time)`. Its last two axes are the
        attending position and the position attended to. It is `True` if the latter is
        an item or both are the same, so that even leading padding has a position to
        attend to. `None` if `is_item` is `None`.
    """
    if is_item is None:
        return None
    position = ops.arange(0, ops.shape(is_item)[1], dtype="int32")
    itself = ops.expand_dims(position, axis=1) == position
    return ops.logical_or(is_item[:, None, None, :], itself)
