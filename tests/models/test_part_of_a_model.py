"""A model that grows while it is a part of another Keras model."""

import keras
import numpy as np
import pytest
from keras import layers

import stackrec_keras as sr


def functional(model):
    inputs = keras.Input((10,), dtype="int32")
    return keras.Model(inputs, layers.Dense(2)(model(inputs)[:, -1]))


def nested(model):
    inputs = keras.Input((10,), dtype="int32")
    return keras.Model(inputs, layers.Dense(2)(functional(model)(inputs)))


def of_its_layers(model):
    inputs = keras.Input((10,), dtype="int32")
    hidden = model.stack(model.item_embedding(inputs))
    return keras.Model(inputs, layers.Dense(2)(hidden[:, -1]))


def sequential(model):
    return keras.Sequential([model, layers.Flatten(), layers.Dense(2)])


class Subclassed(keras.Model):
    def __init__(self, model):
        super().__init__()
        self.part, self.head = model, layers.Dense(2)

    def call(self, x, training=None):
        return self.head(self.part(x, training=training)[:, -1])


class WithItsOwnLoss(Subclassed):
    """Calls the model in it without being called itself."""

    def build(self, input_shape=None):
        self.head.build((None, 8))

    def call(self, x):
        return self.head(self.part.hidden_states({"items": x}, False)[:, -1])

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        return keras.ops.mean((self.head(self.part(x)[:, -1]) - y) ** 2)


@pytest.fixture
def pairs(sequences):
    """32 rows of items, and of two numbers to learn."""
    x = sequences[0][:32]
    return x, np.ones((32, 2), "float32")


ALL = [functional, nested, of_its_layers, sequential, Subclassed, WithItsOwnLoss]


def _compiled(whole, pairs):
    whole.compile("adam", "mse")
    whole.fit(*pairs, batch_size=16, verbose=0)
    return whole


@pytest.mark.parametrize("build", ALL)
def test_every_whole_trains_on_with_the_blocks_that_came(make_model, pairs, build):
    model = make_model(compiled=False)
    whole = _compiled(build(model), pairs)
    _assert_trains_a_growth(whole, model, pairs)


@pytest.mark.parametrize("build", [functional, WithItsOwnLoss])
def test_a_whole_trains_on_and_predicts_with_the_blocks_that_came(
    make_model, pairs, build
):
    # On TensorFlow a compiled function would go on with the blocks of before.
    model = make_model()
    whole = _compiled(build(model), pairs)
    x, y = pairs
    whole.predict(x, verbose=0)
    _assert_trains_a_growth(whole, model, pairs)
    predicted = whole.predict(x, verbose=0)
    np.testing.assert_allclose(predicted, _numpy(whole(x)), atol=1e-5)


def _assert_trains_a_growth(whole, model, pairs):
    moment = _moment(whole.optimizer, model.stack.kernel1)
    assert moment.any()
    model.grow("stackC")
    grown = _moment(whole.optimizer, model.stack.kernel1)
    np.testing.assert_array_equal(grown, moment[[0, 1, 0, 1]])
    model.stack.gate.assign(np.full(4, 0.5, "float32"))
    before = _numpy(model.stack.kernel1)
    whole.fit(*pairs, batch_size=16, verbose=0)
    assert (_numpy(model.stack.kernel1) != before).any(axis=(1, 2, 3)).all()


def _moment(optimizer, variable):
    return _numpy(optimizer._momentums[optimizer._get_variable_index(variable)])


@pytest.mark.every_backend
@pytest.mark.usefixtures("eager_on_tensorflow")
def test_a_part_grows_and_is_extended_inside_the_fit_of_its_whole(make_model, pairs):
    model = make_model()
    whole = functional(model)
    whole.compile("adam", "mse", run_eagerly=keras.backend.backend() == "tensorflow")

    class Grow(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                model.grow("stackC", optimizer_state="reset")
                model.extend_items(3)

    whole.fit(*pairs, batch_size=16, epochs=2, verbose=0, callbacks=[Grow()])
    assert model.num_blocks == 4
    assert np.isfinite(_numpy(model.stack.kernel1)).all()
    # The reset is that of the part's own optimizer.
    assert int(whole.optimizer.iterations) == 4
    whole.evaluate(*pairs, verbose=0)


def test_a_whole_and_its_files_follow_each_other_in_depth(make_model, pairs, tmp_path):
    whole = _compiled(functional(make_model()), pairs)
    whole.save(tmp_path / "whole.keras")
    loaded = keras.saving.load_model(tmp_path / "whole.keras")
    part = next(x for x in loaded.layers if isinstance(x, sr.NextItNet))
    part.grow("stackC")
    loaded.fit(*pairs, verbose=0)
    loaded.load_weights(tmp_path / "whole.keras")
    assert part.num_blocks == 2
    loaded.fit(*pairs, verbose=0)


def test_an_optimizer_of_a_whole_that_cannot_follow_is_named(make_model, pairs):
    model = make_model()
    whole = functional(model)
    whole.compile(keras.optimizers.Adam(clipnorm=1.0), "mse")
    whole.fit(*pairs, verbose=0)
    with pytest.raises(ValueError, match=r"clipnorm=1.0 of Adam \(of another model"):
        model.grow("stackC")
    assert model.num_blocks == 2
    # It trains nothing of the model.
    model.trainable = False
    whole.compile(keras.optimizers.Adam(clipnorm=1.0), "mse")
    whole.fit(*pairs, verbose=0)
    model.grow("stackC")
    whole.fit(*pairs, verbose=0)


def test_what_a_whole_excludes_from_weight_decay_stays_excluded(make_model, pairs):
    model = make_model()
    whole = functional(model)
    excluded = [whole.layers[-1].kernel, model.stack.kernel1]
    # Gradients move nothing, and the decay a lot.
    optimizer = keras.optimizers.AdamW(1e-20, weight_decay=1e18)
    optimizer.exclude_from_weight_decay(var_list=excluded)
    whole.compile(optimizer, "mse")
    whole.fit(*pairs, verbose=0)
    model.grow("stackC")
    before = [_numpy(variable) for variable in excluded]
    decayed = _numpy(model.stack.kernel2)
    whole.fit(*pairs, verbose=0)
    for variable, value in zip(excluded, before):
        np.testing.assert_array_equal(_numpy(variable), value)
    assert (_numpy(model.stack.kernel2) != decayed).all()


def test_the_source_of_a_transfer_may_be_grown_by_hand(make_model, sequences):
    transfer = sr.TransferRecommender(make_model(), 5)
    transfer.compile()
    transfer.source.grow("stackC")
    x, y = sequences[0], sequences[0][:, -1] % 5 + 1
    before = _numpy(transfer.source.stack.kernel1)
    transfer.fit(x, y, verbose=0)
    assert transfer.num_blocks == 4
    assert (_numpy(transfer.source.stack.kernel1) != before).any()


def test_a_whole_is_not_what_a_callback_grows(make_model, pairs):
    whole = functional(make_model())
    whole.compile("adam", "mse")
    with pytest.raises(ValueError, match="a model of type Functional.*the part's grow"):
        whole.fit(*pairs, verbose=0, callbacks=[sr.StackingCallback("stackC")])


def _numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)
