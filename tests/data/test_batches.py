import dataclasses

import keras
import numpy as np
import pytest
from refusals import refused

from stackrec_keras.data import Batches, Vocabulary, Windows, make_windows, synthetic


def numbered_windows(rows=10):
    first = np.arange(1, rows + 1, dtype=np.int32)
    return Windows(np.stack([first, first, first + 1], axis=1), first - 1)


def order_of(batches):
    return np.concatenate([x[:, 0] for x, _ in batches]).tolist()


def test_an_epoch_holds_every_row_once_and_the_last_batch_is_partial():
    batches = Batches(numbered_windows(), batch_size=4)
    assert len(batches) == batches.num_batches == 3
    assert [x.shape for x, _ in batches] == [(4, 2), (4, 2), (2, 2)]
    assert sorted(order_of(batches)) == list(range(1, 11))
    assert order_of(batches) != list(range(1, 11))


def test_batches_say_what_they_are():
    batches = Batches(numbered_windows(), batch_size=4, with_users=True)
    batches.set_epoch(3, share=0.1)
    text = "Batches(1 row, 4 per batch, with users, for training, epoch 3)"
    assert repr(batches) == text
    batches = Batches(numbered_windows(), batch_size=4, evaluation=True)
    assert repr(batches) == "Batches(10 rows, 4 per batch, for evaluation)"


def test_inputs_and_targets_belong_together():
    for x, y in Batches(numbered_windows(), batch_size=4):
        assert (y == x + [0, 1]).all()
        assert x.dtype == y.dtype == np.int32


def test_evaluation_batches_have_one_target_a_row_and_keep_their_order():
    batches = Batches(numbered_windows(), batch_size=4, evaluation=True)
    assert order_of(batches) == list(range(1, 11))
    x, y = batches[2]
    assert x.tolist() == [[9, 9], [10, 10]]
    assert y.tolist() == [10, 11]
    batches.on_epoch_end()
    assert order_of(batches) == list(range(1, 11))


def test_users_come_beside_their_items():
    for x, _ in Batches(numbered_windows(), batch_size=4, with_users=True):
        assert sorted(x) == ["items", "users"]
        assert (x["users"] == x["items"][:, 0] - 1).all()


def test_the_order_is_a_function_of_seed_and_epoch():
    first = Batches(numbered_windows(), 4, seed=3)
    orders = []
    for epoch in range(3):
        assert first.epoch == epoch
        orders.append(order_of(first))
        first.on_epoch_end()
    assert orders[0] != orders[1] != orders[2]
    resumed = Batches(numbered_windows(), 4, seed=3)
    resumed.set_epoch(2)
    assert order_of(resumed) == orders[2]
    resumed.set_epoch(0)
    assert order_of(resumed) == orders[0]
    assert order_of(Batches(numbered_windows(), 4, seed=4)) != orders[0]


def test_the_order_of_an_epoch_never_changes_between_releases():
    batches = Batches(numbered_windows(), 10, seed=3)
    batches.set_epoch(2)
    assert order_of(batches) == [8, 5, 2, 9, 7, 1, 3, 10, 4, 6]


def test_batches_are_not_shuffled_when_told_so():
    batches = Batches(numbered_windows(), 4, shuffle=False)
    assert order_of(batches) == list(range(1, 11))


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_sees_the_order_of_each_epoch_of_a_resumed_run(workers):
    log = synthetic(num_users=20, num_items=30, events_per_user=24)
    windows = make_windows(log, Vocabulary.from_items(log["item"]), 8)
    seen = {}

    class Recorded(Batches):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            seen.setdefault(self.epoch, {})[index] = x
            return x, y

    batches = Recorded(windows, 16, seed=1, workers=workers)
    set_epoch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: (batches.set_epoch(epoch), seen.clear())
    )
    model = keras.Sequential([keras.layers.Embedding(31, 4), keras.layers.Dense(31)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        batches,
        initial_epoch=2,
        epochs=4,
        shuffle=False,
        verbose=0,
        callbacks=[set_epoch],
    )
    expected = Batches(windows, 16, seed=1)
    expected.set_epoch(3)
    assert list(seen) == [3]
    assert sorted(seen[3]) == list(range(len(expected)))
    for index in range(len(expected)):
        assert np.array_equal(seen[3][index], expected[index][0])
    assert batches.epoch == 4


def test_fit_takes_users_and_evaluate_takes_evaluation_batches():
    windows = numbered_windows(20)
    items = keras.Input((2,), dtype="int32", name="items")
    users = keras.Input((), dtype="int32", name="users")
    hidden = keras.layers.Embedding(30, 4)(items)
    hidden += keras.layers.Reshape((1, 4))(keras.layers.Embedding(30, 4)(users))
    model = keras.Model(
        {"items": items, "users": users}, keras.layers.Dense(30)(hidden)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    history = model.fit(windows.batches(6, with_users=True), verbose=0)
    assert np.isfinite(history.history["loss"][0])
    last = keras.Model(model.inputs, model.output[:, -1])
    last.compile(loss=loss)
    batches = windows.batches(6, evaluation=True, with_users=True)
    assert np.isfinite(last.evaluate(batches, verbose=0))


def test_no_windows_and_no_such_batch_are_refused():
    with refused("windows"):
        Batches(numbered_windows(0))
    with pytest.raises(IndexError, match="index=3 must be 0 to 2"):
        Batches(numbered_windows(), 4)[3]


def test_a_share_holds_rows_that_depend_on_seed_and_share_alone():
    batches = Batches(numbered_windows(), 4, seed=3)
    held = {}
    for share in (0.4, 0.6, 1.0):
        batches.set_epoch(5, share)
        held[share] = sorted(order_of(batches))
        assert len(held[share]) == batches.num_rows == 10 * share
        assert batches.num_batches == -(-batches.num_rows // 4)
        first = Batches(numbered_windows(), 7, seed=3)
        first.set_epoch(0, share)
        assert sorted(order_of(first)) == held[share]
    assert set(held[0.4]) < set(held[0.6]) < set(held[1.0])
    assert held[0.4] == [1, 2, 6, 9]  # never changes between releases
    another = Batches(numbered_windows(), 4, seed=4)
    another.set_epoch(5, 0.4)
    assert sorted(order_of(another)) != held[0.4]


def test_a_share_by_time_holds_the_oldest_rows():
    windows = dataclasses.replace(numbered_windows(), end_time=np.arange(10)[::-1])
    batches = Batches(windows, 4, shuffle=False, share_by="time")
    batches.set_epoch(0, 0.6)
    assert order_of(batches) == [5, 6, 7, 8, 9, 10]
    batches.on_epoch_end()
    assert (batches.epoch, batches.share, batches.num_rows) == (1, 0.6, 6)
    batches.set_epoch(1)
    assert order_of(batches) == list(range(1, 11))


def test_the_smallest_share_holds_a_row():
    batches = Batches(numbered_windows(), 4)
    batches.set_epoch(0, 0.001)
    assert len(order_of(batches)) == 1


def test_shares_that_there_cannot_be_are_refused():
    with refused("share_by", received="user"):
        Batches(numbered_windows(), share_by="user")
    with refused("share_by", received="time", says="needs the times of the rows"):
        Batches(numbered_windows(), share_by="time")
    for share in (0, 1.1):
        with refused("share", received=share):
            Batches(numbered_windows()).set_epoch(0, share)
