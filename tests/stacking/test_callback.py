import copy
import csv
import re

import keras
import numpy as np
import pytest
from small_data import NUM_ITEMS

import stackrec_keras as sr


@pytest.mark.every_backend
def test_a_fit_grows_and_its_history_has_depth_and_seconds(
    make_model, sequences, capsys
):
    model = make_model()
    history = model.fit(
        *sequences, epochs=7, verbose=2, callbacks=[sr.StackingCallback("stackC")]
    ).history
    assert history["num_blocks"] == [2, 4, 4, 8, 8, 8, 8]
    assert [s > 0 for s in history["growth_seconds"]] == [
        epoch in (1, 3) for epoch in range(7)
    ]
    out = capsys.readouterr().out
    first = r"epoch 1 \(shown as 2/7\): stackC 2 -> 4 blocks, \d\.\d s\n"
    second = r"epoch 3 \(shown as 4/7\): stackC 4 -> 8 blocks, \d\.\d s\n"
    assert re.search(first, out) and re.search(second, out)


def test_it_grows_through_the_grow_of_the_model(make_model, sequences):
    grown = []

    class Logging(sr.NextItNet):
        def grow(self, method, num_blocks=None, **arguments):
            grown.append((method, num_blocks, arguments["inherit"]))
            super().grow(method, num_blocks, **arguments)

    model = Logging(NUM_ITEMS, embedding_dim=8, num_blocks=2)
    model.compile()
    callback = sr.StackingCallback("stackC", {1: 4}, inherit="paper")
    model.fit(*sequences, epochs=2, verbose=0, callbacks=[callback])
    assert grown == [("stackC", 4, "paper")] and model.num_blocks == 4


def test_it_says_nothing_when_fit_is_silent(make_model, sequences, capsys):
    callback = sr.StackingCallback("stackC", {1: 4})
    make_model().fit(*sequences, epochs=2, verbose=0, callbacks=[callback])
    assert capsys.readouterr().out == ""


@pytest.mark.every_backend
def test_new_blocks_train_after_growing(make_model, sequences):
    model = make_model()
    grown = {}

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            grown[epoch] = keras.ops.convert_to_numpy(self.model.stack.kernel1)

    callbacks = [sr.StackingCallback("stackR", {1: 4}), Watch()]
    model.fit(*sequences, batch_size=16, epochs=4, verbose=0, callbacks=callbacks)
    end = keras.ops.convert_to_numpy(model.stack.kernel1)
    assert grown[0].shape[0] == 2 and grown[1].shape[0] == 4
    assert (end != grown[1]).any(axis=(1, 2, 3)).all()


@pytest.mark.every_backend
def test_validation_after_growing_is_that_of_the_deeper_model(
    make_model, sequences, validation
):
    model = make_model()
    x, y = validation
    history = model.fit(
        *sequences,
        epochs=2,
        verbose=0,
        validation_data=(x, y),
        callbacks=[sr.StackingCallback("stackR", {1: 4})],
    ).history
    scores = keras.ops.convert_to_numpy(model.score(x)).astype("float64")
    rank = (scores >= scores[np.arange(len(y)), y][:, None]).sum(axis=1)
    assert history["val_mrr@5"][-1] == pytest.approx(
        np.where(rank <= 5, 1 / rank, 0).mean(), abs=1e-6
    )
    loss = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(y)), y]
    assert history["val_loss"][-1] == pytest.approx(loss.mean(), rel=1e-5)
    predicted = model.predict(x, verbose=0)
    np.testing.assert_allclose(predicted[:, 1:], scores[:, 1:], atol=1e-5)


@pytest.mark.parametrize("kind", ["batches", "tf.data", "DataLoader"])
def test_it_works_with_every_kind_of_data(make_model, sequences, kind):
    model = make_model()
    data = _as_kind(kind, *sequences)
    history = model.fit(
        data, epochs=3, verbose=0, callbacks=[sr.StackingCallback("stackC")]
    ).history
    assert history["num_blocks"] == [2, 4, 8]
    assert history["loss"][-1] < history["loss"][0]


