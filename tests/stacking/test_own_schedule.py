"""A kind of schedule that the package does not know needs only the interface."""

import keras
import numpy as np
import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.errors import ArgumentError
from stackrec_keras.stacking.growth_record import GrowthRecord
from stackrec_keras.stacking.schedules import RunningSchedule, Schedule


class ByLoss(Schedule):
    """Doubles the depth whenever the loss has fallen by a hundredth in all."""

    monitor = "loss"

    def start(self, model, epochs, growth):
        if model.num_blocks > 4:
            raise ArgumentError("num_blocks", "is too many", received=model.num_blocks)
        return RunningByLoss(model, growth)


class RunningByLoss(RunningSchedule):
    def depths(self):
        return [4, 8]

    def due(self, epoch):
        record = self.model.growth_record
        return [] if record is None else [int(record.arrays["due"])]

    def validated(self, logs):
        self.seen = set(logs)

    def observe(self, epoch, logs):
        assert "val_loss" in self.seen
        arrays = {"first": np.array(logs["loss"]), "due": np.array(2)}
        if self.model.growth_record is not None:
            arrays["first"] = self.model.growth_record.arrays["first"]
            fallen = logs["loss"] < 0.99 * arrays["first"]
            arrays["due"] = np.array(8 if fallen else 2)
        self.model.growth_record = GrowthRecord(arrays)

    def finish(self):
        return "that was all"


def test_a_fit_follows_it_and_a_file_holds_its_record(
    make_model, sequences, validation, tmp_path, capsys
):
    model = make_model()
    history = model.fit(
        *sequences,
        batch_size=8,
        epochs=6,
        verbose=2,
        validation_data=validation,
        callbacks=[
            sr.StackingCallback("stackC", ByLoss()),
            keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras")),
        ],
    ).history
    fallen = np.array(history["loss"]) < 0.99 * history["loss"][0]
    first = int(np.argmax(fallen))
    assert 0 < first < 5
    assert history["num_blocks"] == [2] * (first + 1) + [8] * (5 - first)
    assert "that was all\n" in capsys.readouterr().out
    assert model.growth_record is None
    loaded = keras.saving.load_model(tmp_path / "1.keras")
    assert loaded.growth_record.arrays["first"] == pytest.approx(history["loss"][0])


def test_what_it_refuses_is_refused_before_any_training(make_model, sequences):
    callback = sr.StackingCallback("stackC", ByLoss())
    with refused("num_blocks", received=5):
        make_model(num_blocks=5).fit(*sequences, verbose=0, callbacks=[callback])
    callback = sr.StackingCallback("stackC", ByLoss(), top_blocks=2)
    with refused("top_blocks", says="gives 5"):
        make_model(num_blocks=3).fit(*sequences, verbose=0, callbacks=[callback])
