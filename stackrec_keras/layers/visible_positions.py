from keras import ops


def visible_positions(is_item):
    """Returns which positions each position may attend to.

    Args:
        is_item: Boolean tensor of shape `(batch, time)`, which positions are not
            padding; or `None`.

    Returns:
        Boolean tensor of shape `(batch, 1, time, time)`: `True` for items, and for each
        position itself, so that leading padding sees something. `None` if `is_item` is
        `None`.
    """
    if is_item is None:
        return None
    position = ops.arange(0, ops.shape(is_item)[1], dtype="int32")
    itself = ops.expand_dims(position, axis=1) == position
    return ops.logical_or(is_item[:, None, None, :], itself)
