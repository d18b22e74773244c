import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.errors import StackRecWarning

MORE = 5


@pytest.mark.parametrize("init", ["mean", "random"])
def test_old_items_score_as_before(kind, sequences, init):
    model = kind.build()
    x = kind.inputs(sequences[0])
    before = model.predict(x, verbose=0)
    model.extend_items(MORE, init)
    assert model.num_items == NUM_ITEMS + MORE
    after = model.predict(x, verbose=0)
    assert after.shape == (64, NUM_ITEMS + MORE + 1)
    # But for rounding: a product of another size is summed in another order.
    np.testing.assert_allclose(after[:, 1 : NUM_ITEMS + 1], before[:, 1:], atol=1e-5)
    assert np.isfinite(after[:, 1:]).all()


def test_new_items_start_at_the_mean_of_the_old_ones(make_model):
    model = make_model()
    old = [table[1:] for table in model.output_table.get_weights()]
    old.append(model.item_embedding.get_weights()[0][1:])
    model.extend_items(MORE)
    tables = [*model.output_table.get_weights(), *model.item_embedding.get_weights()]
    for before, table in zip(old, tables, strict=True):
        np.testing.assert_array_equal(table[1 : NUM_ITEMS + 1], before)
        expected = np.broadcast_to(before.mean(axis=0), table[NUM_ITEMS + 1 :].shape)
        np.testing.assert_allclose(table[NUM_ITEMS + 1 :], expected, atol=1e-6)


def test_random_items_differ_and_are_reproducible(make_model):
    drawn = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = make_model()
        model.extend_items(MORE, "random")
        drawn.append(model.output_table.get_weights()[0][-MORE:])
    np.testing.assert_array_equal(*drawn)
    assert len({row.tobytes() for row in drawn[0]}) == MORE


