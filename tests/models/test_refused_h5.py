import keras
import pytest
from refusals import refused


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5", "m.weights.h5", "m"])
def test_a_model_is_saved_only_as_keras(make_model, tmp_path, name):
    with refused("filepath", str(tmp_path / name)):
        make_model(num_blocks=1).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_what_can_be_loaded_is_saved(make_model, tmp_path):
    model = make_model(num_blocks=2)
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "folder", zipped=False)
    model.save_weights(tmp_path / "m.weights.h5")
    for path in (tmp_path / "m.keras", tmp_path / "folder"):
        assert keras.saving.load_model(path).num_blocks == 2


def test_keras_own_function_refuses_too(make_model, tmp_path):
    model = make_model(num_blocks=1)
    with refused("filepath"):
        keras.saving.save_model(model, tmp_path / "m.h5")
    inputs = keras.Input((4,), dtype="int32")
    outer = keras.Model(inputs, keras.layers.Dense(2)(model(inputs)))
    with refused("filepath"):
        outer.save(tmp_path / "outer.h5")
    model.save(tmp_path / "m.keras")  # the refusal left nothing behind


@pytest.mark.parametrize("as_list", [True, False])
def test_a_checkpoint_is_refused_before_training(make_model, sequences, as_list):
    model = make_model(num_blocks=1)
    callbacks = [keras.callbacks.ModelCheckpoint("best-{epoch}.h5")]
    if not as_list:
        callbacks = keras.callbacks.CallbackList(callbacks, model=model)
    with refused("ModelCheckpoint: filepath", "best-{epoch}.h5"):
        model.fit(*sequences, verbose=0, callbacks=callbacks)
    assert int(model.optimizer.iterations) == 0


def test_a_checkpoint_of_weights_is_accepted(make_model, sequences, tmp_path):
    path = tmp_path / "best.weights.h5"
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    x, y = (part[:4] for part in sequences)
    make_model(num_blocks=1).fit(x, y, verbose=0, callbacks=[checkpoint])
    assert path.exists()
