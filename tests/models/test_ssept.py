import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr

NUM_USERS = 6


@pytest.fixture
def make_ssept():
    def make(**arguments):
        quiet = {"dropout": 0.0, "user_noise": 0.0, "item_noise": 0.0}
        sizes = {"item_dim": 4, "user_dim": 6, "num_blocks": 2}
        model = sr.SSEPT(NUM_ITEMS, NUM_USERS, 10, **{**sizes, **quiet, **arguments})
        # Larger than they start, so that users tell.
        for table in (model.item_embedding, model.user_embedding):
            table.set_weights([table.get_weights()[0] * 100])
        return model

    return make


@pytest.fixture
def x(sequences):
    users = np.arange(len(sequences[0])) % NUM_USERS
    return {"items": sequences[0], "users": users}


def test_the_user_tells_and_stands_first(make_ssept, x):
    model = make_ssept()
    vectors = _numpy(model.embed(x, training=False))
    assert vectors.shape == (64, 10, 10)
    users = model.user_embedding.get_weights()[0]
    np.testing.assert_array_equal(vectors[:, 3, :6], users[x["users"]])
    other = {**x, "users": (x["users"] + 1) % NUM_USERS}
    assert np.abs(_numpy(model.score(x)) - _numpy(model.score(other)))[:, 1:].max() > 0


@pytest.mark.parametrize("unknown", [-1, NUM_USERS, 999])
def test_an_unknown_user_gets_the_mean_of_all(make_ssept, x, sequences, unknown):
    model = make_ssept()
    users = np.full(64, unknown)
    vectors = _numpy(model.embed({**x, "users": users}, training=False))
    mean = model.user_embedding.get_weights()[0].mean(axis=0)
    np.testing.assert_allclose(vectors[:, :, :6] - mean, 0, atol=1e-6)
    np.testing.assert_allclose(
        _numpy(model(x["items"])), _numpy(model({**x, "users": users})), atol=1e-6
    )
    for unknown_users in (users, users.tolist()):
        ids, _ = model.recommend({**x, "users": unknown_users}, k=3)
        np.testing.assert_array_equal(ids, model.recommend(x["items"], k=3)[0])
    model.compile()
    targets = sequences[1][:, -1]
    found = model.evaluate({**x, "users": users}, targets, verbose=0)
    assert found == pytest.approx(model.evaluate(x["items"], targets, verbose=0))


def test_noise_replaces_users_and_items_in_training_alone(make_ssept, x):
    model = make_ssept(user_noise=0.5, item_noise=0.3)
    before = {name: value.copy() for name, value in x.items()}
    quiet = _numpy(model.embed(x, training=False))
    noisy = _numpy(model.embed(x, training=True))
    users_changed = (quiet[..., :6] != noisy[..., :6]).any(axis=(1, 2)).mean()
    items_changed = (quiet[..., 6:] != noisy[..., 6:]).any(axis=2)
    # A random id is the right one now and then.
    assert users_changed == pytest.approx(0.5 * 5 / 6, abs=0.15)
    assert items_changed[:, :-1].mean() == pytest.approx(0.3, abs=0.06)
    assert not items_changed[:, -1].any()
    for name, value in x.items():
        np.testing.assert_array_equal(value, before[name])


def test_noise_never_touches_padding(make_ssept, x):
    model = make_ssept(item_noise=0.9)
    x["items"][:, :4] = 0
    quiet = _numpy(model.embed(x, training=False))
    noisy = _numpy(model.embed(x, training=True))
    assert (quiet[:, :4] == noisy[:, :4]).all() and (quiet != noisy).any()


@pytest.mark.every_backend
def test_fit_draws_noise_anew_each_step_and_predict_none(make_ssept, x, sequences):
    model = make_ssept(user_noise=0.8)
    model.compile(keras.optimizers.SGD(0.0))
    fit = {"batch_size": 64, "verbose": 0, "shuffle": False}
    losses = model.fit(x, sequences[1], epochs=3, **fit).history["loss"]
    assert len(set(losses)) == 3
    quiet = make_ssept()
    quiet.set_weights(model.get_weights())
    np.testing.assert_array_equal(
        model.predict(x, verbose=0), quiet.predict(x, verbose=0)
    )


