"""Sets how likely each class is to be drawn, and draws classes accordingly.

Each class has a whole number of shares, and its probability is its fraction of all
shares. So classes are drawn with exactly the probabilities that the loss corrects for.
"""

import numpy as np
from keras import ops

from stackrec_keras.layers.random_numbers import random_integers

RESOLUTION = 2**30
"""Integer, roughly the total number of shares."""


def class_shares(distribution, item_counts, include_padding):
    """Returns how many shares each class has.

    Args:
        distribution: `"popularity"` or `"log_uniform"`, as in `SampledSoftmax`.
        item_counts: Array of shape `(num_items,)`.
        include_padding: Boolean, whether class 0 has shares. It then has as many as
            the most popular item or, with `"log_uniform"`, as the first rank.

    Returns:
        An int64 array of shape `(num_items + 1,)`, at least 1 for each class that may
        be drawn. Its sum fits in an int32.
    """
    counts = np.maximum(item_counts, 1).astype("float64")
    if include_padding:
        counts = np.concatenate([[counts.max()], counts])
    weights = counts
    if distribution == "log_uniform":
        ranks = np.empty(len(counts))
        ranks[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        weights = np.log((ranks + 2) / (ranks + 1))
    shares = np.floor(weights / weights.sum() * RESOLUTION).astype("int64")
    shares = np.maximum(shares, 1)
    return shares if include_padding else np.concatenate([[0], shares])


def draw_classes(shares, shape, seed):
    """Draws classes with replacement, each in proportion to its shares.

    Args:
        shares: What `class_shares` returned.
        shape: Tuple, the shape of the draw.
        seed: A `keras.random.SeedGenerator`.

    Returns:
        An int32 tensor of that shape.
    """
    ends = np.cumsum(shares)
    points = random_integers(shape, 0, int(ends[-1]), seed)
    return find_classes(ends.astype("int32"), points)


def find_classes(ends, points):
    """Returns the class that each point falls in, found by bisection.

    `ops.searchsorted` would be slow: compiled by TensorFlow, it compares every point
    with every class, which takes 0.3 s for 9,200 points and 46,000 classes.

    Args:
        ends: int32 array, ascending, where the shares of each class end.
        points: int32 tensor, at least 0 and below the last end.

    Returns:
        An int32 tensor: for each point, the number of ends at or below it.
    """
    num_classes = len(ends)
    ends = ops.convert_to_tensor(ends)
    passed = ops.zeros_like(points)
    for power in reversed(range(num_classes.bit_length())):
        further = passed + 2**power
        last = ops.take(ends, ops.minimum(further, num_classes) - 1, axis=0)
        passed = ops.where(last <= points, further, passed)
    return passed


def log_expected_counts(shares, count):
    """Returns the log of how often each class is expected among `count` draws.

    Args:
        shares: What `class_shares` returned.
        count: Integer, how many classes are drawn.

    Returns:
        A float32 tensor of shape `(num_items + 1,)`. For a class without shares, the
        value is finite but meaningless.
    """
    expected = np.maximum(shares, 1) / shares.sum() * count
    return ops.convert_to_tensor(np.log(expected).astype("float32"))
