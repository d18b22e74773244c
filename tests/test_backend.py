import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "command", [["-c", "import stackrec_keras"], ["-m", "stackrec_keras"]]
)
def test_a_backend_that_keras_does_not_know_is_named_with_those_that_it_does(command):
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "KERAS_BACKEND": "pytorch"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: KERAS_BACKEND='pytorch' is no backend of Keras. Set it to "
        "tensorflow, jax or torch."
    )
    assert "Unable to import backend" not in done.stderr
