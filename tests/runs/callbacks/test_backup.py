import os
from pathlib import Path

import keras
import numpy as np
import pytest

import stackrec_keras as sr
from stackrec_keras.runs.callbacks.backup import Backup

X, Y = np.random.default_rng(0).integers(1, 6, (2, 8, 3))


def fit(folder):
    """Fits for 3 epochs, or goes on with them.

    Returns the epoch that it began with and the weights, the optimizer's too.
    """
    keras.utils.set_random_seed(0)
    model = sr.SASRec(5, 3, embedding_dim=4, num_blocks=1, dropout=0.5)
    model.compile(metrics=[])
    backup = Backup(folder)
    epoch = backup.restore(model)
    epochs = {"initial_epoch": epoch, "epochs": 3}
    model.fit(X, Y, shuffle=False, callbacks=[backup], verbose=0, **epochs)
    state = [*model.weights, *model.optimizer.variables]
    return epoch, [keras.ops.convert_to_numpy(weight) for weight in state]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The weights of a fit that was not stopped."""
    return fit(tmp_path_factory.mktemp("whole"))[1]


@pytest.mark.parametrize(
    "owner, name, went_on_with",
    [
        (keras.Model, "save_weights", 1),  # while it writes
        (os, "replace", 1),  # what was written has no name yet
        (Path, "unlink", 2),  # what was written before is still there
    ],
)
def test_a_save_that_is_cut_off_leaves_a_whole_one_to_go_on_with(
    tmp_path, whole, owner, name, went_on_with
):
    do, calls = getattr(owner, name), []

    def stop(*args, **kwargs):
        # At the end of epoch 1; then first is the time that anything is unlinked.
        calls.append(args)
        if len(calls) < 2 and name != "unlink":
            return do(*args, **kwargs)
        if name == "save_weights":
            Path(args[1]).write_bytes(b"\x89HDF")
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(owner, name, stop)
        fit(tmp_path)
    epoch, weights = fit(tmp_path)
    assert epoch == went_on_with
    for weight, expected in zip(weights, whole, strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch-2.weights.h5"]
