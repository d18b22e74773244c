"""Growing on two devices: `tf.distribute.MirroredStrategy`, JAX `DataParallel`."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = [
    pytest.mark.every_backend,
    pytest.mark.skipif(
        keras.backend.backend() == "torch", reason="Keras has no distribution on torch"
    ),
]

SCRIPT = Path(__file__).parent / "distributed_run.py"


def test_two_devices_train_and_grow_as_one():
    (one,) = _run(1, "SASRec")
    two, that_draws = _run(2, "SASRec", "GRec")
    assert two["num_blocks"] == [2, 3, 3]
    for name, values in one.items():
        assert two[name] == pytest.approx(values, rel=1e-3), name
    assert that_draws["num_blocks"] == [2, 3, 3]
    assert that_draws["loss"][-1] < that_draws["loss"][0]


def _run(devices, *models):
    done = subprocess.run(
        [sys.executable, SCRIPT, str(devices), *models],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
