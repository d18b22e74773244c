import tracemalloc

import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.models import best_items


@pytest.fixture
def model(make_model, sequences):
    model = make_model(optimizer=keras.optimizers.Adam(1e-2))
    model.fit(*sequences, epochs=3, verbose=0)
    return model


@pytest.fixture
def named(model):
    model.vocabulary = sr.data.Vocabulary([f"film {i:02d}" for i in range(NUM_ITEMS)])
    return model


@pytest.mark.every_backend
def test_the_best_unseen_items_come_first(model, sequences):
    x = sequences[0][:7]
    ids, scores = model.recommend(x, k=5)
    assert ids.shape == scores.shape == (7, 5)
    full = keras.ops.convert_to_numpy(model.score(x))
    for row, best, values, allowed in zip(x, ids, scores, full):
        allowed = allowed.copy()
        allowed[row] = -np.inf
        np.testing.assert_array_equal(best, np.argsort(-allowed, kind="stable")[:5])
        np.testing.assert_allclose(values, np.sort(allowed)[::-1][:5], atol=1e-5)


def test_seen_items_may_be_recommended_on_request(model, sequences):
    x = sequences[0][:7]
    ids, scores = model.recommend(x, k=NUM_ITEMS, exclude_seen=False)
    assert (np.sort(ids, axis=1) == np.arange(1, NUM_ITEMS + 1)).all()
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.every_backend
def test_the_size_of_a_batch_does_not_matter(model, sequences):
    whole = model.recommend(sequences[0], k=4, batch_size=64)
    parts = model.recommend(sequences[0], k=4, batch_size=10)
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_allclose(whole[1], parts[1], atol=1e-5)


def test_histories_of_raw_ids_give_raw_ids(named, sequences):
    x = sequences[0][:3]
    histories = [named.vocabulary.decode(row).tolist() for row in x]
    raw, scores = named.recommend(histories, k=4)
    ids, same = named.recommend(x, k=4)
    assert (raw == named.vocabulary.decode(ids.ravel()).reshape(3, 4)).all()
    np.testing.assert_allclose(scores, same, atol=1e-5)


def test_histories_of_other_lengths_are_read_as_in_training(named):
    short, long = ["film 03", "film 04"], [f"film {i:02d}" for i in range(15)]
    together, _ = named.recommend([short, long], k=3)
    for row, history in zip(together, (short, long)):
        assert (row == named.recommend([history], k=3)[0][0]).all()
    # All items of a history count as seen, those beyond the window as well.
    every, scores = named.recommend([long], k=NUM_ITEMS)
    offered = [item for item in every[0] if item is not None]
    assert len(offered) == NUM_ITEMS - 15 and not set(offered) & set(long)
    assert np.isneginf(scores[0, NUM_ITEMS - 15 :]).all()


def test_unknown_items_are_skipped_with_a_warning(named):
    with pytest.warns(UserWarning, match="not know 2 .*: 'no film', 'none'.$"):
        ids, _ = named.recommend([["film 03", "no film", "film 04", "none"]], k=3)
    assert (ids == named.recommend([["film 03", "film 04"]], k=3)[0]).all()


def test_indices_that_are_no_items_are_skipped_with_a_warning(model):
    with pytest.warns(UserWarning, match="does not know 1 .*: 99.$"):
        ids, _ = model.recommend(np.array([[0, 4, 99, 5]]), k=3)
    assert (ids == model.recommend(np.array([[0, 0, 4, 5]]), k=3)[0]).all()


def test_raw_ids_in_an_array_are_told_where_they_belong(named):
    named.vocabulary = sr.data.Vocabulary(range(100, 100 + NUM_ITEMS))
    with pytest.warns(UserWarning, match="101. An array holds indices; raw ids go in"):
        named.recommend(np.array([[4, 101]]), k=3)


def test_raw_ids_may_be_tuples_and_a_history_a_series(model):
    model.vocabulary = sr.data.Vocabulary([(i, "film") for i in range(NUM_ITEMS)])
    ids, _ = model.recommend([[(3, "film"), (4, "film")]], k=3)
    series = pd.Series([(3, "film"), (4, "film")])
    assert (ids == model.recommend([series], k=3)[0]).all()
    assert all(isinstance(item, tuple) for item in ids[0])
    with refused("x"):
        model.recommend([[[3, 4]]], k=3)


