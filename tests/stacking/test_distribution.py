"""Growing on two devices: `tf.distribute.MirroredStrategy`, JAX `DataParallel`."""

import json
import subprocess
import sys

import keras
import pytest
from stacking import distributed_run

pytestmark = [
    pytest.mark.every_backend,
    pytest.mark.skipif(
        keras.backend.backend() == "torch", reason="Keras has no distribution on torch"
    ),
]


def test_two_devices_train_and_grow_as_one():
    one = distributed_run.history_of("SASRec")
    two, that_draws = _run_on_two("SASRec", "GRec")
    assert two["num_blocks"] == [1, 2, 2]
    for name, values in one.items():
        assert two[name] == pytest.approx(values, rel=1e-3), name
    assert that_draws["num_blocks"] == [1, 2, 2]
    assert that_draws["loss"][-1] < that_draws["loss"][0]


def _run_on_two(*models):
    done = subprocess.run(
        [sys.executable, distributed_run.__file__, *models],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
