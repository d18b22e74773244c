import keras
import numpy as np
import pandas as pd
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.models import checkpoint


@pytest.fixture
def trained(make_model, sequences):
    model = make_model(optimizer=keras.optimizers.Adam(1e-2))
    model.fit(*sequences, epochs=2, verbose=0)
    model.grow("stackR", num_blocks=4, seed=1)
    model.fit(*sequences, epochs=1, verbose=0)
    return model


@pytest.mark.every_backend
def test_a_keras_file_gives_back_model_optimizer_and_vocabulary(
    trained, sequences, tmp_path
):
    trained.vocabulary = sr.data.Vocabulary([f"film {i:02d}" for i in range(NUM_ITEMS)])
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.num_blocks, loaded.initial_blocks) == (4, 2)
    assert loaded.trained_length == 10
    assert loaded.vocabulary == trained.vocabulary
    _assert_same_state(loaded, trained)
    for model in (loaded, trained):
        model.fit(*sequences, epochs=2, shuffle=False, verbose=0)
    _assert_same_state(loaded, trained, atol=1e-6)


def test_a_vocabulary_is_in_utf8_whatever_the_locale(make_model, tmp_path, monkeypatch):
    def open_in_ascii(path, mode="r", encoding="ascii"):
        return open(path, mode, encoding=encoding)

    monkeypatch.setattr(checkpoint, "open", open_in_ascii, raising=False)
    model = make_model(num_items=2)
    model.vocabulary = sr.data.Vocabulary(["Amélie", "千と千尋"])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.vocabulary == model.vocabulary


def test_loss_and_metrics_come_back_from_a_file(make_model, tmp_path):
    model = make_model(compiled=False)
    loss = sr.losses.SampledSoftmax(7, include_padding=True)
    model.compile(keras.optimizers.SGD(0.5), loss, ["mrr@3", sr.metrics.NDCG(7)])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.get_config() == loss.get_config()
    assert [m.name for m in loaded.metrics] == ["loss", "mrr@3", "ndcg@7"]
    assert float(loaded.optimizer.learning_rate) == 0.5


def test_a_file_that_was_saved_on_torch_comes_back_on_any_backend(make_model):
    model = make_model(optimizer=keras.optimizers.AdamW(0.5))
    config = model.get_compile_config()
    config["optimizer"]["module"] = "keras.src.backend.torch.optimizers.torch_adamw"
    wrapped = {"inner_optimizer": config["optimizer"], "name": "scaled"}
    for optimizer in (
        config["optimizer"],
        {
            "module": "keras.optimizers",
            "class_name": "LossScaleOptimizer",
            "config": wrapped,
        },
    ):
        model.compile_from_config({**config, "optimizer": optimizer})
        found = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        assert type(found) is type(keras.optimizers.AdamW())
        assert float(found.learning_rate) == 0.5


def test_weights_of_a_deeper_file_grow_model_and_optimizer(
    trained, make_model, tmp_path
):
    trained.save_weights(tmp_path / "deep.weights.h5")
    shallow = make_model(num_blocks=1)
    shallow.load_weights(tmp_path / "deep.weights.h5")
    assert (shallow.num_blocks, shallow.initial_blocks) == (4, 2)
    _assert_same_state(shallow, trained)


def flip_a_bit(path, of):
    """Flips a bit in a file, in the middle of the bytes `of`."""
    data = bytearray(path.read_bytes())
    data[data.index(of) + len(of) // 2] ^= 64
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["m.weights.h5", "m.keras"])
def test_weights_with_a_flipped_bit_are_refused_and_change_nothing(
    trained, make_model, tmp_path, name
):
    path = tmp_path / name
    save = trained.save if name == "m.keras" else trained.save_weights
    save(path)
    flip_a_bit(path, trained.get_weights()[0].tobytes())
    model = make_model(num_blocks=1)
    before = model.get_weights()
    with refused("filepath", str(path), "is damaged"):
        model.load_weights(path)
    assert model.num_blocks == 1
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_that_another_version_wrote_without_a_checksum_load(
    trained, make_model, tmp_path
):
    keras.Model.save_weights(trained, tmp_path / "old.weights.h5")
    model = make_model(num_blocks=1)
    model.load_weights(tmp_path / "old.weights.h5")
    _assert_same_state(model, trained)


def test_weights_in_shards_load(trained, make_model, tmp_path):
    trained.save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    model = make_model(num_blocks=1)
    model.load_weights(tmp_path / "m.weights.json")
    _assert_same_state(model, trained)


def test_weights_of_a_shallower_file_shrink_the_model(make_model, tmp_path):
    make_model(num_blocks=2).save_weights(tmp_path / "shallow.weights.h5")
    deep = make_model(num_blocks=6)
    deep.load_weights(tmp_path / "shallow.weights.h5")
    assert deep.num_blocks == 2


@pytest.mark.every_backend
def test_a_model_grown_by_a_file_evaluates_and_trains(
    trained, make_model, sequences, tmp_path
):
    trained.save_weights(tmp_path / "deep.weights.h5")
    x, y = sequences
    model = make_model()
    model.fit(x, y, verbose=0)
    model.predict(x, verbose=0)
    model.load_weights(tmp_path / "deep.weights.h5")
    np.testing.assert_allclose(
        model.predict(x, verbose=0)[:, 1:], trained.predict(x, verbose=0)[:, 1:]
    )
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])


