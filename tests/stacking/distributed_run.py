"""A fit that grows a model on several devices, in its own process.

    python distributed_run.py DEVICES MODEL

Prints the history as JSON.
"""

import contextlib
import json
import os
import sys

devices = int(sys.argv[1])
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"

import keras  # noqa: E402
import numpy as np  # noqa: E402

import stackrec_keras as sr  # noqa: E402

MODELS = {
    "SASRec": lambda: sr.SASRec(30, 10, 8, num_blocks=2, padding_mask=True),
    # These draw random numbers in training, which differ between one device and two.
    "dropout": lambda: sr.SASRec(30, 10, 8, num_blocks=2, dropout=0.2),
    "GRec": lambda: sr.GRec(30, embedding_dim=8, num_blocks=2),
}

STATE = "reset" if sys.argv[2] == "SASRec" else "carry"


def main():
    rng = np.random.default_rng(0)
    items = rng.integers(1, 31, (64, 11)).astype("int32")
    x, y = items[:, :-1], items[:, 1:]
    keras.utils.set_random_seed(0)
    with distribution():
        model = MODELS[sys.argv[2]]()
        rate = keras.optimizers.schedules.CosineDecay(0.01, decay_steps=20)
        model.compile(keras.optimizers.Adam(rate, use_ema=True))
    history = model.fit(
        x,
        y,
        batch_size=16,
        epochs=3,
        shuffle=False,
        verbose=0,
        validation_data=(x, y[:, -1]),
        callbacks=[sr.StackingCallback("stackR", {1: 3}, optimizer_state=STATE)],
    ).history
    del history["growth_seconds"]
    print(json.dumps({name: list(map(float, v)) for name, v in history.items()}))


def distribution():
    if devices == 1:
        return contextlib.nullcontext()
    if keras.backend.backend() == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel())
        return contextlib.nullcontext()
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(cpu, logical)
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope()


main()
