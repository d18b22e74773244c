"""Trains a model in two processes that talk over the loopback interface, on JAX.

    python scripts/two_processes.py

Prints the losses of one process and of two, which must be equal. Two processes on one
machine stand in for two hosts: the code is the same.
"""

import json
import os
import socket
import subprocess
import sys


def main():
    losses = {"one": losses_of(start({}))}
    ports = [free_port() for _ in range(2)]
    addresses = [f"127.0.0.1:{port}" for port in ports]
    workers = [start(settings(addresses, index)) for index in range(2)]
    losses |= {f"worker {index}": losses_of(w) for index, w in enumerate(workers)}
    for name, values in losses.items():
        print(f"{name:9}", *(f"{value:.6f}" for value in values))
    worst = max(
        abs(ours - theirs)
        for values in losses.values()
        for ours, theirs in zip(values, losses["one"], strict=True)
    )
    print(f"largest difference: {worst:.1e}")
    return worst > 1e-4


def settings(addresses, index):
    """Returns what a worker finds in its environment."""
    return {
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": ",".join(addresses),
        "KERAS_DISTRIBUTION_NUM_PROCESSES": str(len(addresses)),
        "KERAS_DISTRIBUTION_PROCESS_ID": str(index),
    }


def start(environment):
    environment = {**os.environ, "KERAS_BACKEND": "jax", **environment}
    command = [sys.executable, __file__, "worker"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def losses_of(process):
    printed, _ = process.communicate(timeout=900)
    if process.returncode:
        raise SystemExit(f"A process ended with {process.returncode}.")
    return json.loads(printed.splitlines()[-1])


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def work():
    """Trains through a growth step, alone or as one of two processes."""
    import jax
    import keras

    if "KERAS_DISTRIBUTION_PROCESS_ID" in os.environ:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")  # on a CPU
        keras.distribution.initialize()
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    import numpy as np
    import tensorflow as tf

    import stackrec_keras as sr

    items = np.random.default_rng(0).integers(1, 31, (64, 11)).astype("int32")
    data = tf.data.Dataset.from_tensor_slices((items[:, :-1], items[:, 1:]))
    keras.utils.set_random_seed(0)
    model = sr.SASRec(30, 10, 8, num_blocks=1)
    model.compile()
    history = model.fit(
        data.batch(16, drop_remainder=True),
        epochs=2,
        verbose=0,
        callbacks=[sr.StackingCallback("stackR", {1: 2})],
    ).history
    print(json.dumps(list(map(float, history["loss"]))))


if __name__ == "__main__":
    sys.exit(work() if sys.argv[1:] == ["worker"] else main())
