"""A generated log whose next item takes many steps to work out."""

import numpy as np
import pandas as pd

from stackrec_keras.arguments import check_integer


def synthetic_walks(
    num_users: int = 20_000,
    num_places: int = 8,
    num_moves: int = 2,
    max_moves: int = 40,
    seed: int = 0,
) -> pd.DataFrame:
    """Generates a log of walks, in which a model needs depth to predict the next item.

    Each user walks between places, and the log shows a place only now and then: the
    items are a place, some moves, the place that they lead to, some moves, and so on.
    Each move is a random permutation of the places. Moves are drawn uniformly. Between
    two places there are 1 to `max_moves` moves, with the logarithm of their number
    about uniform. Each move has two items: one for the last move before a place, and
    one for the others. So a model can tell when a place comes next. To know which one,
    it must apply all moves since the last place, one after the other.

    A user's history has `max_moves + 2` events and ends with a place. It contains the
    last walk as a whole, from the place where it starts. Make one row of each history,
    so that the last item of each row, the target in evaluation, can be predicted:
    `make_windows(log, vocabulary, length=max_moves + 2)`.

    If a model applies at most `n` moves, its best possible hit rate at rank 1 on these
    targets is `p + (1 - p) / num_places` with `p = log(n + 1) / log(max_moves + 1)`.
    After longer walks, it can only guess, since all places are equally likely. A block
    of a NextItNet with `kernel_size=2` and `dilations=(1,)` sees 3 items further back.
    So, with the defaults, the limits by depth are

    | blocks | 1 | 2 | 4 | 8 | 16 |
    |---|---|---|---|---|---|
    | moves | 3 | 6 | 12 | 24 | all 40 |
    | best possible hit rate | 0.45 | 0.58 | 0.73 | 0.88 | 1 |

    A model with attention has no such limits, as it sees all items at any depth.

    Args:
        num_users: Integer, the number of users. Their ids are 1 to `num_users`.
            Defaults to `20_000`.
        num_places: Integer of at least 2, the number of places. Their item ids are 1 to
            `num_places`. Defaults to `8`.
        num_moves: Integer, the number of moves. Item ids from `num_places + 1` are
            moves, and the last `num_moves` ids are last moves before a place. Defaults
            to `2`.
        max_moves: Integer, the most moves between two places. Defaults to `40`.
        seed: Integer of at least 0. Defaults to `0`.

    Returns:
        A frame with the columns `user`, `item` and `timestamp` (int64 seconds, one
        event a minute), sorted by user and time.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:

    ```python
    log = synthetic_walks(num_users=500, max_moves=10)
    vocabulary = Vocabulary.from_items(log["item"])
    rows = make_windows(log, vocabulary, length=12)
    ```
    """
    check_integer("num_users", num_users, 1)
    check_integer("num_places", num_places, 2)
    check_integer("num_moves", num_moves, 1)
    check_integer("max_moves", max_moves, 1)
    check_integer("seed", seed, 0)
    rng = np.random.default_rng(seed)
    maps = np.stack([rng.permutation(num_places) for _ in range(num_moves)])
    # Time is the first axis, so that each step reads and writes whole rows.
    is_place = _places_of_walks(rng, num_users, max_moves)
    is_last_move = np.roll(is_place, -1, axis=0) & ~is_place
    move = rng.integers(num_moves, size=is_place.shape)
    items = num_places + move + num_moves * is_last_move
    place = rng.integers(num_places, size=num_users)
    for step in range(len(items)):
        place = np.where(is_place[step], place, maps[move[step], place])
        items[step] = np.where(is_place[step], place, items[step])
    events = len(items)
    return pd.DataFrame(
        {
            "user": np.repeat(np.arange(1, num_users + 1), events),
            "item": items.T.ravel() + 1,
            "timestamp": 1_600_000_000 + 60 * np.tile(np.arange(events), num_users),
        }
    )


def _places_of_walks(rng, num_users, max_moves):
    """Returns, for each event of each user, whether it is a place."""
    is_place = np.zeros((max_moves + 2, num_users), bool)
    moves_left = np.zeros(num_users, np.int64)
    # From the last event back, since that one is always a place.
    for step in reversed(range(len(is_place))):
        is_place[step] = moves_left == 0
        drawn = ((max_moves + 1) ** rng.random(num_users)).astype(np.int64)
        moves_left = np.where(is_place[step], drawn, moves_left - 1)
    return is_place