def test_it_recommends_to_users_with_raw_items(make_ssept):
    model = make_ssept()
    model.vocabulary = sr.data.Vocabulary([f"film {i:02d}" for i in range(NUM_ITEMS)])
    histories = [["film 03", "film 04"], ["film 03", "film 04"]]
    ids, scores = model.recommend({"items": histories, "users": [0, 1]}, k=3)
    assert ids.shape == (2, 3) and str(ids[0, 0]).startswith("film")
    assert (scores[0] != scores[1]).any()
    _, same = model.recommend({"items": histories, "users": [1, 1]}, k=3)
    np.testing.assert_allclose(same[0], scores[1], atol=1e-6)


@pytest.mark.parametrize(
    "change, argument, reason",
    [
        (
            {"users": np.full(64, NUM_USERS)},
            "x['users']",
            "from 6 to 6.*knows 0 to 5",
        ),
        (
            {"users": np.full(64, 0.5)},
            "x['users']",
            "of type float64, which must be integers",
        ),
        ({"ages": np.zeros(64)}, "x", "has 'ages', .* takes only 'items', 'users'"),
        ({"items": np.full((64, 10), 99)}, "x", "item ids from 99 to 99"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    make_ssept, x, sequences, change, argument, reason
):
    model = make_ssept()
    model.compile()
    with refused(argument, says=reason):
        model.fit({**x, **change}, sequences[1], verbose=0)


def test_batches_with_too_many_users_are_refused(make_ssept, sequences):
    model = make_ssept()
    model.compile()
    windows = sr.data.Windows(sequences[0], np.arange(64))
    with refused("x['users']", says="users from 0 to 63"):
        model.fit(windows.batches(16, with_users=True), verbose=0)


def test_training_without_users_is_refused(make_ssept, sequences):
    model = make_ssept()
    model.compile()
    windows = sr.data.Windows(sequences[0], np.arange(64) % NUM_USERS)
    for data in (sequences, (windows.batches(16),)):
        with refused("x", says=r"lacks 'users'.*features=model\.features"):
            model.fit(*data, verbose=0)


def test_a_number_of_users_that_is_not_that_of_histories_is_refused(make_ssept, x):
    with refused("x['users']", says=r"\(64,\), one value for each history"):
        make_ssept().recommend({"items": x["items"], "users": [1, 2]})


@pytest.mark.parametrize("shape", [(63,), (64, 1)])
def test_users_that_are_not_one_for_each_row_are_refused(make_ssept, x, shape):
    model = make_ssept()
    wrong = {**x, "users": np.zeros(shape, "int32")}
    for read in (model.predict, model.score):
        with refused("x['users']", says="one user for each row"):
            read(wrong)


def test_a_model_without_users_refuses_them(make_model, x, sequences):
    model = make_model()
    for run in (
        lambda: model.fit(x, sequences[1], verbose=0),
        lambda: model.recommend(x),
    ):
        with refused("x", says="has 'users', but this model takes only 'items'"):
            run()


def _numpy(tensor):
    return np.array(keras.ops.convert_to_numpy(tensor))


def test_raw_ids_of_users_are_refused_with_the_way_to_their_indices():
    model = sr.SSEPT(NUM_ITEMS, NUM_USERS, max_length=4, item_dim=4, user_dim=4)
    with refused("x['users']", says="'C-01'.* windows.user_ids"):
        model.recommend({"items": [[1, 2]], "users": ["C-01"]})
    column = pd.Series([1], index=[7])
    ids, _ = model.recommend({"items": [[1, 2]], "users": column})
    assert (ids == model.recommend({"items": [[1, 2]], "users": [1]})[0]).all()
