"""The loss that fit and evaluate report is the mean over all rows, or positions, that
have a target, however they are cut into batches."""

import keras
import numpy as np
import pytest

import stackrec_keras as sr

NUM_ITEMS = 20


@pytest.fixture(params=["nextitnet", "sasrec", "transfer"])
def model(request):
    keras.utils.set_random_seed(0)
    if request.param == "sasrec":
        model = sr.SASRec(NUM_ITEMS, 5, 8, 1)
    else:
        model = sr.NextItNet(NUM_ITEMS, 8, 1)
    if request.param == "transfer":
        model = sr.TransferRecommender(model, NUM_ITEMS)
    # Losses of rows that are far apart.
    model.output_table.table.assign(
        np.random.default_rng(0).normal(size=(NUM_ITEMS + 1, 8)) * 40
    )
    model.compile(keras.optimizers.SGD(0.0), exclude_seen=False)
    return model


@pytest.fixture
def rows():
    rng = np.random.default_rng(2)
    x = rng.integers(1, NUM_ITEMS + 1, (9, 5)).astype("int32")
    return x, rng.integers(1, NUM_ITEMS + 1, 9).astype("int32")


def _row_losses(model, x, y):
    scores = keras.ops.convert_to_numpy(model.score(x)).astype("float64")[:, 1:]
    top = scores.max(axis=1)
    normalizers = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
    return normalizers - scores[np.arange(len(y)), np.maximum(y, 1) - 1]


def _loss(model, x, y, **arguments):
    return model.evaluate(x, y, verbose=0, return_dict=True, **arguments)["loss"]


@pytest.mark.parametrize("batch_size", [1, 4, 9])
def test_evaluate_weighs_rows_whatever_the_batch_size(model, rows, batch_size):
    x, y = rows
    losses = _row_losses(model, x, y)
    weights = np.array([1, 1, 1, 1, 0, 0, 0, 0, 9], "float32")
    found = _loss(model, x, y, sample_weight=weights, batch_size=batch_size)
    assert found == pytest.approx((weights * losses).sum() / weights.sum(), rel=1e-5)
    no_target = y.copy()
    no_target[:3] = 0
    found = _loss(model, x, no_target, batch_size=batch_size)
    assert found == pytest.approx(losses[3:].mean(), rel=1e-5)


def test_validation_in_fit_weighs_them_alike(model, rows):
    x, y = rows
    weights = np.arange(9, dtype="float32")
    targets = y if model.scores_what_it_reads is False else np.roll(x, -1, 1)
    history = model.fit(
        x, targets, validation_data=(x, y, weights), batch_size=4, verbose=0
    ).history
    expected = (weights * _row_losses(model, x, y)).sum() / weights.sum()
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 4, 8])
def test_fit_counts_a_position_as_a_position(rows, batch_size):
    x, y = rows
    items = np.c_[x, y]
    items[:3, :4] = 0  # these rows have one target, others five
    windows = sr.data.Windows(items, np.arange(9, dtype="int32"))
    keras.utils.set_random_seed(0)
    model = sr.NextItNet(NUM_ITEMS, 8, 1)
    model.output_table.table.assign(
        np.random.default_rng(0).normal(size=(NUM_ITEMS + 1, 8)) * 40
    )
    model.compile(keras.optimizers.SGD(0.0))
    inputs, targets = windows.arrays()
    rows_, places = np.nonzero(targets)
    each = np.array(
        [
            _row_losses(model, inputs[[r], : t + 1], targets[r, [t]])[0]
            for r, t in zip(rows_, places)
        ]
    )
    for data in ((inputs, targets), (windows.batches(batch_size, shuffle=False),)):
        size = batch_size if len(data) == 2 else None
        history = model.fit(*data, batch_size=size, shuffle=False, verbose=0).history
        assert history["loss"][0] == pytest.approx(each.mean(), rel=1e-4)
    weights = np.arange(1, 10, dtype="float32")
    history = model.fit(
        inputs, targets, batch_size, sample_weight=weights, verbose=0
    ).history
    expected = np.average(each, weights=weights[rows_])
    assert history["loss"][0] == pytest.approx(expected, rel=1e-4)


def test_a_schedule_sees_the_mean_over_rows(rows):
    x, y = rows
    y = y.copy()
    y[:7] = 0
    keras.utils.set_random_seed(0)
    model = sr.NextItNet(NUM_ITEMS, 8, 1)
    model.compile(keras.optimizers.SGD(0.0))
    expected = _row_losses(model, x, y)[7:].mean()
    plateau = sr.StackingSchedule.plateau("val_loss", patience=1, max_blocks=2)
    best = []

    class Record(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            best.append(abs(float(self.model.growth_record.arrays["best"])))

    model.fit(
        x,
        np.roll(x, -1, 1),
        validation_data=(x, y),
        validation_batch_size=2,
        verbose=0,
        callbacks=[sr.StackingCallback("stackC", plateau), Record()],
    )
    assert best[0] == pytest.approx(expected, rel=1e-5)
