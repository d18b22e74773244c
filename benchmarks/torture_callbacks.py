"""Does each Keras callback work beside `StackingCallback`, alone and in pairs?

    KERAS_BACKEND=torch python benchmarks/torture_callbacks.py

Fits a model that grows twice, with each callback of `keras.callbacks`, and with each
pair of them, in random places around `StackingCallback`. The depths of the epochs must
be those of the schedule, and the last depth that of the weights. Callbacks that only
watch must not change a bit of the weights: the other callbacks of a fit, alone, must
give the same ones.
"""

import argparse
import http.server
import itertools
import random
import tempfile
import threading
import warnings
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
from keras import callbacks, ops
from torture import BACKEND, report

import stackrec_keras as sr

EPOCHS, DEPTHS = 4, [1, 2, 2, 4]
MONITOR = {"monitor": "val_mrr@5"}
# The bases, and those that `fit` adds itself.
NOT_GIVEN = {"Callback", "CallbackList", "History", "ProgbarLogger"}


def makers(folder, address):
    """Returns a dict from name to a function that makes the callback. Names of
    callbacks that change the training begin with a star."""
    best = {**MONITOR, "save_best_only": True}
    weights = {"save_weights_only": True}
    found = {
        "BackupAndRestore": lambda: callbacks.BackupAndRestore(folder / "backup"),
        "CSVLogger": lambda: callbacks.CSVLogger(folder / "log.csv"),
        "LambdaCallback": lambda: callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: float(logs["val_loss"])
        ),
        "ModelCheckpoint": lambda: callbacks.ModelCheckpoint(
            folder / "model.keras", **best
        ),
        "ModelCheckpoint, weights": lambda: callbacks.ModelCheckpoint(
            folder / "model.weights.h5", **weights
        ),
        "TensorBoard": lambda: callbacks.TensorBoard(folder / "board"),
        "TerminateOnNaN": callbacks.TerminateOnNaN,
        "RemoteMonitor": lambda: callbacks.RemoteMonitor(address, send_as_json=True),
        "*EarlyStopping": lambda: callbacks.EarlyStopping(
            **MONITOR, patience=9, restore_best_weights=True
        ),
        "*LearningRateScheduler": lambda: callbacks.LearningRateScheduler(
            lambda epoch, rate: rate * 0.7
        ),
        "*ReduceLROnPlateau": lambda: callbacks.ReduceLROnPlateau(
            "val_loss", patience=0, min_delta=1.0
        ),
        "*SwapEMAWeights": lambda: callbacks.SwapEMAWeights(swap_on_epoch=True),
    }
    if find_spec("orbax") is not None:
        found["OrbaxCheckpoint"] = lambda: callbacks.OrbaxCheckpoint(
            folder / "orbax", save_on_background=False
        )
    return found


def untried(names):
    """Returns the names of Keras' callbacks that are not among those tried."""
    known = {name.lstrip("*").split(",")[0] for name in names} | NOT_GIVEN
    return sorted({n for n in dir(callbacks) if n[0].isupper()} - known)


def fit(made, before):
    """Returns the depths of the epochs, and the model's weights.

    Args:
        made: List of callbacks.
        before: Integer, how many of them come before `StackingCallback`.
    """
    keras.utils.set_random_seed(0)
    model = sr.NextItNet(30, embedding_dim=8, num_blocks=1)
    adam = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    model.compile(adam, run_eagerly=BACKEND == "tensorflow")
    starts = np.random.default_rng(0).integers(0, 30, (64, 1))
    items = ((starts + np.arange(9)) % 30 + 1).astype("int32")
    growing = sr.StackingCallback("stackC", {1: 2, 3: 4})
    history = model.fit(
        items[:, :-1],
        items[:, 1:],
        batch_size=32,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        validation_data=(items[:, :-1], items[:, -1]),
        callbacks=[*made[:before], growing, *made[before:]],
    ).history
    weights = [ops.convert_to_numpy(weight) for weight in model.weights]
    if not all(np.isfinite(weight).all() for weight in weights):
        raise ValueError("weights are not finite")
    restores = any(isinstance(one, callbacks.EarlyStopping) for one in made)
    if not restores and model.num_blocks != history["num_blocks"][-1]:
        raise ValueError(f"{model.num_blocks} blocks after {history['num_blocks']}")
    return history["num_blocks"], [weight.tobytes() for weight in weights]


class Deaf(http.server.BaseHTTPRequestHandler):
    """Accepts what `RemoteMonitor` sends."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--singles", action="store_true", help="leave out the pairs")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Deaf)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        cases, failures = try_all(Path(folder), address, arguments.singles)
        left_out = untried(makers(Path(folder), address))
    note = f"not installed: {', '.join(left_out)}" if left_out else ""
    report("callbacks", cases, failures, note)


def try_all(folder, address, singles=False):
    """Returns the number of cases, and a list of those that failed."""
    names = list(makers(folder, address))
    groups = [(name,) for name in names]
    groups += [] if singles else itertools.combinations(names, 2)
    rng, expected, failures = random.Random(0), {}, []
    for number, group in enumerate(groups):
        make = makers(folder / str(number), address)
        (folder / str(number)).mkdir()
        group = rng.sample(group, len(group))
        active = tuple(name for name in group if name.startswith("*"))
        try:
            if active not in expected:
                expected[active] = fit([make[name]() for name in active], 0)
            found = fit([make[name]() for name in group], rng.randint(0, len(group)))
            if found[0] != DEPTHS:
                failures.append(f"{group}: depths {found[0]}")
            elif found != expected[active]:
                failures.append(f"{group}: other weights than with {active}")
        except Exception as error:
            failures.append(f"{group}: {type(error).__name__}: {error}")
    return len(groups), failures


if __name__ == "__main__":
    main()
