"""The benchmark of serving, with few requests."""

import subprocess
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "serving.py"


def test_an_exported_recommender_answers_all_requests():
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    small = "--items 20 --length 5 --dim 4 --num-blocks 1 --k 3 --clients 2"
    command = [sys.executable, PATH, *small.split(), "--requests", "10"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "2 clients" in output and "requests a second; median" in output
