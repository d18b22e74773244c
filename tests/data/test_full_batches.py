import keras
import numpy as np
import pytest
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.data import Windows
from stackrec_keras.data.full_batches import FullBatches


def batches_of(rows, batch_size, **arguments):
    rng = np.random.default_rng(0)
    items = rng.integers(1, NUM_ITEMS + 1, (rows, 6)).astype("int32")
    windows = Windows(items, np.arange(rows, dtype="int32"))
    return windows.batches(batch_size, **arguments)


def test_the_last_batch_is_filled_up_with_padding():
    batches = batches_of(10, 4, with_users=True)
    full = FullBatches(batches)
    assert full.num_batches == 3
    for index in range(3):
        (x, y), (items, targets) = batches[index], full[index]
        assert items["items"].shape == targets.shape == (4, 5)
        assert items["users"].shape == (4,)
        assert items["items"].dtype == targets.dtype == np.int32
        np.testing.assert_array_equal(items["items"][: len(y)], x["items"])
        np.testing.assert_array_equal(items["users"][: len(y)], x["users"])
        np.testing.assert_array_equal(targets[: len(y)], y)
        assert not items["items"][len(y) :].any() and not targets[len(y) :].any()


def test_what_batches_do_around_an_epoch_is_done(monkeypatch):
    batches = batches_of(10, 4)
    begun = []
    monkeypatch.setattr(batches, "on_epoch_begin", lambda: begun.append(batches.epoch))
    full = FullBatches(batches)
    full.on_epoch_begin()
    full.on_epoch_end()
    assert (begun, batches.epoch) == ([0], 1)


def test_a_batch_that_is_the_only_one_stays_small():
    assert FullBatches(batches_of(3, 4))[0][1].shape == (3, 5)


@pytest.mark.parametrize(
    "model_class",
    [sr.NextItNet, sr.SASRec, sr.SSEPT],
)
def test_a_fit_takes_steps_of_one_shape_and_learns_what_the_rows_alone_teach(
    model_class, make_any_model, monkeypatch
):
    users = {"with_users": True} if model_class is sr.SSEPT else {}
    batches = batches_of(10, 4, **users)
    model, other = (make_any_model(model_class) for _ in range(2))
    shapes = set()
    compute_loss = type(model).compute_loss

    def noted(self, x, y, *rest, **more):
        shapes.add(tuple(y.shape))
        return compute_loss(self, x, y, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(type(model), "compute_loss", noted)
        model.fit(batches, verbose=0)
    assert shapes == {(4, 5)}
    batches.set_epoch(0)
    for x, y in batches:
        other.train_on_batch(x, y)
    for ours, theirs in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours),
            keras.ops.convert_to_numpy(theirs),
            rtol=1e-4,
            atol=1e-6,
        )


@pytest.fixture
def make_any_model():
    def make(model_class):
        keras.utils.set_random_seed(0)
        arguments = {
            sr.NextItNet: {"embedding_dim": 8},
            sr.SASRec: {"max_length": 5, "embedding_dim": 8},
            sr.SSEPT: {
                "num_users": 10,
                "max_length": 5,
                "item_dim": 4,
                "user_dim": 4,
                "item_noise": 0.0,
                "user_noise": 0.0,
                "dropout": 0.0,
            },
        }[model_class]
        model = model_class(NUM_ITEMS, num_blocks=2, **arguments)
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        return model

    return make
