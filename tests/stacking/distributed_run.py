"""Fits that grow models on two devices, in a process of their own.

    python distributed_run.py MODEL [MODEL ...]

Prints a list of histories as JSON.
"""

import contextlib
import json
import os
import sys

if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    if os.environ.get("KERAS_BACKEND") == "jax":
        sys.modules["tensorflow"] = None  # is not needed, and takes long to import

import keras  # noqa: E402
import numpy as np  # noqa: E402

import stackrec_keras as sr  # noqa: E402

MODELS = {
    "SASRec": lambda: sr.SASRec(30, 10, 8, num_blocks=1, padding_mask=True),
    # It draws random numbers in training, which differ between one device and two.
    "GRec": lambda: sr.GRec(30, embedding_dim=8, num_blocks=1),
}


def history_of(name, scope=contextlib.nullcontext):
    rng = np.random.default_rng(0)
    items = rng.integers(1, 31, (64, 11)).astype("int32")
    x, y = items[:, :-1], items[:, 1:]
    keras.utils.set_random_seed(0)
    with scope():
        model = MODELS[name]()
        rate = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=20)
        model.compile(
            keras.optimizers.Adam(rate, use_ema=True), metrics=[sr.metrics.MRR(5)]
        )
    state = "reset" if name == "SASRec" else "carry"
    history = model.fit(
        x,
        y,
        batch_size=16,
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_data=(x, y[:, -1]),
        callbacks=[sr.StackingCallback("stackR", {1: 2}, optimizer_state=state)],
    ).history
    del history["growth_seconds"]
    return {name: list(map(float, values)) for name, values in history.items()}


def distribution():
    """Returns a function that gives the context in which to build a model."""
    if keras.backend.backend() == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        return contextlib.nullcontext
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, logical)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope


if __name__ == "__main__":
    scope = distribution()
    print(json.dumps([history_of(name, scope) for name in sys.argv[1:]]))