def test_a_file_that_cannot_fit_names_its_depth_and_changes_nothing(
    trained, make_model, tmp_path
):
    trained.save_weights(tmp_path / "deep.weights.h5")
    other = make_model(num_items=NUM_ITEMS + 1)
    before = other.get_weights()
    state = [keras.ops.convert_to_numpy(v) for v in other.optimizer.variables]
    path = tmp_path / "deep.weights.h5"
    says = "holds 4 blocks, num_items=30 instead of 31. .* with any num_blocks"
    with refused("filepath", str(path), says):
        other.load_weights(path)
    assert (other.num_blocks, other.initial_blocks) == (2, 2)
    for old, new in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(state, other.optimizer.variables, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(new))


def test_a_file_of_another_kind_of_model_is_refused(make_model, tmp_path):
    foreign = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    foreign.save_weights(tmp_path / "foreign.weights.h5")
    with refused("filepath", says="the file holds no depth"):
        make_model().load_weights(tmp_path / "foreign.weights.h5")


def test_a_file_of_another_architecture_or_width_says_what_differs(
    make_model, tmp_path
):
    path = tmp_path / "sasrec.weights.h5"
    sr.SASRec(NUM_ITEMS, max_length=9, embedding_dim=16).save_weights(path)
    with refused("filepath") as error:
        make_model().load_weights(path)
    assert "class='SASRec' instead of 'NextItNet'" in error.value.reason
    assert "embedding_dim=16 instead of 8" in error.value.reason


def test_a_missing_file_stays_a_missing_file(make_model, tmp_path):
    with pytest.raises(FileNotFoundError):
        make_model().load_weights(tmp_path / "nothing.weights.h5")


def test_set_weights_takes_on_the_depth_of_the_weights(trained, make_model, sequences):
    model = make_model(num_blocks=3)
    model.set_weights(trained.get_weights())
    assert model.num_blocks == 4
    np.testing.assert_array_equal(
        model.predict(sequences[0], verbose=0), trained.predict(sequences[0], verbose=0)
    )
    model.fit(*sequences, verbose=0)


def test_an_optimizer_that_fits_one_depth_alone_is_named(make_model, tmp_path):
    deep = make_model(num_blocks=3, optimizer=keras.optimizers.Adafactor())
    deep.save_weights(tmp_path / "deep.weights.h5")
    model = make_model(optimizer=keras.optimizers.Adafactor())
    before = model.get_weights()
    for call in (
        lambda: model.load_weights(tmp_path / "deep.weights.h5"),
        lambda: model.set_weights(deep.get_weights()),
    ):
        message = "Adafactor cannot follow .* to the 3 blocks.*with num_blocks=3"
        with pytest.raises(ValueError, match=message) as error:
            call()
        assert "any num_blocks" not in str(error.value)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    again = make_model(num_blocks=3, optimizer=keras.optimizers.Adafactor())
    again.load_weights(tmp_path / "deep.weights.h5")
    _assert_same_state(again, deep)


def test_weights_of_another_width_are_refused_and_change_nothing(make_model):
    model = make_model(num_blocks=2)
    wider = make_model(num_blocks=3, embedding_dim=9)
    with pytest.raises(ValueError, match="shape"):
        model.set_weights(wider.get_weights())
    assert model.num_blocks == 2


def test_weights_of_a_wrong_number_are_refused(make_model):
    model = make_model()
    with pytest.raises(ValueError, match="weight list of length 1"):
        model.set_weights(model.get_weights()[:1])


def test_a_vocabulary_of_another_size_is_refused(make_model):
    with refused("vocabulary", says="has 2 items, but the model has num_items=30"):
        make_model().vocabulary = sr.data.Vocabulary(["a", "b"])


def test_a_list_of_ids_is_no_vocabulary(make_model):
    model = make_model(num_items=2)
    for name in ("vocabulary", "target_vocabulary"):
        with refused("vocabulary", received=["a", "b"]):
            setattr(model, name, ["a", "b"])


def test_a_vocabulary_that_no_file_could_hold_is_refused_before_any_training():
    vocabulary = sr.data.Vocabulary([pd.Timedelta(1), pd.Timedelta(2)])
    with pytest.raises(TypeError, match="Timedelta"):
        sr.NextItNet(2, 4, 1).vocabulary = vocabulary
    model = sr.NextItNet(2, 4, 1)
    with pytest.raises(ValueError, match="caf.udce9', which a file cannot hold"):
        model.vocabulary = sr.data.Vocabulary(["tea", "caf\udce9"])
    assert model.vocabulary is None


def test_a_model_without_vocabulary_or_compile_saves_and_loads(make_model, tmp_path):
    model = make_model(compiled=False)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.vocabulary is None and not loaded.compiled
    for old, new in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def _assert_same_state(first, second, atol=0):
    pairs = [
        *zip(first.weights, second.weights, strict=True),
        *zip(first.optimizer.variables, second.optimizer.variables, strict=True),
    ]
    for ours, theirs in pairs:
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours),
            keras.ops.convert_to_numpy(theirs),
            atol=atol,
            err_msg=ours.path,
        )
