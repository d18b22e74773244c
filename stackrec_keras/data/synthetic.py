"""A generated log whose next item depends on items far back."""

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_integer, check_number
from stackrec_keras.errors import ArgumentError

LAGS = (1, 4, 12)


def synthetic(
    num_users: int = 2000,
    num_items: int = 200,
    events_per_user: int = 60,
    num_classes: int = 3,
    noise: float = 0.1,
    popularity: float = 0.7,
    seed: int = 0,
) -> pd.DataFrame:
    """Generates a log whose next item depends on items 1, 4 and 12 steps back.

    Every item belongs to one of `num_classes` hidden classes. Each class has two random
    maps from items to items, `near[class]` and `far[class]`. With probability
    `1 - noise`, the next item is

        near[class of item 4 back](far[class of item 12 back](item 1 back))

    Otherwise, and for a user's first 12 items, the next item is drawn by popularity,
    which falls as `1 / rank ** popularity`. The maps `far` are permutations. The maps
    `near` draw the items that they map to by popularity. Without this, only the noise
    would be skewed.

    Depth therefore helps in two ways: a deep model sees items further back, and it can
    apply one map after the other. With the defaults, the best possible hit rate at rank
    1 is 0.16 for a model that sees only the last item, 0.35 if it also sees the item
    4 or 12 back, and 0.90 (about `1 - noise`) if it sees all three.

    Args:
        num_users: Integer, the number of users. Their ids are 1 to `num_users`.
            Defaults to `2000`.
        num_items: Integer, the number of items. Their ids are 1 to `num_items`.
            Defaults to `200`.
        events_per_user: Integer, the number of events of each user. Defaults to `60`.
        num_classes: Integer, the number of hidden classes, and of maps in each family.
            Defaults to `3`.
        noise: Float from 0 to 1, the probability of an item that does not depend on
            the history. Defaults to `0.1`.
        popularity: Float, the exponent of the popularity law; 0 makes all items
            equally popular. Defaults to `0.7`.
        seed: Integer of at least 0. Defaults to `0`.

    Returns:
        A frame with the columns `user`, `item` and `timestamp` (int64 seconds),
        sorted by user and time.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:

    ```python
    log = synthetic(num_users=500, num_items=100)
    ```
    """
    check_integer("num_users", num_users, 1)
    check_integer("num_items", num_items, 2)
    check_integer("events_per_user", events_per_user, 1)
    check_integer("num_classes", num_classes, 1)
    check_integer("seed", seed, 0)
    check_number("popularity", popularity)
    check_number("noise", noise)
    if not 0 <= noise <= 1:
        raise ArgumentError("noise", "must lie between 0 and 1", received=noise)
    rng = np.random.default_rng(seed)
    cumulative = _cumulative_popularity(num_items, popularity, rng)
    classes = rng.permutation(num_items) % num_classes
    near = _draw(cumulative, rng, (num_classes, num_items))
    far = np.stack([rng.permutation(num_items) for _ in range(num_classes)])
    # Time is the first axis, so that each step reads and writes whole rows.
    items = _draw(cumulative, rng, (events_per_user, num_users))
    kept = rng.random((events_per_user, num_users)) < noise
    one, four, twelve = LAGS
    for step in range(twelve, events_per_user):
        inner = far[classes[items[step - twelve]], items[step - one]]
        ruled = near[classes[items[step - four]], inner]
        items[step] = np.where(kept[step], items[step], ruled)
    return pd.DataFrame(
        {
            "user": np.repeat(np.arange(1, num_users + 1), events_per_user),
            "item": items.T.ravel() + 1,
            "timestamp": _times(rng, num_users, events_per_user).ravel(),
        }
    )


def _cumulative_popularity(num_items, popularity, rng):
    weights = 1.0 / np.arange(1, num_items + 1) ** popularity
    # Ids must not reveal popularity.
    return np.cumsum(rng.permutation(weights / weights.sum()))


def _draw(cumulative, rng, shape):
    drawn = np.searchsorted(cumulative, rng.random(shape), side="right")
    return np.minimum(drawn, len(cumulative) - 1)


def _times(rng, num_users, events_per_user):
    """Draws times: each user starts within a year and acts every few hours."""
    begins = 1_600_000_000 + rng.integers(0, 365 * 86_400, (num_users, 1))
    gaps = rng.integers(60, 86_400, (num_users, events_per_user))
    return begins + np.cumsum(gaps, axis=1)
