import numpy as np
import pytest

import stackrec_keras as sr


@pytest.mark.parametrize("kind", ["SSEPT", "HSTU"], indirect=True)
@pytest.mark.parametrize("scoring", [{}, {"normalize": True, "temperature": 0.1}])
def test_the_products_of_the_towers_are_scores(kind, scoring, sequences):
    model = kind.build(**scoring)
    x = kind.inputs(sequences[0])
    users, items = sr.models.user_tower(model, x, 10), sr.models.item_tower(model)
    assert users.dtype == items.dtype == "float32"
    ids, scores = model.recommend(x, model.num_items, exclude_seen=False)
    products = np.take_along_axis(users @ items.T, ids - 1, axis=1)
    np.testing.assert_allclose(products, scores, atol=1e-5)


def test_an_exact_index_finds_what_recommend_does(make_model, sequences):
    faiss = pytest.importorskip("faiss")
    model = make_model()
    model.fit(*sequences, epochs=1, verbose=0)
    x = sequences[0]
    items = sr.models.item_tower(model)
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(items)
    scores, rows = index.search(sr.models.user_tower(model, x), 5)
    ids, same = model.recommend(x, 5, exclude_seen=False)
    np.testing.assert_array_equal(rows + 1, ids)
    np.testing.assert_allclose(scores, same, atol=1e-5)
