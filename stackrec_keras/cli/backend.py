"""`--backend`: which framework Keras runs on."""

import os
import sys

BACKENDS = ("tensorflow", "jax", "torch")


def use_backend(name):
    """Makes Keras run on a backend.

    Args:
        name: String, or `None` to leave the choice to KERAS_BACKEND and Keras.

    Raises:
        ValueError: If Keras is imported already, with another backend.
    """
    if name is None:
        return
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
        return
    running = sys.modules["keras"].backend.backend()
    if running != name:
        raise ValueError(
            f"--backend {name} comes too late: Keras is running on {running} in this "
            f"process. Set the environment variable KERAS_BACKEND={name} instead."
        )


def add_backend_option(parser):
    """Adds `--backend` to the parser of a command."""
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        help="framework to run on (default: the environment's KERAS_BACKEND, else "
        "Keras' own choice)",
    )
