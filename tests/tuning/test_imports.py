import subprocess
import sys

import keras
import pytest

CODE = """
import sys
if {without_tensorflow}:
    sys.modules["tensorflow"] = None
import stackrec_keras as sr

pytestmark = pytest.mark.every_backend
assert "keras_tuner" not in sys.modules
assert "tuning" in dir(sr)
hp = sr.tuning.SearchSpace()
assert "keras_tuner" in sys.modules
try:
    sr.tunings
except AttributeError as error:
    assert "has no attribute 'tunings'" in str(error)
else:
    raise AssertionError
"""


def test_keras_tuner_is_imported_late_and_needs_tensorflow_on_no_other_backend():
    code = CODE.format(without_tensorflow=keras.backend.backend() != "tensorflow")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_on_tensorflow_a_missing_tensorboard_is_named_before_any_trial(
    make_hypermodel, monkeypatch
):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install tensorboard"):
        make_hypermodel()
