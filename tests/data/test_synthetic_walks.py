import numpy as np
import pandas as pd
import pytest
from refusals import refused

from stackrec_keras.data import read_interactions, synthetic_walks


def rows_of(log):
    return log["item"].to_numpy().reshape(log["user"].nunique(), -1)


def walks(row, num_places):
    """The walks of a row: the first place, the items between, the place at the end."""
    at = np.flatnonzero(row <= num_places)
    return [(row[i], row[i + 1 : j], row[j]) for i, j in zip(at, at[1:])]


def test_the_log_is_sorted_and_each_user_has_room_for_the_longest_walk():
    log = synthetic_walks(num_users=7, num_places=5, num_moves=3, max_moves=10)
    assert len(log) == 7 * 12
    assert log["item"].between(1, 5 + 2 * 3).all()
    pd.testing.assert_frame_equal(log, read_interactions(log))


def test_the_log_depends_on_its_seed_alone():
    pd.testing.assert_frame_equal(
        synthetic_walks(20, seed=1), synthetic_walks(20, seed=1)
    )
    assert not synthetic_walks(20, seed=1).equals(synthetic_walks(20, seed=2))


def test_each_walk_leads_where_its_moves_lead():
    log = synthetic_walks(num_users=300, num_places=5, num_moves=2, max_moves=20)
    found = [walk for row in rows_of(log) for walk in walks(row, 5)]
    maps = {}
    for start, moves, end in found:
        assert (moves[:-1] <= 7).all() and moves[-1] > 7
        if len(moves) == 1:
            assert maps.setdefault((start, moves[0] - 2), end) == end
    for move in (6, 7):
        assert sorted(maps[place, move] for place in range(1, 6)) == [1, 2, 3, 4, 5]
    assert any(place != end for (place, _), end in maps.items())
    for start, moves, end in found:
        for move in [*moves[:-1], moves[-1] - 2]:
            start = maps[start, move]
        assert start == end


def test_a_history_ends_with_a_whole_walk_of_log_uniform_length():
    rows = rows_of(synthetic_walks(num_users=10_000, max_moves=15))
    lengths = np.array([len(walks(row, 8)[-1][1]) for row in rows])
    assert (rows[:, -1] <= 8).all()
    assert lengths.min() == 1 and lengths.max() == 15
    for moves in (1, 3, 7):
        law = np.log(moves + 1) / np.log(16)
        assert abs((lengths <= moves).mean() - law) < 0.02


def test_the_moves_in_sight_say_nothing_of_the_place_if_the_start_is_out_of_sight():
    rows = rows_of(synthetic_walks(num_users=20_000, max_moves=15))
    far = rows[[len(walks(row, 8)[-1][1]) > 3 for row in rows]]
    for _, seen in pd.DataFrame(far[:, -4:]).groupby([0, 1, 2]):
        assert seen[3].value_counts(normalize=True).max() < 0.2


@pytest.mark.parametrize(
    "argument, value",
    [
        ("num_users", 0),
        ("num_places", 1),
        ("num_moves", 0),
        ("max_moves", 0),
        ("seed", -1),
    ],
)
def test_arguments_out_of_range_are_refused(argument, value):
    with refused(argument, value):
        synthetic_walks(**{argument: value})