def test_an_empty_history_is_an_error_that_says_so(named):
    with refused("x", says=r"1 of 2 has none: row \[1\]"):
        named.recommend([["film 03"], []])
    known = r"first of these is \['no film'\]. The model knows ids such as 'film 00'"
    with refused("x", says=known):
        named.recommend([["no film"]])
    for empty in (np.zeros((1, 2), "int32"), pd.DataFrame([[0, 0]])):
        with refused("x", says=r"is \[0, 0\]. The model knows indices 1 to"):
            named.recommend(empty)


@pytest.mark.parametrize(
    "x, reason",
    [
        (np.ones(4, int), r"the shape \(batch, time\)"),
        (np.ones((1, 4)), "rows of integer item indices"),
        (["film 01", "film 02"], "a list of histories"),
        ([], "a list of histories"),
    ],
)
def test_wrong_input_is_refused(named, x, reason):
    with refused("x", says=reason):
        named.recommend(x, k=3)


@pytest.mark.every_backend
def test_it_follows_a_growth(model, sequences):
    model.recommend(sequences[0][:3], k=3)
    model.grow("stackE", seed=0)
    ids, scores = model.recommend(sequences[0][:3], k=3)
    full = keras.ops.convert_to_numpy(model.score(sequences[0][:3]))
    picked = np.take_along_axis(full, ids, axis=1)
    np.testing.assert_allclose(scores, picked, atol=1e-5)


def test_a_batch_holds_at_least_one_history(model, sequences):
    with refused("batch_size", received=0):
        model.recommend(sequences[0], batch_size=0)


@pytest.mark.parametrize("history", [[1.5, 2.9], ["abc"], np.array([2.0])])
def test_without_a_vocabulary_histories_hold_indices_alone(model, history):
    with refused("x", says="not a list of item indices.*set model.vocabulary"):
        model.recommend([[3, 4], history])


def test_histories_may_be_a_column_of_a_frame_or_tensors(model, named):
    ids, _ = named.recommend([["film 03", "film 04"], ["film 05"]], k=3)
    log = pd.DataFrame({"user": [1, 1, 2], "item": ["film 03", "film 04", "film 05"]})
    column = log.groupby("user")["item"].agg(list)
    for histories in (column, column.to_numpy()):
        assert (named.recommend(histories, k=3)[0] == ids).all()
    named.vocabulary = sr.data.Vocabulary(range(100, 100 + NUM_ITEMS))
    ids, _ = named.recommend([[104, 105]], k=3)
    tensor = keras.ops.convert_to_tensor([104, 105])
    assert (named.recommend([tensor], k=3)[0] == ids).all()


def test_what_is_no_history_is_shown(named):
    for given in ("film 03", pd.Series(["film 03", "film 04"])):
        with refused("x", says=r"film 03.*Give one history as \[\[...\]\]"):
            named.recommend(given)


def test_unknown_items_of_a_history_that_is_refused_are_told_once(named, recwarn):
    with refused("x", says="the first of these is .*'no film'"):
        named.recommend([["no film"]])
    assert not [w for w in recwarn if "does not know" in str(w.message)]


@pytest.fixture
def tied(make_model):
    """A model that scores items with odd indices 1 and the others 0."""
    model = make_model(num_blocks=1, compiled=False)
    output = model.output_table
    output.table.assign(np.zeros(output.table.shape))
    output.bias.assign(np.arange(NUM_ITEMS + 1) % 2)
    return model


def test_a_short_list_begins_a_longer_one_where_scores_are_equal(tied, monkeypatch):
    x = np.array([[0, 1], [4, 3], [2, 6]] * 3)
    odd, even = list(range(1, NUM_ITEMS, 2)), list(range(2, NUM_ITEMS + 1, 2))
    for block in (best_items.BLOCK, 1):
        monkeypatch.setattr(best_items, "BLOCK", block)
        monkeypatch.setattr(best_items, "_MIN_COLUMNS", 4)
        for seen in (True, False):
            whole, _ = tied.recommend(x, k=NUM_ITEMS, exclude_seen=seen)
            for history, row in zip(x, whole):
                left_out = {*history} if seen else set()
                best = [item for item in odd + even if item not in left_out]
                assert row.tolist() == best + [0] * (NUM_ITEMS - len(best))
            for k in (1, 3, 14, 17):
                for batch_size in (2, 256):
                    ids, _ = tied.recommend(x, k, seen, batch_size)
                    np.testing.assert_array_equal(ids, whole[:, :k])


