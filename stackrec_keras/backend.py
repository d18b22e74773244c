"""Loads Keras on the backend that the environment names."""

import contextlib
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator


def load_keras() -> None:
    """Imports Keras.

    Raises:
        ImportError: If `KERAS_BACKEND` does not name an installed backend.
    """
    try:
        importlib.import_module("keras")
    except ValueError:
        if "KERAS_BACKEND" not in os.environ:
            raise
        raise ImportError(
            f"KERAS_BACKEND={os.environ['KERAS_BACKEND']!r} is not a Keras backend. "
            "Set it to tensorflow, jax or torch."
        ) from None
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing != os.environ.get("KERAS_BACKEND"):
            raise
        raise ImportError(
            f"KERAS_BACKEND={missing!r}, but {missing} is not installed. Run pip "
            f"install {missing}, or set another backend."
        ) from None


# TensorFlow 2.21 logs lines about oneDNN and CUDA as it loads, at any log level.
_START_LINE = re.compile(rb"I0000 |WARNING: All log messages before absl::Init")


@contextlib.contextmanager
def without_start_lines() -> Iterator[None]:
    """Context manager that holds back all output to stderr, including native code's. At
    the end it writes the output without TensorFlow's startup lines."""
    with tempfile.TemporaryFile() as written:
        stderr = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            lines = [line for line in written if not _START_LINE.match(line)]
            os.write(2, b"".join(lines))


def is_command() -> bool:
    """Returns whether this process is the `stackrec` command."""
    program = os.path.basename(getattr(sys, "argv", [""])[0])
    if os.path.splitext(program)[0] == "stackrec":
        return True
    given = sys.orig_argv
    return "-m" in given[:-1] and given[given.index("-m") + 1] == "stackrec_keras"
