import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.models import best_items

pytestmark = pytest.mark.every_backend

VECTORS = np.array(
    [[9, 9], [1, 0], [0, 0], [1e30, 0], [0, 2], [-1, 0], [1e-30, 1e-30]], "float32"
)
NUM_ITEMS = len(VECTORS) - 1


@pytest.fixture
def model():
    """A model whose items have VECTORS; row 0 is the padding's."""
    model = sr.SASRec(NUM_ITEMS, max_length=4, embedding_dim=2, num_blocks=1)
    model.item_embedding.embeddings.assign(VECTORS)
    return model


def test_the_items_with_the_highest_cosines_come_first(model):
    ids, cosines = model.similar_items([1, 4], k=5)
    assert ids.tolist() == [[3, 6, 2, 4, 5], [6, 1, 2, 3, 5]]
    half = np.sqrt(0.5)
    expected = [[1, half, 0, 0, -1], [half, 0, 0, 0, 0]]
    np.testing.assert_allclose(cosines, expected, atol=1e-6)


def test_a_vector_of_zeros_is_like_none(model):
    ids, cosines = model.similar_items([2], k=3)
    assert ids.tolist() == [[1, 3, 4]] and (cosines == 0).all()


def test_parts_of_a_catalogue_give_what_all_of_it_gives(model, monkeypatch):
    expected = model.similar_items(range(1, NUM_ITEMS + 1), k=3)
    monkeypatch.setattr(best_items, "BLOCK", 1)
    monkeypatch.setattr(best_items, "_MIN_COLUMNS", 1)
    monkeypatch.setattr("stackrec_keras.models.similar_items._ROWS", 2)
    for ours, theirs in zip(model.similar_items(range(1, NUM_ITEMS + 1), 3), expected):
        np.testing.assert_array_equal(ours, theirs)


def test_a_vocabulary_takes_and_gives_raw_ids(model):
    model.vocabulary = sr.data.Vocabulary([f"film {i}" for i in range(NUM_ITEMS)])
    for given in (["film 0"], np.array(["film 0"])):
        ids, _ = model.similar_items(given, k=2)
        assert ids.tolist() == [["film 2", "film 5"]]


@pytest.mark.parametrize(
    "ids, says",
    [
        ([1, 0, 7], "has 2 items that the model does not know: 0, 7. It knows"),
        (["film"], r"has \['film'\], which is not a list of item indices"),
        ([], "must have at least one item"),
        (3, "ids=3 must be a list of items"),
        ("film", "ids='film' must be a list of items"),
        ([[1], [2, 3]], "must be one list of items"),
        (np.array([[1, 2]]), "must be one list of items"),
    ],
)
def test_ids_that_are_not_items_are_refused(model, ids, says):
    with refused("ids", says=says):
        model.similar_items(ids, k=2)


@pytest.mark.parametrize("k", [0, NUM_ITEMS, True, np.True_, 2.0])
def test_a_wrong_k_is_refused(model, k):
    with refused("k", k):
        model.similar_items([1], k=k)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_an_error(model, value):
    vectors = VECTORS.copy()
    vectors[4] = value
    model.item_embedding.embeddings.assign(vectors)
    with pytest.raises(ValueError, match="scores of 1 of 1 items are NaN.*diverged"):
        model.similar_items([1], k=2)


def test_a_transfer_recommender_compares_source_items(model):
    transfer = sr.TransferRecommender(model, num_targets=3)
    for ours, theirs in zip(
        transfer.similar_items([4], 3), model.similar_items([4], 3)
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_model_without_an_embedding_of_that_name_says_so():
    class Other(sr.models.SequentialRecommender):
        def __init__(self):
            super().__init__(num_items=5, dim=2, num_blocks=1)
            self.items = keras.layers.Embedding(6, 2)

    with pytest.raises(ValueError, match="item_embedding, which Other does not have"):
        Other().similar_items([1], k=2)
