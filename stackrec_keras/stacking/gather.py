import numpy as np


def gather(value, sources, fresh):
    """A growth is this one gather along the depth axis.

    Args:
        value: Array of shape `(old, ...)`.
        sources: List of `new` entries, each an index into `value` or `None`.
        fresh: Array of shape `(new, ...)` with the slices for the `None`s.

    Returns:
        Array of shape `(new, ...)`.
    """
    grown = np.array(fresh)
    carried = [i for i, source in enumerate(sources) if source is not None]
    if carried:
        grown[carried] = value[[sources[i] for i in carried]]
    return grown
