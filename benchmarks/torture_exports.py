"""Does each export give what `recommend` gives, in a process without this package?

    KERAS_BACKEND=torch python benchmarks/torture_exports.py

Exports each architecture in each format that the backend can write and that another
process can serve, and serves it 1,000 histories: padded, longer than the model reads,
with unknown items. Ids must be the same, and scores within 1e-5.
"""

import argparse
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from torture import BACKEND, report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from models import test_export_recommender as cases  # noqa: E402

ARCHITECTURES = ("NextItNet", "GRec", "SASRec", "SSEPT", "HSTU", "ESASRec")
# Format -> backend -> the package that writes it.
FORMATS = {
    "tf_saved_model": {"tensorflow": "tensorflow", "jax": "tensorflow"},
    "torch": {"torch": "torch"},
    "onnx": {"tensorflow": "tf2onnx", "jax": "jax2onnx", "torch": "onnxscript"},
}
FILES = {"tf_saved_model": "m", "torch": "m.pt2", "onnx": "m.onnx"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1000, help="histories")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    tried, failures, missing = 0, [], []
    for format, packages in FORMATS.items():
        package = packages.get(BACKEND)
        if package is None or find_spec(package) is None:
            missing += [format] if package else []
            continue
        for name in ARCHITECTURES:
            tried += 1
            try:
                _compare(name, format, arguments.rows)
            except Exception as error:
                said = " ".join(str(error).split())[:200]
                failures.append(f"{name}, {format}: {type(error).__name__}: {said}")
    note = f"not installed: what writes {', '.join(missing)}" if missing else ""
    report("exports", tried, failures, note)


def _compare(name, format, rows):
    model = cases.small_model(name)
    x = cases.histories(model, rows)
    if format == "onnx" and BACKEND == "jax":  # programs for one length
        x = {n: v[:, -10:] if v.ndim == 2 else v for n, v in x.items()}
    at = x["timestamps"][:, -1] + 60 if "timestamps" in x else None
    ids, scores = model.recommend(x, 5, at=at)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILES[format]
        model.export_recommender(path, 5, format=format, verbose=False)
        inputs = x if at is None else {**x, "at": at}
        served = cases.served_elsewhere(format, path, inputs)
    np.testing.assert_array_equal(served["ids"], ids)
    np.testing.assert_allclose(served["scores"], scores, atol=1e-5)


if __name__ == "__main__":
    main()
