"""Growing on two devices: `tf.distribute.MirroredStrategy`, JAX `DataParallel`."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.every_backend

SCRIPT = Path(__file__).parent / "distributed_run.py"


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no distribution on torch"
)
def test_two_devices_train_and_grow_as_one():
    one, two = (_run(devices, "SASRec") for devices in (1, 2))
    assert two["num_blocks"] == [2, 3, 3]
    for name, values in one.items():
        assert two[name] == pytest.approx(values, rel=1e-3), name


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="Keras has no distribution on torch"
)
@pytest.mark.parametrize("model", ["GRec", "dropout"])
def test_models_that_draw_train_and_grow_on_two_devices(model):
    history = _run(2, model)
    assert history["num_blocks"] == [2, 3, 3]
    assert history["loss"][-1] < history["loss"][0]


def _run(devices, model):
    done = subprocess.run(
        [sys.executable, SCRIPT, str(devices), model],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
