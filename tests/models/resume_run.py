"""A run that is killed, for test_resume: python resume_run.py FOLDER CASE KILL_AT."""

import os
import signal
import sys

import keras
import numpy as np

import stackrec_keras as sr

CASES = {
    # More data with each growth.
    "stackC": lambda: sr.StackingCallback(
        "stackC",
        sr.StackingSchedule({1: 4, 3: 6}, data_shares={0: 0.4, 1: 0.6, 3: 1.0}),
    ),
    "stackR": lambda: sr.StackingCallback("stackR", {2: 4}, seed=5),
    "plateau": lambda: sr.StackingCallback(
        "stackC", sr.StackingSchedule.plateau("val_mrr@5", patience=1, max_blocks=8)
    ),
    "look_ahead": lambda: sr.StackingCallback(
        "stackC", sr.StackingSchedule.look_ahead(max_blocks=4, min_gain=-9.0)
    ),
    # Gaps, noise and dropout are drawn in training.
    "GRec": lambda: sr.StackingCallback("middle", {1: 4}),
    "SSEPT": lambda: sr.StackingCallback("stackR", {2: 4}),
    # A rate that falls from step to step, through a reset and a thaw.
    "transfer": lambda: sr.StackingCallback("stackC", {1: 4}, optimizer_state="reset"),
}


class Stopped(Exception):
    """Ends a run in this process where another would be killed."""


def run(folder, case, kill_at=None, die=None, epochs=6):
    """Trains, keeping a backup in `folder` if there is one, and returns the model.

    Calls `die` at the beginning of the epoch `kill_at`.
    """
    keras.utils.set_random_seed(1)
    log = sr.data.synthetic(num_users=40, num_items=20, events_per_user=12, seed=0)
    vocabulary = sr.data.Vocabulary.from_items(log["item"])
    windows = sr.data.make_windows(log, vocabulary, length=6)
    model = _model(case, windows)
    users = case == "SSEPT"
    callbacks = [CASES[case]()]
    loss, rate = "sampled_softmax", 1e-2
    if case == "transfer":
        windows = _pairs(windows)
        model = sr.TransferRecommender(model, windows.num_targets)
        callbacks.append(sr.FreezeStack(3))
        loss = "binary_cross_entropy"
        rate = keras.optimizers.schedules.CosineDecay(1e-2, decay_steps=40)
    if case == "look_ahead":
        rate = sr.schedules.WarmupStableDecay(1e-2, decay=0.5)
    # Draws negatives: the state of the model's generator has to come back as well.
    model.compile(keras.optimizers.Adam(rate), loss=loss)
    if folder is not None:
        # Behind the others in the list, and in front of them in the order of calls.
        callbacks.insert(0, keras.callbacks.BackupAndRestore(folder))
    if kill_at is not None:
        callbacks.append(DieAt(kill_at, die, folder))
    model.fit(
        windows.batches(16, seed=3, with_users=users),
        epochs=epochs,
        verbose=0,
        validation_data=windows.batches(16, evaluation=True, with_users=users),
        callbacks=callbacks,
    )
    return model


def _model(case, windows):
    if case == "SSEPT":
        return sr.SSEPT(windows.num_items, windows.num_users, 5, 4, 4, num_blocks=2)
    kind = sr.GRec if case == "GRec" else sr.NextItNet
    return kind(windows.num_items, embedding_dim=8, num_blocks=2)


def _pairs(windows):
    vocabulary = windows.vocabulary
    users = np.arange(len(windows), dtype="int32")
    return sr.data.TransferPairs(
        windows.inputs, users, windows.last_item, vocabulary, vocabulary
    )


class DieAt(keras.callbacks.Callback):
    def __init__(self, epoch, die, folder):
        super().__init__()
        self.epoch, self.die, self.folder = epoch, die, folder

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            np.save(self.folder + ".depth.npy", self.model.num_blocks)
            self.die()


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def stop():
    raise Stopped


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]), kill)
