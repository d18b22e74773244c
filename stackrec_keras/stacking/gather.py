import numpy as np


def gather(value, sources, fresh=None):
    """Grows an array by one gather along the depth axis.

    Args:
        value: Array of shape `(old, ...)`.
        sources: List of length `new`. An entry is an index into `value`, or `None`.
        fresh: Array of shape `(new, ...)`, used where a source is `None`. Defaults to
            `None`, which stands for zeros.

    Returns:
        Array of shape `(new, ...)`.
    """
    if fresh is None:
        fresh = np.zeros((len(sources), *value.shape[1:]), value.dtype)
    grown = np.array(fresh)
    carried = [i for i, source in enumerate(sources) if source is not None]
    if carried:
        grown[carried] = value[[sources[i] for i in carried]]
    return grown