def test_items_of_one_vector_tie(make_model):
    model = make_model(num_blocks=1, compiled=False, embedding_dim=100)
    output = model.output_table
    vector = np.random.default_rng(0).normal(size=(1, 100))
    output.table.assign(np.repeat(vector, NUM_ITEMS + 1, axis=0))
    output.bias.assign(np.zeros(NUM_ITEMS + 1))
    for num_rows in (1, 2, 4, 9):
        ids, _ = model.recommend(np.full((num_rows, 2), NUM_ITEMS), k=12)
        assert (ids == np.arange(1, 13)).all()


@pytest.mark.every_backend
def test_parts_of_a_catalogue_give_what_all_of_it_gives(model, sequences, monkeypatch):
    expected = model.recommend(sequences[0], k=7)
    monkeypatch.setattr(best_items, "BLOCK", 1)
    monkeypatch.setattr(best_items, "_MIN_COLUMNS", 3)
    ids, scores = model.recommend(sequences[0], k=7)
    np.testing.assert_array_equal(ids, expected[0])
    np.testing.assert_allclose(scores, expected[1], atol=1e-5)


def test_memory_holds_no_scores_of_a_whole_catalogue(monkeypatch):
    monkeypatch.setattr(best_items, "BLOCK", 1 << 16)
    model = sr.NextItNet(100_000, embedding_dim=4, num_blocks=1)
    x = np.arange(1, 257).reshape(64, 4)
    peak = _peak_memory(lambda: model.recommend(x, k=5))
    assert peak < 64 * 100_000 * 4 / 2


def test_a_long_history_costs_no_more_than_its_items(model):
    model.trained_length = 10
    short, long = [1, 2, 3], [*range(1, 30)] * 1000
    histories = [short] * 500 + [long]
    assert _peak_memory(lambda: model.recommend(histories, k=3)) < 8e6
    ids, scores = model.recommend(histories, k=NUM_ITEMS)
    np.testing.assert_array_equal(ids[0], model.recommend([short], NUM_ITEMS)[0][0])
    # Every item of it counts as seen.
    assert ids[-1].tolist() == [30] + [0] * 29
    assert np.isneginf(scores[-1, 1:]).all()


def _peak_memory(function):
    function()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("k", [0, 31, True, np.True_, 3.0, "3", None])
def test_k_is_an_integer_up_to_the_number_of_items(model, k):
    with refused("k", received=k):
        model.recommend(np.ones((1, 4), int), k=k)


@pytest.mark.parametrize(
    "arguments",
    [{"batch_size": True}, {"batch_size": -1}, {"exclude_seen": 1}],
    ids=str,
)
def test_other_arguments_are_checked(model, arguments):
    (name,) = arguments
    transfer = sr.TransferRecommender(model, num_targets=5)
    for each in (model, transfer):
        with refused(name, received=arguments[name]):
            each.recommend(np.ones((1, 4), int), k=2, **arguments)


def test_scores_that_are_nan_are_an_error(model, sequences):
    x = sequences[0][:6]
    transfer = sr.TransferRecommender(model, num_targets=5)
    embeddings = keras.ops.convert_to_numpy(model.item_embedding.embeddings).copy()
    embeddings[x[2, -1]] = np.nan
    bad = np.flatnonzero((x == x[2, -1]).any(axis=1))
    message = f"scores of {len(bad)} of 6 histories are NaN, first in row {bad[0]}. "
    for each, of in ((model, model), (transfer, transfer.source)):
        of.item_embedding.embeddings.assign(embeddings)
        with pytest.raises(ValueError, match=f"{message}.*diverged. Train again with"):
            each.recommend(x, k=2, batch_size=4)
    fine = np.setdiff1d(np.arange(6), bad)
    assert np.isfinite(model.recommend(x[fine], k=2)[1]).all()


def test_an_item_at_minus_infinity_is_never_recommended(tied):
    bias = np.arange(NUM_ITEMS + 1, dtype="float32")
    bias[20:] = -np.inf
    tied.output_table.bias.assign(bias)
    ids, scores = tied.recommend([[19]], k=NUM_ITEMS)
    assert ids[0].tolist() == [*range(18, 0, -1)] + [0] * 12
    assert np.isneginf(scores[0, 18:]).all()
