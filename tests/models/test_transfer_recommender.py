import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr

NUM_TARGETS = 20


@pytest.fixture
def pairs(sequences):
    """(x, y): a history, and the one target item that its last item leads to."""
    x = sequences[0]
    return x, x[:, -1] % NUM_TARGETS + 1


@pytest.fixture
def transfer(make_model):
    """A small compiled TransferRecommender of 2 blocks whose gates are open."""
    model = sr.TransferRecommender(make_model(), NUM_TARGETS)
    model.compile()
    return model


def test_the_last_hidden_state_of_the_source_model_scores_the_targets(kind, pairs):
    source = kind.build()
    model = sr.TransferRecommender(source, NUM_TARGETS)
    x = kind.inputs(pairs[0])
    np.testing.assert_array_equal(_numpy(model(x)), _numpy(source(x)))
    table, bias = (_numpy(v) for v in model.output_table.weights)
    expected = _numpy(source(x))[:, -1] @ table.T + bias
    scores = _numpy(model.score(x))
    assert scores.shape == (64, NUM_TARGETS + 1)
    assert np.isneginf(scores[:, 0]).all()
    np.testing.assert_allclose(scores[:, 1:], expected[:, 1:], atol=1e-5)
    predicted = model.predict(x, verbose=0)
    np.testing.assert_allclose(predicted[:, 1:], scores[:, 1:], atol=1e-5)


def test_it_grows_within_a_fit_learns_recommends_and_is_saved(
    trained_kind, pairs, tmp_path
):
    x, y = trained_kind.inputs(pairs[0]), pairs[1]
    model = sr.TransferRecommender(trained_kind.build(), NUM_TARGETS)
    metrics = ["mrr@5", "hit_rate@5", sr.metrics.SampledMRR(5, num_negatives=9)]
    model.compile(keras.optimizers.Adam(3e-2), metrics=metrics)
    history = model.fit(
        x,
        y,
        batch_size=32,
        epochs=12,
        verbose=0,
        validation_data=(x, y),
        callbacks=[sr.StackingCallback("stackC", {2: 4})],
    ).history
    assert history["num_blocks"] == [2] * 2 + [4] * 10
    assert history["val_hit_rate@5"][-1] > 0.8
    assert history["val_mrr@5"][-1] > 0.3
    assert history["val_sampled_mrr@5"][-1] > 0.6
    ids, scores = model.recommend(x, k=NUM_TARGETS)
    assert (np.sort(ids, axis=1) == np.arange(1, NUM_TARGETS + 1)).all()
    assert (np.diff(scores, axis=1) <= 0).all()
    model.save(tmp_path / "deep.keras")
    loaded = keras.saving.load_model(tmp_path / "deep.keras")
    assert (loaded.num_blocks, loaded.initial_blocks) == (4, 2)
    _assert_same_state(loaded, model)
    found = loaded.evaluate(x, y, verbose=0, return_dict=True)
    assert found["mrr@5"] == pytest.approx(history["val_mrr@5"][-1], abs=1e-6)
    assert found["sampled_mrr@5"] == pytest.approx(
        history["val_sampled_mrr@5"][-1], abs=1e-6
    )


def test_the_model_that_it_was_made_from_stays_as_it_is(make_model):
    source = make_model()
    before = source.get_weights()
    model = sr.TransferRecommender(source, NUM_TARGETS)
    model.set_weights([weight + 1 for weight in model.get_weights()])
    model.grow("stackC")
    assert source.num_blocks == 2 and source.output_table.trainable
    for old, now in zip(before, source.get_weights(), strict=True):
        np.testing.assert_array_equal(now, old)