def test_the_optimizer_knows_old_items_and_trains_new_ones(make_model, sequences):
    x, y = sequences
    model = make_model(optimizer=keras.optimizers.Adam(0.05))
    model.fit(x, y, epochs=2, verbose=0)
    slots = [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
    model.extend_items(MORE)
    for old, new in zip(slots, model.optimizer.variables, strict=True):
        new = keras.ops.convert_to_numpy(new)
        np.testing.assert_array_equal(new[: len(old)] if old.ndim else new, old)
    newest = NUM_ITEMS + MORE
    model.fit(x, np.full_like(y, newest), epochs=20, verbose=0)
    ids, _ = model.recommend(x[:4], k=1)
    assert (ids == newest).all()


@pytest.mark.every_backend
def test_items_come_in_the_middle_of_a_fit_that_grows(make_model, sequences):
    model = make_model(optimizer=keras.optimizers.Adam(0.05))

    class Arrivals(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.extend_items(MORE)

    callbacks = [sr.StackingCallback("stackC", {1: 4, 3: 6}), Arrivals()]
    x, y = sequences
    validation = (x, y[:, -1])
    fit = {"epochs": 4, "verbose": 0, "callbacks": callbacks}
    history = model.fit(x, y, validation_data=validation, **fit).history
    assert history["loss"][-1] < history["loss"][0]
    assert (model.num_blocks, model.num_items) == (6, NUM_ITEMS + MORE)
    found = model.evaluate(*validation, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-5)


def test_the_vocabulary_goes_along_and_a_file_holds_all(make_model, tmp_path):
    model = make_model()
    ids = [f"film {i:02d}" for i in range(NUM_ITEMS)]
    model.vocabulary = sr.data.Vocabulary(ids, range(1, NUM_ITEMS + 1))
    model.extend_items(2, ids=["new b", "new a"])
    assert model.vocabulary.encode(["film 00", "new b", "new a"]).tolist() == [
        1,
        31,
        32,
    ]
    assert model.vocabulary.counts[-3:].tolist() == [NUM_ITEMS, 0, 0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.vocabulary == model.vocabulary
    histories = [["film 01", "new a"]]
    for ours, theirs in zip(model.recommend(histories), loaded.recommend(histories)):
        assert ours.tolist() == theirs.tolist()


def test_sse_pt_extends_its_users(sequences):
    model = sr.SSEPT(NUM_ITEMS, 4, 10, 4, 4, num_blocks=1)
    model.compile()
    users = np.arange(64) % 4
    x = {"items": sequences[0], "users": users}
    model.fit(x, sequences[1], verbose=0)
    before = model.predict(x, verbose=0)
    mean = model.predict({**x, "users": users * 0 - 1}, verbose=0)
    model.extend_users(3)
    assert model.num_users == 7 and model.get_config()["num_users"] == 7
    after = model.predict(x, verbose=0)
    np.testing.assert_allclose(after[:, 1:], before[:, 1:], atol=1e-5)
    new = model.predict({**x, "users": users * 0 + 5}, verbose=0)
    np.testing.assert_allclose(new[:, 1:], mean[:, 1:], atol=1e-5)
    model.fit({**x, "users": users + 3}, sequences[1], verbose=0)


def test_weights_from_before_leave_new_rows_of_each_table_as_they_are():
    source = sr.SSEPT(NUM_ITEMS, 4, 10, 4, 4, num_blocks=1)
    model = sr.TransferRecommender(source, 7)
    before = model.get_weights()
    model.extend_items(2, "random")
    model.extend_targets(3, "random")
    model.source.extend_users(4, "random")
    after = model.get_weights()
    with pytest.warns(StackRecWarning, match="2 items, 4 users, 3 targets"):
        model.set_weights([weight * 0 for weight in before])
    for weight, old, new in zip(model.get_weights(), before, after, strict=True):
        assert weight.shape == new.shape and (weight[: len(old)] == 0).all()
        np.testing.assert_array_equal(weight[len(old) :], new[len(old) :])


def test_weights_that_lack_rows_of_one_table_alone_are_refused(make_model):
    model = make_model()
    weights = model.get_weights()
    i = [v is model.item_embedding.embeddings for v in model.weights].index(True)
    weights[i] = weights[i][:-1]
    with pytest.raises(ValueError, match="shape"):
        model.set_weights(weights)


@pytest.mark.parametrize(
    "arguments, refused_argument",
    [
        ({}, "n"),
        ({"n": 0}, "n"),
        ({"n": 2, "init": "zero"}, "init"),
        ({"n": 2, "ids": ["a", "b"]}, "ids"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    make_model, arguments, refused_argument
):
    model = make_model()
    before = model.get_weights()
    with refused(refused_argument, arguments.get(refused_argument, ...)):
        model.extend_items(**arguments)
    assert model.num_items == NUM_ITEMS
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    "ids, message",
    [
        (None, "ids=None must be the raw ids of the 2 new items"),
        (["a"], r"ids=\['a'\] must be the raw ids of the 2 new items"),
        ("ab", r"ids='ab' must be a list. Give \['ab'\]"),
        (["a", 5], "ids has 5, but the model's ids are like 'film 00'"),
        (["a", "film 03"], "ids has 'film 03', which the model already knows"),
        (["a", "a"], "'a' more than once"),
        (["a", "caf\udce9"], "'caf.udce9', which a file cannot hold"),
        (["a", None], "ids holds the missing value None"),
    ],
)
def test_ids_that_do_not_fit_the_vocabulary_are_refused(make_model, ids, message):
    model = make_model()
    model.vocabulary = sr.data.Vocabulary([f"film {i:02d}" for i in range(NUM_ITEMS)])
    with pytest.raises(ValueError, match=message):
        model.extend_items(2, ids=ids)
    assert model.num_items == len(model.vocabulary) == NUM_ITEMS


def test_ids_tell_how_many_there_are(make_model):
    model = make_model()
    model.vocabulary = sr.data.Vocabulary([f"film {i:02d}" for i in range(NUM_ITEMS)])
    model.extend_items(ids=["new a", "new b"])
    assert model.num_items == len(model.vocabulary) == NUM_ITEMS + 2


def test_a_loss_that_counts_items_must_count_the_new_ones(make_model, sequences):
    def loss(number):
        return sr.losses.SampledSoftmax(
            5, distribution="popularity", item_counts=range(1, number + 1)
        )

    model = make_model(loss=loss(NUM_ITEMS))
    with refused("item_counts", says="30 items.*would have 32"):
        model.extend_items(2)
    model.compile(model.optimizer, loss=loss(NUM_ITEMS + 2))
    model.extend_items(2)
    model.fit(*sequences, verbose=0)


def test_new_ids_take_the_type_of_those_known(make_model):
    model = make_model(num_items=3)
    model.vocabulary = sr.data.Vocabulary([10, 20, 30])
    model.extend_items(2, ids=[50.0, 40.0])
    assert model.vocabulary == sr.data.Vocabulary([10, 20, 30, 50, 40])
    with pytest.raises(ValueError, match="ids holds 40.5, but the known ids are"):
        model.extend_items(1, ids=[40.5])
    assert model.num_items == 5
