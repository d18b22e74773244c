"""Trains, grows, extends and saves a model on one device and on four.

    python four_devices.py FOLDER

Prints what came of it as JSON. The models are saved in the folder.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

NUMBER = 4
BACKEND = os.environ.get("KERAS_BACKEND")

if __name__ == "__main__" and BACKEND == "jax":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={NUMBER}"
    sys.modules["tensorflow"] = None  # is not needed, and takes long to import
if __name__ == "__main__" and BACKEND == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * NUMBER,
    )

import keras  # noqa: E402
import numpy as np  # noqa: E402

import stackrec_keras as sr  # noqa: E402
from stackrec_keras.layers.split_rows import SplitRows  # noqa: E402
from stackrec_keras.runs.devices import on_devices  # noqa: E402

RNG = np.random.default_rng(0)
# 31 rows of a table, and a last batch of 2: neither can be split into equal parts.
ITEMS = RNG.integers(1, 31, (34, 11)).astype("int32")
for row in ITEMS:
    row[: RNG.integers(0, 9)] = 0  # devices have unequal numbers of targets
X, Y = ITEMS[:, :-1], ITEMS[:, 1:]


def sasrec():
    # On TensorFlow, four devices would draw other numbers than one.
    dropout = 0.0 if BACKEND == "tensorflow" else 0.1
    return sr.SASRec(30, 10, 8, num_blocks=1, dropout=dropout, padding_mask=True)


def results(scope, path):
    keras.utils.set_random_seed(0)
    with scope:
        model = sasrec()
        model.compile(keras.optimizers.Adam(0.01), metrics=[sr.metrics.MRR(5)])
        history = model.fit(
            X,
            Y,
            batch_size=16,
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=[sr.StackingCallback("stackR", {1: 2})],
        ).history
        model.extend_items(3)
        evaluated = model.evaluate(X, Y[:, -1], exclude_seen=False, verbose=0)
        ids, scores = model.recommend(X[:3], k=3)
        model.save(path)
        numbers = [v.numpy().ravel() for v in [*model.weights, *slots(model)]]
    return {
        "loss": history["loss"],
        "num_blocks": list(map(int, history["num_blocks"])),
        "evaluated": list(map(float, evaluated)),
        "ids": ids.tolist(),
        "scores": scores.tolist(),
        "weights": np.concatenate(numbers).tolist(),
        "split": [v.path for v in model.weights if isinstance(v, SplitRows)],
    }


def slots(model):
    return [v for v in model.optimizer.variables if v.shape]


def on_a_mesh(folder):
    """Results with split tables, and whether files load with and without a layout."""
    mesh = keras.distribution.DeviceMesh((2, 2), ["batch", "items"])
    layout = sr.distribution.layout(sasrec(), mesh)
    parallel = keras.distribution.ModelParallel(layout_map=layout)
    found = results(parallel.scope(), folder / "split.keras")
    saved_split = keras.saving.load_model(folder / "split.keras")
    found["loaded_on_one"] = bool(is_equal(saved_split, found["weights"]))
    with parallel.scope():
        again = keras.saving.load_model(folder / "split.keras")
        again.set_weights(again.get_weights())
        found["loaded_on_four"] = bool(is_equal(again, found["weights"]))
        split = [v for v in [*again.weights, *slots(again)] if isinstance(v, SplitRows)]
        found["unused"] = float(
            sum(np.abs(np.asarray(v.value)[v.num_rows :]).sum() for v in split)
        )
        found["shapes"] = sorted({v.shape[0] for v in split})
    return found


def is_equal(model, numbers):
    ours = [v.numpy().ravel() for v in [*model.weights, *slots(model)]]
    return np.array_equal(np.concatenate(ours), np.array(numbers, "float32"))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    found = {"one": results(contextlib.nullcontext(), folder / "one.keras")}
    found["batches"] = results(on_devices(NUMBER), folder / "batches.keras")
    if BACKEND == "jax":
        found["tables"] = on_a_mesh(folder)
    print(json.dumps(found))