def test_it_takes_over_what_the_source_model_knows_of_its_data(make_model, sequences):
    source = make_model()
    source.vocabulary = sr.data.Vocabulary(np.arange(100, 100 + NUM_ITEMS))
    source.trained_length = 10
    source.grow("stackC")
    model = sr.TransferRecommender(source, NUM_TARGETS)
    assert model.vocabulary == source.vocabulary
    assert model.target_vocabulary is None
    assert (model.num_items, model.num_targets) == (NUM_ITEMS, NUM_TARGETS)
    assert (model.num_blocks, model.initial_blocks) == (4, 4)
    assert model.trained_length == 10
    sasrec = sr.SASRec(NUM_ITEMS, max_length=4, embedding_dim=8)
    model = sr.TransferRecommender(sasrec, NUM_TARGETS)
    assert model.max_length == 4
    x = sequences[0]
    np.testing.assert_array_equal(_numpy(model(x)), _numpy(model(x[:, -4:])))


def test_raw_ids_go_in_by_one_vocabulary_and_come_out_by_the_other(transfer, tmp_path):
    transfer.vocabulary = sr.data.Vocabulary([f"tea {i}" for i in range(NUM_ITEMS)])
    transfer.target_vocabulary = sr.data.Vocabulary(
        [f"pot {i}" for i in range(NUM_TARGETS)]
    )
    history = ["tea 4", "tea 2"]
    ids, _ = transfer.recommend([history], k=3)
    indices, _ = transfer.recommend(np.array([[5, 3]]), k=3)
    assert ids.tolist() == [[f"pot {i - 1}" for i in indices[0]]]
    transfer.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.vocabulary == transfer.vocabulary
    assert loaded.target_vocabulary == transfer.target_vocabulary
    assert loaded.recommend([history], k=3)[0].tolist() == ids.tolist()


def test_a_target_vocabulary_that_does_not_fit_is_refused_when_it_is_set(transfer):
    with refused("target_vocabulary", says="has 2 items, but the model"):
        transfer.target_vocabulary = sr.data.Vocabulary(["pot", "pan"])
    ids = list(pd.to_timedelta(range(NUM_TARGETS), unit="s"))
    with pytest.raises(TypeError, match="cannot be written to a file"):
        transfer.target_vocabulary = sr.data.Vocabulary(ids)
    ids = [*map(str, range(NUM_TARGETS - 1)), "caf\udce9"]
    with pytest.raises(ValueError, match="caf.udce9', which a file cannot hold"):
        transfer.target_vocabulary = sr.data.Vocabulary(ids)
    assert transfer.target_vocabulary is None


def test_without_a_target_vocabulary_target_indices_come_out(transfer):
    transfer.vocabulary = sr.data.Vocabulary([f"tea {i}" for i in range(NUM_ITEMS)])
    ids, _ = transfer.recommend([["tea 4"]], k=2)
    assert ids.dtype.kind == "i" and ids.min() >= 1


def test_weights_of_any_depth_load_into_it(transfer, make_model, tmp_path):
    transfer.grow("stackC", num_blocks=5)
    transfer.save_weights(tmp_path / "deep.weights.h5")
    other = sr.TransferRecommender(make_model(), NUM_TARGETS)
    other.compile()
    other.load_weights(tmp_path / "deep.weights.h5")
    assert other.num_blocks == other.source.num_blocks == 5
    _assert_same_state(other, transfer)


@pytest.mark.parametrize("inherit", ["all", "paper"])
def test_a_growth_carries_the_tables_or_draws_them_anew(transfer, inherit):
    before = {v.path: _numpy(v) for v in transfer.weights}
    transfer.grow("stackC", inherit=inherit)
    after = {v.path: _numpy(v) for v in transfer.weights}
    assert list(before) == list(after)
    for path in ("item_embedding/embeddings", "target_table/table"):
        kept = inherit == "all" or path.startswith("item")
        assert (before[path] == after[path]).all() == kept, path
    kernel = after["stack/kernel1"]
    np.testing.assert_array_equal(
        kernel, np.tile(before["stack/kernel1"], (2, 1, 1, 1))
    )


