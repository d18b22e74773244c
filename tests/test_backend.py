import os
import subprocess
import sys

import keras
import pytest

from stackrec_keras.backend import without_start_lines


def test_a_backend_that_keras_does_not_know_is_named_with_those_that_it_does():
    done = subprocess.run(
        [sys.executable, "-c", "import stackrec_keras"],
        env={**os.environ, "KERAS_BACKEND": "pytorch"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: KERAS_BACKEND='pytorch' is not a Keras backend. Set it to "
        "tensorflow, jax or torch."
    )
    assert "Unable to import backend" not in done.stderr


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_backend_that_is_not_installed_is_named_with_the_way_to_get_it(backend):
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.modules[{backend!r}] = None; import stackrec_keras",
        ],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert (
        f"KERAS_BACKEND='{backend}', but {backend} is not installed. Run pip install"
        in (done.stderr.splitlines()[-1])
    )


def start(backend):
    """The `stackrec` command in a process of its own, and what it writes."""
    return subprocess.run(
        [sys.executable, "-m", "stackrec_keras", "data"],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_the_command_ends_in_one_line_where_there_is_no_backend():
    done = start("pytorch")
    assert done.returncode == 2
    assert done.stderr == (
        "stackrec: error: KERAS_BACKEND='pytorch' is not a Keras backend. Set it to "
        "tensorflow, jax or torch.\n"
    )


@pytest.mark.every_backend
def test_the_command_starts_without_tensorflows_lines():
    done = start(keras.backend.backend())
    assert done.returncode == 0 and "ml-1m" in done.stdout
    assert done.stderr == ""


def test_of_what_is_written_while_it_loads_the_start_lines_alone_are_lost(capfd):
    with without_start_lines():
        os.write(2, b"I0000 00:00:17 port.cc:153] oneDNN is on\nW0000 a warning\n")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "W0000 a warning\n"
