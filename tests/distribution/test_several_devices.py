"""Four devices: JAX's `DataParallel` and `ModelParallel`, `MirroredStrategy`."""

import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()

pytestmark = [
    pytest.mark.every_backend,
    pytest.mark.skipif(
        BACKEND == "torch", reason="Keras uses only one device on torch"
    ),
]
only_on_jax = pytest.mark.skipif(
    BACKEND != "jax", reason="Keras has ModelParallel only on JAX"
)


FOUR_DEVICES = Path(__file__).with_name("four_devices.py")
TESTS, ROOT = FOUR_DEVICES.parents[1], FOUR_DEVICES.parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    printed = _run(FOUR_DEVICES, tmp_path_factory.mktemp("models"))
    return json.loads(printed.strip().splitlines()[-1])


def test_four_devices_that_share_batches_do_as_one_does(found):
    _check_equal(found["batches"], found["one"])


@only_on_jax
def test_four_devices_that_split_tables_do_as_one_does(found):
    _check_equal(found["tables"], found["one"])
    assert found["tables"]["split"] == [
        "output_table/table",
        "output_table/bias",
        "item_embedding/embeddings",
    ]


@only_on_jax
def test_unused_rows_stay_0_and_are_in_no_file(found):
    tables = found["tables"]
    assert tables["loaded_on_one"] and tables["loaded_on_four"]
    assert tables["unused"] == 0
    assert tables["shapes"] == [34]  # 34 items and the padding were 31 and are 34


@only_on_jax
def test_the_code_of_the_page_runs_on_four_devices(tmp_path):
    page = (ROOT / "docs" / "several_devices.md").read_text("utf-8")
    code = re.findall(r"^```python\n# on JAX\n(.*?)^```$", page, re.M | re.S)
    given = [
        "import sys",
        f"sys.path[:0] = [{str(TESTS)!r}, {str(TESTS / 'docs')!r}]",
        "sys.modules['tensorflow'] = None",
        "import stackrec_keras, test_guides",
        "stackrec_keras.data.load = lambda name: test_guides.log()",
    ]
    assert len(code) == 2
    _run("-c", "\n".join([*given, *code]), cwd=tmp_path)


def _run(*arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def _check_equal(several, one):
    assert several["num_blocks"] == [1, 2]
    assert several["ids"] == one["ids"]
    for name in ("loss", "evaluated", "scores", "weights"):
        np.testing.assert_allclose(
            several[name], one[name], rtol=2e-3, atol=1e-5, err_msg=name
        )
