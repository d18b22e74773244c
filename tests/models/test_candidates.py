"""`recommend(..., items=)`: only these candidates."""

import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr


@pytest.fixture
def named(make_model):
    model = make_model(num_blocks=1, compiled=False)
    model.vocabulary = sr.data.Vocabulary([f"film {i:02d}" for i in range(NUM_ITEMS)])
    return model


def test_only_the_candidates_are_recommended(kind, sequences):
    model = kind.build(compiled=False)
    x = kind.inputs(sequences[0][:5])
    items = [29, 3, 17, 3, 8]
    full = keras.ops.convert_to_numpy(model.score(x))
    ids, scores = model.recommend(x, k=4, exclude_seen=False, items=items)
    for row, best, values in zip(full, ids, scores):
        expected = sorted({*items}, key=lambda item: -row[item])
        assert best.tolist() == expected
        np.testing.assert_allclose(values, row[expected], atol=1e-5)


def test_each_history_may_have_its_own(make_model):
    model = make_model(num_blocks=1, compiled=False)
    x = np.array([[1, 2], [3, 4], [5, 6]])
    items = [[7], [9, 8, 4], [5, 6]]
    ids, scores = model.recommend(x, k=3, items=items, batch_size=2)
    assert sorted(ids[0]) == [0, 0, 7] and {*ids[1]} == {8, 9, 0}
    assert (ids[2] == 0).all() and np.isneginf(scores[2]).all()
    for row, own in enumerate(items[:2]):
        alone = model.recommend(x[[row]], k=3, items=own)
        np.testing.assert_array_equal(alone[0][0], ids[row])
        np.testing.assert_allclose(alone[1][0], scores[row], atol=1e-5)


@pytest.mark.parametrize(
    "items",
    [
        (7, 9),
        np.array([7, 9, 7]),
        {7, 9},
        range(7, 10, 2),
        pd.Series([7, 9], index=[4, 5]),
        (item for item in (7, 9)),
    ],
)
def test_candidates_come_in_any_collection(named, items):
    ids, _ = named.recommend(np.array([[1, 2]]), k=3, items=items)
    assert sorted(ids[0].tolist()) == [0, 7, 9]


def test_candidates_are_raw_ids_where_histories_are(named):
    histories = [["film 01", "film 02"], ["film 03"]]
    items = ["film 02", "film 07", "film 03"]
    ids, scores = named.recommend(histories, k=3, items=items)
    assert {*ids[0]} == {"film 03", "film 07", None}
    assert {*ids[1]} == {"film 02", "film 07", None}
    assert np.isneginf(scores[:, 2]).all()
    own, _ = named.recommend(histories, k=1, items=[["film 09"], ["film 08"]])
    assert own.tolist() == [["film 09"], ["film 08"]]


def test_candidates_of_a_transfer_recommender_are_target_items(named):
    model = sr.TransferRecommender(named, num_targets=40)
    model.target_vocabulary = sr.data.Vocabulary([f"pot {i}" for i in range(40)])
    ids, _ = model.recommend([["film 01"]], k=2, items=["pot 39", "pot 0"])
    assert {*ids[0]} == {"pot 0", "pot 39"}
    ids, _ = model.recommend(np.array([[2]]), k=2, items=[40, 2])
    assert {*ids[0]} == {2, 40}
    with refused("items", says="'film 01'. It knows ids such as 'pot 0'"):
        model.recommend([["film 01"]], k=2, items=["film 01"])


@pytest.mark.parametrize(
    "items, says",
    [
        ([], "must have at least one item"),
        (7, "must be a list of items"),
        ("film 07", "must be a list of items"),
        (np.zeros((1, 2, 3), int), "must be a list of items"),
        ([99, 3, 0, -1], "has 3 items that .* not know: 99, 0, -1. It knows"),
        ([*range(90, 97)], "not know: 90, 91, 92, 93, 94 and 2 more. It knows"),
        (
            ["film 07"],
            r"has \['film 07'\], .* x as a list of histories; the",
        ),
        ([7.0], "is not a list of item indices"),
        ([True], "is not a list of item indices"),
        ([[7], 8], "either items or lists of items"),
        ([[7]], "has 1 list for 2 histories"),
        ([[7], []], "has an empty list for 1 of 2 histories; the first is in row 1"),
    ],
)
def test_wrong_candidates_are_refused(named, items, says):
    with refused("items", says=says):
        named.recommend(np.array([[1, 2], [3, 4]]), k=2, items=items)


def test_unknown_raw_ids_are_named(named):
    says = "has 1 item that the model does not know: 'nope'. It knows ids such as"
    for items in (["film 07", "nope"], [["film 07", "nope"]]):
        with refused("items", says=says):
            named.recommend([["film 01"]], k=2, items=items)
