"""How models score items: `tied`, `normalize` and `temperature`."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.models.freezing import set_frozen
from stackrec_keras.models.scorer import Scorer

METHODS = {method.name: method for method in sr.stacking.methods()}
SCORINGS = [
    {"tied": tied, "normalize": normalize, "temperature": temperature}
    for tied, normalize, temperature in itertools.product(
        (False, True), (False, True), (1.0, 0.25)
    )
]
COSINES = {"tied": True, "normalize": True, "temperature": 0.05}


def test_every_way_to_score_gives_the_formula(make_model, sequences):
    for scoring in SCORINGS:
        model = make_model(**scoring)
        check_scores(model, sequences)


@pytest.mark.every_backend
def test_cosines_with_one_table_are_learned_and_survive_all_changes(
    sequences, tmp_path
):
    model = sr.SASRec(NUM_ITEMS, 10, 8, num_blocks=1, **COSINES)
    model.compile(keras.optimizers.Adam(1e-2), sr.losses.SampledSoftmax(8))
    x, y = sequences
    growing = sr.StackingCallback("stackC", {3: 2})
    history = model.fit(x, y, 16, epochs=6, verbose=0, callbacks=[growing]).history
    assert history["loss"][-1] < 0.9 * history["loss"][0]
    check_scores(model, sequences)
    expected = model.predict(x, verbose=0)
    model.extend_items(2, init="random")
    np.testing.assert_allclose(model.predict(x, verbose=0)[:, :-2], expected, 1e-4)
    model.fit(x, y, 16, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert (loaded.tied, loaded.normalize, loaded.temperature) == (True, True, 0.05)
    assert loaded.optimizer.iterations == model.optimizer.iterations
    check_scores(loaded, sequences)
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), 1e-5
    )


def test_mixed_precision_takes_norms_in_float32(sequences):
    # XLA has no products in float16 on a CPU.
    on_jax = keras.backend.backend() == "jax"
    policy = "mixed_bfloat16" if on_jax else "mixed_float16"
    model = sr.SASRec(NUM_ITEMS, 10, 8, dtype=policy, **COSINES)
    table = model.item_embedding.embeddings
    table.assign(np.random.default_rng(0).normal(size=table.shape))
    hidden = ops.cast(np.random.default_rng(1).normal(size=(4, 8)) * 300, "float16")
    y = np.arange(4) + 1
    model.compile()
    loss = float(model.training_loss(ops.convert_to_tensor(y), hidden, None))
    scores = formula(model, ops.convert_to_numpy(hidden).astype("float64"))
    assert loss == pytest.approx(cross_entropy(scores, y), rel=2e-2)
    model.fit(*sequences, epochs=1, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    # `recommend` has other programs than `predict`, whose states differ a little.
    check_scores(model, sequences, atol=0.3 if on_jax else 0.02)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_losses_get_what_scores_are_made_of(scoring, make_model, sequences):
    model = make_model(**scoring)
    x, y = (values[:4] for values in sequences)
    hidden = _numpy(model(x))
    loss = float(model.training_loss(ops.convert_to_tensor(y), model(x), None))
    scores = formula(model, hidden.reshape(-1, 8))
    assert loss == pytest.approx(cross_entropy(scores, y.ravel()), rel=1e-4)


def test_vectors_of_zeros_and_states_without_a_target_have_finite_gradients(
    make_model,
):
    torch = pytest.importorskip("torch")
    if keras.backend.backend() != "torch":
        pytest.skip("gradients are taken with torch")
    model = make_model(**COSINES)
    table = model.item_embedding.embeddings
    table.assign(np.where(np.arange(table.shape[0])[:, None] == 3, 0, _numpy(table)))
    states = np.ones((2, 3, 8), "float32")
    states[0, 0] = np.nan
    states[1, 1] = 0
    states = torch.tensor(states, requires_grad=True)
    y = ops.convert_to_tensor([[0, 3, 4], [3, 5, 6]])
    model.training_loss(y, states, None).backward()
    assert torch.isfinite(states.grad).all() and (states.grad[0, 0] == 0).all()
    assert torch.isfinite(table.value.grad).all()


def test_a_tied_model_has_one_table_and_no_biases(make_model):
    plain, tied = make_model(), make_model(tied=True)
    assert len(plain.weights) == len(tied.weights) + 2
    assert tied.output_table.weights == []
    cosines = make_model(normalize=True)
    assert [w.name for w in cosines.output_table.weights] == ["table"]


@pytest.mark.parametrize("inherit", ["all", "paper"])
@pytest.mark.parametrize("method", METHODS)
def test_a_tied_model_grows_with_every_method(method, inherit, make_model, sequences):
    model = make_model(**COSINES)
    model.fit(*sequences, 32, verbose=0)
    before = _numpy(model.item_embedding.embeddings)
    model.grow(method, 4, inherit=inherit, seed=0)
    after = _numpy(model.item_embedding.embeddings)
    keeps = METHODS[method].keeps_rest
    assert np.array_equal(before, after) == keeps
    model.fit(*sequences, 32, verbose=0)
    assert not np.array_equal(after, _numpy(model.item_embedding.embeddings))
    check_scores(model, sequences)


def test_weights_from_before_an_extension_fit_a_tied_model(make_model, sequences):
    model = make_model(**COSINES)
    weights = model.get_weights()
    expected = model.predict(sequences[0], verbose=0)
    model.extend_items(3)
    model.fit(*sequences, 32, verbose=0)
    with pytest.warns(sr.errors.StackRecWarning, match="3 items"):
        model.set_weights(weights)
    found = model.predict(sequences[0], verbose=0)
    np.testing.assert_allclose(found[:, :-3], expected, 1e-5)


def test_weights_of_an_untied_model_are_refused(make_model, tmp_path):
    plain, tied = make_model(), make_model(tied=True)
    path = tmp_path / "a.weights.h5"
    for source, model in ((plain, tied), (tied, plain)):
        source.save_weights(path)
        before = model.get_weights()
        with refused("filepath", says=f"tied={source.tied} instead of {model.tied}"):
            model.load_weights(path)
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_freezing_a_tied_model_leaves_its_table_to_be_trained(make_model, sequences):
    model = make_model(tied=True)
    set_frozen(model, True)
    assert model.trainable_variables == [model.item_embedding.embeddings]
    model.fit(*sequences, 32, verbose=0, callbacks=[sr.FreezeStack(1)])
    assert len(model.trainable_variables) == len(model.weights)


def test_a_transfer_from_a_tied_model(make_model, sequences, tmp_path):
    x = sequences[0]
    source = make_model(**COSINES)
    model = sr.TransferRecommender(source, 20, normalize=True, temperature=0.1)
    model.compile()
    freezing = sr.FreezeStack(1)
    model.fit(x, x[:, -1] % 20 + 1, 32, epochs=2, verbose=0, callbacks=[freezing])
    model.grow("stackA")
    model.extend_items(2)
    model.extend_targets(3)
    assert model.source.item_embedding.embeddings.shape[0] == NUM_ITEMS + 3
    assert model.output_table.table.shape[0] == 24
    check_scores(model, sequences)
    model.save(tmp_path / "a.keras")
    loaded = keras.saving.load_model(tmp_path / "a.keras")
    assert loaded.source.tied and loaded.temperature == 0.1
    check_scores(loaded, sequences)


def test_files_from_before_these_options_load(make_model):
    model = make_model()
    config = model.get_config()
    for name in ("tied", "normalize", "temperature"):
        del config[name]
    copy = type(model).from_config(config)
    assert copy.get_config() == model.get_config()


def test_similar_items_of_a_tied_model(make_model):
    model = make_model(**COSINES)
    vectors = _unit(_numpy(model.item_embedding.embeddings).astype("float64"))
    cosines = vectors[1:] @ vectors[5]
    cosines[4] = -np.inf
    ids, scores = model.similar_items([5], k=2)
    assert ids[0].tolist() == (np.argsort(-cosines)[:2] + 1).tolist()
    np.testing.assert_allclose(scores[0], np.sort(cosines)[::-1][:2], 1e-5)


def test_what_cannot_be_tied_is_refused(make_model):
    with refused("tied", True):
        sr.SSEPT(NUM_ITEMS, 5, 10, item_dim=4, user_dim=4, tied=True)
    with refused("tied", True):
        sr.TransferRecommender(make_model(), 20, tied=True)


@pytest.mark.parametrize("temperature", [0, -1, float("inf"), float("nan"), "low"])
def test_a_temperature_is_a_finite_number_above_0(temperature):
    with refused("temperature"):
        sr.NextItNet(NUM_ITEMS, temperature=temperature)


@pytest.mark.parametrize("name", ["tied", "normalize"])
def test_switches_are_booleans(name):
    with refused(name, "yes"):
        sr.NextItNet(NUM_ITEMS, **{name: "yes"})


def test_a_misspelt_option_is_recognized():
    with refused("temprature", says="temperature"):
        sr.NextItNet(NUM_ITEMS, temprature=0.1)


@pytest.mark.parametrize("name", ["tied", "normalize"])
def test_checkpoints_of_stackrec_need_a_table_and_biases(name, make_model):
    with refused("model", says=f"{name}=False"):
        sr.convert.load_stackrec_weights(make_model(**{name: True}), {})


def check_scores(model, sequences, atol=1e-4):
    """Checks all that scores against the formula."""
    x, y = sequences[0][:8], sequences[1][:8, -1]
    hidden = _numpy(model(x)).astype("float64")[:, -1]
    expected = formula(model, hidden)
    scorer = Scorer(model)(x)
    for scores in (model.score(x), model.predict(x, verbose=0), scorer):
        np.testing.assert_allclose(_numpy(scores)[:, 1:], expected[:, 1:], atol=atol)
    k = min(model.num_targets, 20)
    ids, scores = model.recommend(x, k=k, exclude_seen=False)
    np.testing.assert_allclose(
        scores, np.take_along_axis(expected, ids, axis=1), atol=atol
    )
    np.testing.assert_allclose(scores, -np.sort(-expected)[:, :k], atol=atol)
    some = model.recommend(x, k=2, exclude_seen=False, items=[3, 7])
    np.testing.assert_allclose(
        some[1], np.take_along_axis(expected, some[0], axis=1), atol=atol
    )
    if model.compiled and model.scores_what_it_reads:
        loss = model.evaluate(x, y, verbose=0, return_dict=True, exclude_seen=False)
        assert loss["loss"] == pytest.approx(cross_entropy(expected, y), abs=atol)


def formula(model, hidden):
    """Returns the scores of hidden states `(n, dim)` as the docs define them, -inf for
    the padding."""
    layer = model.output_table
    table = model.item_embedding.embeddings if model.tied else layer.table
    table = _numpy(table).astype("float64")
    if model.normalize:
        hidden, table = _unit(hidden), _unit(table)
    scores = hidden @ table.T / model.temperature
    if not (model.tied or model.normalize):
        scores = scores + _numpy(layer.bias)
    scores[:, 0] = -np.inf
    return scores


def cross_entropy(scores, y):
    """Returns the mean over the rows that have a target."""
    losses = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]
    return losses[y > 0].mean()


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)


def _numpy(tensor):
    return ops.convert_to_numpy(tensor)