def _as_kind(kind, x, y):
    if kind == "batches":
        items = np.concatenate([x, y[:, -1:]], axis=1)
        return sr.data.Windows(items, np.arange(len(items))).batches(16)
    if kind == "tf.data":
        tf = pytest.importorskip("tensorflow")
        return tf.data.Dataset.from_tensor_slices((x, y)).batch(16)
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
    return torch.utils.data.DataLoader(tensors, batch_size=16)


def test_a_callback_can_be_copied_and_used_again(make_model, sequences):
    callback = sr.StackingCallback("stackR", sr.StackingSchedule.shares([2, 4], [1, 1]))
    copies = [copy.deepcopy(callback), callback, copy.deepcopy(callback)]
    for each in copies:
        model = make_model()
        model.fit(*sequences, epochs=2, verbose=0, callbacks=[each])
        assert model.num_blocks == 4


def test_a_fit_that_starts_late_catches_up_step_by_step(make_model, sequences, capsys):
    model = make_model()
    callback = sr.StackingCallback("stackA", {1: 3, 2: 6})
    history = model.fit(
        *sequences, initial_epoch=2, epochs=4, verbose=2, callbacks=[callback]
    ).history
    assert history["num_blocks"] == [6, 6]
    out = capsys.readouterr().out
    assert "epoch 2 (shown as 3/4): stackA 2 -> 3 blocks" in out
    assert "epoch 2 (shown as 3/4): stackA 3 -> 6 blocks" in out


def test_the_log_keys_are_there_for_callbacks_before_it(
    make_model, sequences, tmp_path
):
    path = tmp_path / "log.csv"
    logger = keras.callbacks.CSVLogger(path)
    make_model().fit(
        *sequences,
        epochs=3,
        verbose=0,
        callbacks=[logger, sr.StackingCallback("stackC")],
    )
    rows = list(csv.DictReader(path.open()))
    assert [int(float(row["num_blocks"])) for row in rows] == [2, 4, 8]


def test_a_checkpoint_has_the_depth_that_earned_its_score(
    make_model, sequences, validation, tmp_path
):
    model = make_model()
    checkpoint = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "{epoch}.keras"), save_best_only=False
    )
    history = model.fit(
        *sequences,
        epochs=3,
        verbose=0,
        validation_data=validation,
        callbacks=[checkpoint, sr.StackingCallback("stackC")],
    ).history
    for epoch, depth in enumerate([2, 4, 8]):
        loaded = keras.saving.load_model(tmp_path / f"{epoch + 1}.keras")
        assert loaded.num_blocks == depth and loaded.initial_blocks == 2
        again = loaded.evaluate(*validation, verbose=0, return_dict=True)
        assert again["loss"] == pytest.approx(history["val_loss"][epoch], rel=1e-5)


def test_early_stopping_gives_a_shallower_best_model_back(make_model, sequences):
    model = make_model()
    best = {}

    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                best["weights"] = self.model.get_weights()

        def on_epoch_end(self, epoch, logs=None):
            logs["quality"] = -epoch

    callbacks = [
        sr.StackingCallback("stackC", {1: 4}),
        Spoil(),
        keras.callbacks.EarlyStopping(
            "quality", mode="max", patience=2, restore_best_weights=True
        ),
    ]
    model.fit(*sequences, epochs=5, verbose=0, callbacks=callbacks)
    assert model.num_blocks == 2
    model.fit(*sequences, verbose=0)
    kernels = [v for v in model.optimizer.variables if "kernel1" in v.path]
    assert kernels and all(v.shape[0] == 2 for v in kernels)


def test_its_repr_says_how_and_when_it_grows():
    assert repr(sr.StackingCallback("stackC")) == "StackingCallback('stackC', None)"
    callback = sr.StackingCallback("split", {2: 8})
    assert repr(callback) == (
        "StackingCallback('split', StackingSchedule({2: 8}, partial=False))"
    )
