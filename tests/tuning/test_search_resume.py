import keras
import keras_tuner
import pandas as pd
import pytest

import stackrec_keras as sr
from stackrec_keras.tuning import Range


class Stop(keras.callbacks.Callback):
    """Interrupts the search when its third epoch begins."""

    epochs = 0

    def on_epoch_begin(self, epoch, logs=None):
        Stop.epochs += 1
        if Stop.epochs == 3:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "tuner_class", [keras_tuner.RandomSearch, keras_tuner.Hyperband]
)
def test_an_interrupted_search_goes_on(
    tuner_class, make_hypermodel, split, tmp_path, monkeypatch
):
    monkeypatch.setattr(Stop, "epochs", 0)
    space = {"learning_rate": Range(0.005, 0.025)}
    hypermodel = make_hypermodel(monitor="val_loss", space=space)
    arguments = {"directory": tmp_path, "seed": 1, "max_trials": 3}
    if tuner_class is keras_tuner.Hyperband:
        del arguments["max_trials"]
        arguments.update(max_epochs=2, factor=2)
    interrupted = tuner_class(hypermodel, hypermodel.objective, **arguments)
    with pytest.raises(KeyboardInterrupt):
        interrupted.search(verbose=0, callbacks=[Stop()])
    before = sr.tuning.trials(interrupted)
    assert before["status"].iloc[-1] == "RUNNING"

    tuner = tuner_class(hypermodel, hypermodel.objective, overwrite=False, **arguments)
    tuner.search(verbose=0)
    after = sr.tuning.trials(tuner)
    assert set(after["status"]) == {"COMPLETED"}
    assert len(after) > len(before)
    done = len(before) - 1
    names = ["trial", "score", "training_seconds", "learning_rate"]
    pd.testing.assert_frame_equal(after[names][:done], before[names][:done])
    model = tuner.get_best_models()[0]
    batches = split.validation.batches(evaluation=True)
    loss = model.evaluate(batches, verbose=0, return_dict=True)["loss"]
    assert model.num_blocks == 2
    assert loss == after["score"].min()