def test_the_target_vectors_may_be_regularized(transfer, make_model, pairs, tmp_path):
    model = sr.TransferRecommender(
        make_model(), NUM_TARGETS, target_regularizer=keras.regularizers.L2(0.01)
    )
    model.set_weights(transfer.get_weights())
    model.compile()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    plain, *regularized = (
        float(_numpy(each.compute_loss(*pairs, each(pairs[0]))))
        for each in (transfer, model, loaded)
    )
    penalty = 0.01 * (_numpy(model.output_table.table) ** 2).sum()
    assert penalty > 1e-4
    assert regularized == pytest.approx([plain + penalty] * 2, rel=1e-5)


@pytest.mark.every_backend
def test_both_catalogues_grow_in_place(transfer, pairs):
    x, y = pairs
    before = transfer.predict(x, verbose=0)
    transfer.extend_items(3)
    transfer.extend_targets(2)
    assert (transfer.num_items, transfer.num_targets) == (
        NUM_ITEMS + 3,
        NUM_TARGETS + 2,
    )
    after = transfer.predict(x, verbose=0)
    np.testing.assert_allclose(after[:, 1:-2], before[:, 1:], atol=1e-5)
    transfer.fit(
        np.append(x, np.full((1, 10), NUM_ITEMS + 3, "int32"), axis=0),
        np.append(y, NUM_TARGETS + 2),
        verbose=0,
    )
    copy = sr.TransferRecommender.from_config(transfer.get_config())
    assert [w.shape for w in copy.weights] == [w.shape for w in transfer.weights]


def test_new_targets_have_raw_ids(transfer):
    transfer.target_vocabulary = sr.data.Vocabulary(np.arange(NUM_TARGETS))
    with refused("ids", None):
        transfer.extend_targets(2)
    transfer.extend_targets(2, ids=[50, 60])
    assert transfer.target_vocabulary.encode([60]) == NUM_TARGETS + 2


def test_targets_of_every_position_are_refused(transfer, sequences):
    windows = sr.data.Windows(sequences[0] % NUM_TARGETS, np.arange(64))
    for data in (windows.arrays(), [windows.batches(8)]):
        with refused("y", says=r"shape \(\d+, 9\), but must .* \(batch,\)"):
            transfer.fit(*data, verbose=0)


def test_ids_beyond_the_two_catalogues_are_refused(transfer, pairs):
    x, y = pairs
    with refused("y", says=f"item ids .* knows 1 to {NUM_TARGETS},"):
        transfer.fit(x, np.full_like(y, NUM_TARGETS + 1))
    with refused("x", says=f"item ids .* knows 1 to {NUM_ITEMS},"):
        transfer.evaluate(np.full_like(x, NUM_ITEMS + 1), y)
    with refused("k", received=NUM_TARGETS + 1):
        transfer.recommend(x, k=NUM_TARGETS + 1)


@pytest.mark.parametrize(
    "model, num_targets, argument",
    [(None, 0, "num_targets"), (keras.Sequential(), 3, "model")],
)
def test_what_cannot_be_wrapped_is_refused(make_model, model, num_targets, argument):
    with refused(argument, num_targets if model is None else model):
        sr.TransferRecommender(model or make_model(), num_targets)


def test_a_transfer_recommender_is_not_wrapped_again(transfer):
    with refused("model", says="model.source"):
        sr.TransferRecommender(transfer, 3)


def test_a_target_vocabulary_of_another_size_is_refused(transfer):
    with refused("target_vocabulary", says="3 items, but .* num_targets=20"):
        transfer.target_vocabulary = sr.data.Vocabulary([1, 2, 3])


def _assert_same_state(first, second):
    pairs = [
        *zip(first.weights, second.weights, strict=True),
        *zip(first.optimizer.variables, second.optimizer.variables, strict=True),
    ]
    for ours, theirs in pairs:
        np.testing.assert_array_equal(_numpy(ours), _numpy(theirs), err_msg=ours.path)


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)
