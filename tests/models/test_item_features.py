"""Items with features, in all models and in everything that reads item vectors."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras import ops
from refusals import refused
from scipy import sparse
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.errors import StackRecWarning
from stackrec_keras.layers import Embedding

WIDTH = 3
FEATURES = np.random.default_rng(0).normal(size=(NUM_ITEMS, WIDTH)).astype("float32")
NEW = np.ones((2, WIDTH), "float32")
SCORINGS = [
    {},
    {"tied": True},
    {"normalize": True, "temperature": 0.1},
    {"tied": True, "normalize": True, "temperature": 0.1},
]
RATE = 0.02
array = ops.convert_to_numpy


def build(kind=sr.NextItNet, loss="auto", **arguments):
    """A compiled model whose items have features."""
    if kind is not sr.NextItNet:
        arguments["max_length"] = 10
    model = kind(
        NUM_ITEMS,
        embedding_dim=8,
        num_blocks=1,
        **{"item_features": FEATURES, **arguments},
    )
    model.compile(keras.optimizers.Adam(RATE), loss)
    return model


def other_scores(model, x):
    return model.predict(x, verbose=0)[:, 1 : NUM_ITEMS + 1]


@pytest.mark.every_backend
@pytest.mark.parametrize("fusion", ["add", "replace"])
def test_they_survive_a_fit_that_grows_new_items_and_a_file(
    fusion, sequences, tmp_path
):
    id_dropout = 0.2 if fusion == "add" else 0.0
    model = build(feature_fusion=fusion, id_dropout=id_dropout)
    x, y = sequences
    callback = sr.StackingCallback("from_scratch", {1: 2})
    before = [array(w) for w in projections(model)]
    model.fit(x, y, epochs=3, verbose=0, callbacks=[callback])
    for old, new in zip(before, projections(model), strict=True):
        assert np.abs(array(new) - old).min() > 0
    scores = other_scores(model, x)
    model.extend_items(features=NEW, n=2)
    np.testing.assert_allclose(other_scores(model, x), scores, atol=1e-5)
    model.fit(x, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.item_features, [*FEATURES, *NEW])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.item_features, model.item_features)
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5
    )
    loaded.fit(x, y, verbose=0)


def projections(model):
    return [w for w in model.trainable_variables if w.path.endswith("projection")]


def test_all_models_take_them(kind, sequences):
    model = kind.build(item_features=FEATURES)
    x, rng = kind.inputs(sequences[0]), np.random.default_rng(0)
    scores = model.predict(x, verbose=0)
    for weight in projections(model):
        before = array(weight)
        weight.assign(before + rng.normal(size=before.shape))
        assert np.abs(model.predict(x, verbose=0) - scores)[:, 1:].max() > 1e-3
        weight.assign(before)
    assert model.get_config()["item_features"] == {"num_features": WIDTH}


@pytest.mark.parametrize("fusion", ["add", "replace"])
@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("loss", ["full_softmax", "sampled_softmax"])
def test_a_new_item_is_recommended_where_items_like_it_are(
    fusion, scoring, loss, sequences
):
    # An item is followed by another of its kind, as its features tell.
    is_even = np.arange(1, NUM_ITEMS + 1) % 2 == 0
    rng = np.random.default_rng(0)
    even = rng.integers(1, NUM_ITEMS // 2 + 1, (32, 11)) * 2
    rows = np.concatenate([even, even - 1])
    features = np.stack([is_even, ~is_even], axis=1)
    model = build(loss=loss, feature_fusion=fusion, item_features=features, **scoring)
    model.fit(rows[:, :-1], rows[:, 1:], epochs=15, verbose=0)
    model.extend_items(2, features=[[1, 0], [0, 1]])
    scores = model.predict(rows[[0, -1], :-1], verbose=0)[:, -2:]
    assert scores[0, 0] > scores[0, 1] and scores[1, 0] < scores[1, 1]


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("loss", ["full_softmax", "sampled_softmax", "gbce"])
def test_the_loss_is_that_of_a_model_with_the_same_vectors(scoring, loss, sequences):
    model = build(loss=loss, **scoring)
    plain = build(loss=loss, item_features=None, **scoring)
    plain.seed_generator.state.assign(model.seed_generator.state)  # equal negatives
    ours = {weight.path: weight for weight in model.weights}
    ours["item_embedding/embeddings"] = model.item_embedding.table()
    ours["output_table/table"] = model.output_table.item_vectors()
    for weight in plain.weights:
        weight.assign(ours[weight.path])
    losses = [
        each.fit(*sequences, 64, shuffle=False, verbose=0).history["loss"]
        for each in (model, plain)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.every_backend
def test_towers_and_exports_have_the_combined_vectors(sequences, tmp_path):
    model = build(sr.SASRec)
    x, y = sequences
    model.fit(x, y, verbose=0)
    model.extend_items(2, features=NEW)
    ids, scores = model.recommend(x, 5, exclude_seen=False)
    users, items = sr.models.user_tower(model, x), sr.models.item_tower(model)
    products = np.take_along_axis(users @ items.T, ids - 1, axis=1)
    np.testing.assert_allclose(products, scores, atol=1e-5)
    program = exported(model, tmp_path)
    out = program(x)
    np.testing.assert_array_equal(out["ids"], ids)
    np.testing.assert_allclose(out["scores"], scores, atol=1e-5)


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("fusion", ["add", "replace"])
def test_programs_have_stored_the_vectors(fusion, scoring, sequences):
    model = build(feature_fusion=fusion, **scoring)
    stored = model.output_table.without_features()
    assert not stored.num_features and stored.without_features() is stored
    hidden = model(sequences[0])
    scores = array(stored(hidden))
    np.testing.assert_allclose(scores, array(model.output_table(hidden)), atol=1e-5)


def exported(model, folder):
    path = str(folder / "program.pt2")
    arguments = {"k": 5, "exclude_seen": False, "verbose": False}
    if keras.backend.backend() == "torch":
        import torch

        model.export_recommender(path, format="torch", **arguments)
        module = torch.export.load(path).module()
        return lambda x: module(torch.tensor(x))
    import tensorflow as tf

    model.export_recommender(str(folder / "program"), **arguments)
    program = tf.saved_model.load(str(folder / "program"))
    return lambda x: {k: np.asarray(v) for k, v in program.serve(x).items()}


def test_similar_items_are_those_with_similar_features():
    model = build(feature_fusion="replace")
    model.extend_items(1, features=FEATURES[4:5] * 2)
    ids, cosines = model.similar_items([NUM_ITEMS + 1], 1)
    assert ids[0, 0] == 5 and cosines[0, 0] == pytest.approx(1)


def test_ids_of_new_items_add_nothing_until_they_are_trained():
    model = build()
    bias = array(model.output_table.bias)[1:]
    model.extend_items(2, features=NEW)
    for vectors, layer in (
        (array(model.item_embedding.table()), model.item_embedding),
        (array(model.output_table.item_vectors()), model.output_table),
    ):
        expected = NEW @ array(layer.projection)
        np.testing.assert_allclose(vectors[-2:], expected, atol=1e-6)
    new = array(model.output_table.bias)[-2:]
    np.testing.assert_allclose(new, [bias.mean()] * 2, rtol=1e-5)


def test_or_they_start_at_the_mean_of_the_old_ones():
    model = build()
    old = array(model.item_embedding.embeddings)[1:]
    model.extend_items(1, "mean", features=NEW[:1])
    new = array(model.item_embedding.embeddings)[-1]
    np.testing.assert_allclose(new, old.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_id_dropout_trains_as_if_some_items_were_new(scoring, sequences):
    model = build(id_dropout=0.4, **scoring)
    table = model.output_table
    if table.has_bias:
        table.bias.assign(np.arange(NUM_ITEMS + 1) - 7.0)  # the padding's is -7
    kept = np.arange(NUM_ITEMS + 1)[:, None] % 2
    kept = ops.convert_to_tensor(kept, "float32")
    vectors, biases = map(array, table.item_weights(kept))
    alone, bias_alone = map(array, table.item_weights())
    source = model.item_embedding if model.tied else table
    expected = np.pad(FEATURES, ((1, 0), (0, 0))) @ array(source.projection)
    if table.normalize:
        expected[1:] = keras.utils.normalize(expected[1:])
    np.testing.assert_allclose(vectors[1::2], alone[1::2], atol=1e-6)
    np.testing.assert_allclose(vectors[2::2], expected[2::2], atol=1e-6)
    np.testing.assert_allclose(biases[1::2], bias_alone[1::2], atol=1e-6)
    mean = bias_alone[1:].mean()
    np.testing.assert_allclose(biases[::2], np.full(16, mean), atol=1e-6)
    drawn = array(model.kept_ids())
    assert 0.3 < drawn.mean() < 0.9 and set(drawn.ravel()) == {0, 1}
    model.fit(*sequences, verbose=0)


def test_id_dropout_leaves_ids_out_of_histories_in_training_only(tmp_path):
    model = build(id_dropout=0.4)
    layer, items = model.item_embedding, np.arange(1, NUM_ITEMS + 1)[None]
    table = array(layer.table())[1:]
    np.testing.assert_allclose(array(layer(items))[0], table, atol=1e-6)
    drawn = array(layer(items, training=True))[0]
    ids = array(layer.embeddings)[1:]
    kept = np.isclose(drawn, table, atol=1e-6).all(axis=1)
    assert 0.3 < kept.mean() < 0.9
    np.testing.assert_allclose(drawn[~kept], (table - ids)[~kept], atol=1e-6)
    model.save(tmp_path / "m.keras")  # with the state of the generator
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    again = [
        array(each.item_embedding(items, training=True)) for each in (model, loaded)
    ]
    np.testing.assert_array_equal(*again)


@pytest.mark.parametrize(
    "arguments",
    [{"item_features": None}, {"feature_fusion": "replace"}, {"id_dropout": 1}],
)
def test_id_dropout_needs_ids_and_features(arguments):
    with refused("id_dropout"):
        build(**{"id_dropout": 0.2, **arguments})


@pytest.mark.parametrize("indexed", [pd.DataFrame, lambda d, **_: dict(d)])
def test_features_of_new_items_are_found_by_raw_id(indexed):
    model = build()
    model.vocabulary = sr.data.Vocabulary([f"film {i:02d}" for i in range(NUM_ITEMS)])
    rows = {"new b": [1, 2, 3], "new a": [4, 5, 6]}
    features = pd.DataFrame(rows).T if indexed is pd.DataFrame else rows
    model.extend_items(ids=["new a", "new b"], features=features)
    assert model.item_features[-2:].tolist() == [[4, 5, 6], [1, 2, 3]]


@pytest.mark.parametrize(
    "features, says",
    [
        (None, "is missing, but the model has 3 features"),
        (np.ones((2, 4)), "has 4 numbers for each item, but the model has 3"),
        (np.ones((1, 3)), "has 1 row, but there are 2 new items"),
        (np.full((2, 3), np.nan), "NaN or infinite"),
        ({"a": [1, 2, 3]}, "needs the argument ids"),
    ],
)
def test_new_items_without_the_right_features_are_refused(features, says):
    model = build()
    with refused("features", says=says):
        model.extend_items(2, features=features)
    assert model.num_items == NUM_ITEMS


def test_a_model_without_features_refuses_those_of_new_items(make_model):
    with refused("features", says="without item features"):
        make_model().extend_items(2, features=NEW)


@pytest.mark.every_backend
@pytest.mark.parametrize("kind", ["sparse", "tensor", "bfloat16"])
def test_features_may_be_a_sparse_matrix_or_a_tensor(kind):
    rows = np.eye(NUM_ITEMS)
    given = sparse.csr_array(rows)
    if kind != "sparse":
        dtype = "float32" if kind == "tensor" else kind
        given = keras.Variable(rows, dtype=dtype).value  # PyTorch's requires gradients
    np.testing.assert_array_equal(build(item_features=given).item_features, rows)


@pytest.mark.parametrize(
    "features, says",
    [
        (FEATURES[:-1], f"has 29 rows, but there are {NUM_ITEMS} items"),
        (np.pad(FEATURES, ((1, 0), (0, 0))), "Leave out the row of the padding"),
        (FEATURES[:, 0], "shape"),
        (FEATURES[:, :0], "shape"),
        ([["a"]] * NUM_ITEMS, "numbers"),
        ([[1], [1, 2]] * (NUM_ITEMS // 2), "the same length"),
        (np.where(FEATURES > 1, np.inf, FEATURES), "NaN or infinite"),
        (pd.DataFrame(FEATURES), "align_features"),
        ({1: [1.0]}, "align_features"),
    ],
)
def test_features_that_do_not_fit_are_refused_by_name(features, says):
    with refused("item_features", says=says):
        build(item_features=features)


def test_the_fusion_is_checked():
    with refused("feature_fusion", "concat"):
        build(feature_fusion="concat")
    with refused("feature_fusion", "replace"):
        build(item_features=None, feature_fusion="replace")


def test_a_model_with_an_embedding_of_its_own_says_how_to_take_them():
    class Own(sr.NextItNet):
        def new_item_embedding(self, dim, initializer="uniform"):
            embedding = Embedding(self.num_items + 1, dim)
            embedding.build()
            return embedding

    with refused("item_features", says="self.new_item_embedding"):
        Own(NUM_ITEMS, item_features=FEATURES)
    model = Own(NUM_ITEMS)
    model.extend_items(1)
    assert model.item_features is None
    assert model.recommend([[1, NUM_ITEMS + 1]], 2)[0].shape == (1, 2)


def test_a_transfer_model_reads_those_of_its_source(sequences, tmp_path):
    model = sr.TransferRecommender(build(), 7)
    with refused("item_features"):
        sr.TransferRecommender(model.source, 7, item_features=FEATURES)
    np.testing.assert_array_equal(model.source.item_features, FEATURES)
    model.compile()
    x, y = sequences
    model.fit(x, y[:, -1] % 7 + 1, verbose=0)
    model.extend_items(2, features=NEW)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.source.item_features, [*FEATURES, *NEW])


def test_earlier_weights_leave_the_features_of_new_items_as_they_are():
    model = build()
    before = model.get_weights()
    model.extend_items(2, features=NEW)
    with pytest.warns(StackRecWarning, match="2 items"):
        model.set_weights(before)
    np.testing.assert_array_equal(model.item_features, [*FEATURES, *NEW])


def test_a_file_with_features_does_not_fit_a_model_without(tmp_path):
    build().save_weights(tmp_path / "m.weights.h5")
    with refused("filepath", says="item_features={'num_features': 3} instead of None"):
        build(item_features=None).load_weights(tmp_path / "m.weights.h5")


def test_freezing_the_stack_leaves_them_untrained(sequences):
    model = build()
    callbacks = [sr.FreezeStack(1)]
    model.fit(*sequences, epochs=2, verbose=0, callbacks=callbacks)
    np.testing.assert_array_equal(model.item_features, FEATURES)
    assert not model.item_embedding.item_features.trainable
    assert all(weight.trainable for weight in projections(model))


def test_a_clone_is_not_trained_before_it_has_the_features(sequences):
    model = build()
    clone = keras.models.clone_model(model)
    clone.compile()
    transfer = sr.TransferRecommender(clone, 7)
    transfer.compile()
    x, y = sequences
    for each, target in ((clone, y), (transfer, y[:, -1] % 7 + 1)):
        with refused("item_features", says="are all 0"):
            each.fit(x, target, verbose=0)
    clone.set_weights(model.get_weights())
    clone.fit(*sequences, verbose=0)


def test_a_config_of_before_them_makes_a_model_without():
    config = build(item_features=None).get_config()
    for name in ("item_features", "feature_fusion", "id_dropout"):
        config.pop(name)
    assert sr.NextItNet.from_config(config).item_features is None


@pytest.mark.parametrize("method", [m.name for m in sr.stacking.methods()])
def test_growth_after_new_items_keeps_what_was_given(method, sequences):
    model = build(tied=True)
    model.compile(keras.optimizers.AdamW(RATE, weight_decay=0.5, use_ema=True))
    model.fit(*sequences, verbose=0)
    model.extend_items(2, features=NEW)
    model.grow(method, inherit="paper")
    model.fit(*sequences, verbose=0)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    np.testing.assert_array_equal(model.item_features, [*FEATURES, *NEW])


def test_in_half_precision_they_are_used_too(sequences):
    model = build(dtype="mixed_bfloat16")
    model.fit(*sequences, verbose=0)
    assert np.isfinite(model.predict(sequences[0], verbose=0)[:, 1:]).all()


def test_a_fit_that_is_continued_from_a_file_leaves_out_the_same_ids(
    sequences, tmp_path
):
    ends = []
    for stops in (False, True):
        keras.utils.set_random_seed(0)
        model = build(id_dropout=0.5)
        fit = {"batch_size": 32, "shuffle": False, "verbose": 0}
        if stops:
            model.fit(*sequences, epochs=1, **fit)
            model.save(tmp_path / "m.keras")
            keras.utils.set_random_seed(1)  # another process
            model = keras.saving.load_model(tmp_path / "m.keras")
        model.fit(*sequences, epochs=2, initial_epoch=int(stops), **fit)
        ends.append(model.get_weights())
    for whole, continued in zip(*ends, strict=True):
        np.testing.assert_array_equal(whole, continued)
