"""A schedule's shares of the data, in `fit`."""

import copy

import keras
import numpy as np
import pytest
from refusals import refused
from small_data import NUM_ITEMS

import stackrec_keras as sr
from stackrec_keras.data import Batches, Windows

# What Keras says where an epoch has fewer batches than its loop was told.
pytestmark = pytest.mark.filterwarnings("error:Your input ran out of data")

ROWS, BATCH = 20, 4


def windows():
    items = np.random.default_rng(0).integers(1, NUM_ITEMS + 1, (ROWS, 4))
    # The newest row first, so that neither order nor time is that of the rows.
    return Windows(items.astype("int32"), np.arange(ROWS), np.arange(ROWS)[::-1])


class Recorded(Batches):
    """Batches that keep the rows of each epoch that was asked for."""

    def __init__(self, *args, **kwargs):
        self.seen = {}
        super().__init__(*args, **kwargs)

    def __getitem__(self, index):
        end = min((index + 1) * self.batch_size, self.num_rows)
        rows = np.arange(len(self.windows)) if self._order is None else self._order
        rows = rows[index * self.batch_size : end]
        self.seen.setdefault(self.epoch, {})[index] = rows.tolist()
        return super().__getitem__(index)

    def rows(self, epoch):
        return sorted(sum(self.seen[epoch].values(), []))


class Steps(keras.callbacks.Callback):
    """The updates that each epoch made, and those it was said to make."""

    def on_train_begin(self, logs=None):
        self.taken, self.said, self.before = [], [], 0

    def on_epoch_end(self, epoch, logs=None):
        iterations = int(keras.ops.convert_to_numpy(self.model.optimizer.iterations))
        self.taken.append(iterations - self.before)
        self.said.append(self.params["steps"])
        self.before = iterations


SCHEDULE = sr.StackingSchedule({2: 2}, data_shares={0: 0.45, 1: 0.6, 2: 1.0})


def fit(model, batches, schedule=SCHEDULE, epochs=3, verbose=0, **arguments):
    steps = Steps()
    # A tuner copies callbacks.
    # A reset would set back the count that `steps` reads.
    growing = sr.StackingCallback("stackC", schedule, optimizer_state="carry")
    callbacks = [copy.deepcopy(growing), steps]
    history = model.fit(
        batches, epochs=epochs, verbose=verbose, callbacks=callbacks, **arguments
    ).history
    return history, steps


@pytest.mark.parametrize("share_by, workers", [("random", 1), ("time", 2)])
def test_an_epoch_goes_once_over_the_rows_of_its_share_and_over_no_other(
    make_model, share_by, workers
):
    batches = Recorded(windows(), BATCH, seed=1, share_by=share_by, workers=workers)
    history, steps = fit(make_model(1), batches)
    assert history["data_share"] == [0.45, 0.6, 1.0]
    assert history["num_blocks"] == [1, 1, 2]
    assert steps.taken == steps.said == [3, 3, 5]
    assert [len(batches.rows(epoch)) for epoch in range(3)] == [9, 12, 20]
    for epoch, share in enumerate(history["data_share"]):
        alone = Batches(windows(), BATCH, seed=1, share_by=share_by)
        alone.set_epoch(epoch, share)
        assert batches.rows(epoch) == sorted(alone._order)
    assert set(batches.rows(0)) < set(batches.rows(1)) < set(batches.rows(2))
    if share_by == "time":
        assert batches.rows(0) == list(range(11, 20))


def test_a_run_that_goes_on_sees_the_rows_that_it_would_have_seen(make_model):
    resumed = Recorded(windows(), BATCH, seed=1)
    history, steps = fit(make_model(1), resumed, initial_epoch=1)
    assert history["data_share"] == [0.6, 1.0]
    assert steps.taken == [3, 5]
    for epoch, share in ((1, 0.6), (2, 1.0)):
        whole = Batches(windows(), BATCH, seed=1)
        whole.set_epoch(epoch, share)
        order = sum((resumed.seen[epoch][i] for i in range(len(whole))), [])
        assert order == whole._order.tolist()


@pytest.mark.every_backend
def test_stages_take_their_shares_and_the_progress_bar_shows_them(make_model, capsys):
    schedule = sr.StackingSchedule.shares([1, 2], [1, 2], data_shares=[0.4, 0.8])
    history, steps = fit(make_model(1), windows().batches(BATCH), schedule, verbose=2)
    assert history["data_share"] == [0.4, 0.8, 0.8]
    assert steps.taken == [2, 4, 4]
    out = capsys.readouterr().out
    assert [out.count(f"{n}/{n} - ") for n in range(1, 6)] == [0, 1, 0, 2, 0]
    assert out.count("Epoch 1/3") == 1


def test_a_fit_without_shares_sees_all_rows_whatever_one_before_it_saw(make_model):
    batches = Recorded(windows(), BATCH)
    batches.set_epoch(0, share=0.2)
    model = make_model(1)
    history = model.fit(batches, epochs=2, verbose=0).history
    assert batches.rows(0) == batches.rows(1) == list(range(ROWS))
    assert int(model.optimizer.iterations) == 10
    assert "data_share" not in history


@pytest.mark.parametrize("kind", ["arrays", "CallbackList", "steps_per_epoch"])
def test_what_cannot_be_shared_out_is_refused_before_training(make_model, kind):
    model = make_model(1)
    callbacks = [sr.StackingCallback("stackC", SCHEDULE)]
    x, arguments = [windows().batches(BATCH)], {}
    if kind == "arrays":
        x = windows().arrays()
    elif kind == "CallbackList":
        callbacks = keras.callbacks.CallbackList(callbacks, model=model)
    else:
        arguments = {"steps_per_epoch": 2}
    with refused("data_shares", SCHEDULE.data_shares):
        model.fit(*x, epochs=3, verbose=0, callbacks=callbacks, **arguments)
    assert int(model.optimizer.iterations) == 0
