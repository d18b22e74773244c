"""The notebooks run on small data, and are stored with what they gave on ML-1M."""

import ast
import json
import re
from pathlib import Path

import keras
import matplotlib
import matplotlib.pyplot as plt
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 300_000
MACHINE_PATH = re.compile(r"(?<![\w.:])/(home|root|Users|tmp|work|content|var|mnt)/")

each_notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS]
)


def test_there_are_six_notebooks():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{i}_" for i in range(1, 7)]


@pytest.mark.every_backend
@each_notebook
def test_a_notebook_runs_on_small_data_and_has_outputs_where_it_shows_something(
    path, tmp_path, monkeypatch, capsys
):
    if keras.backend.backend() != backend_of(path):
        pytest.skip("a notebook runs on one backend: each has tests of its own")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STACKREC_NOTEBOOK_DATA", "synthetic")
    matplotlib.use("Agg")
    plt.close("all")  # of earlier tests
    names = {"__name__": "__main__"}
    for cell in code_cells(path):
        shows_value = run(source_of(cell), names)
        shows = shows_value or capsys.readouterr().out or plt.get_fignums()
        assert bool(cell["outputs"]) == bool(shows), source_of(cell)
        plt.close("all")


@each_notebook
def test_a_notebook_is_stored_as_it_ran_in_order_and_without_errors(path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    for output in (output for cell in cells for output in cell["outputs"]):
        assert output["output_type"] != "error", output
        assert output.get("name") != "stderr", output


@each_notebook
def test_a_stored_notebook_is_small_and_names_no_machine(path):
    text = path.read_text()
    assert len(text) < MOST_BYTES
    assert not MACHINE_PATH.search(without_pictures(text))


def backend_of(path):
    """torch is the quickest with many small models; the last one exports."""
    return "tensorflow" if path.stem.startswith("6") else "torch"


def code_cells(path):
    cells = json.loads(path.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source_of(cell):
    return "".join(cell["source"])


def run(source, names):
    """Runs a cell, and returns whether a notebook shows what its last line gives."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    if last is None:
        return False
    value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    if value is None or source.endswith(";"):
        return False
    for form in ("_repr_png_", "_repr_html_", "__repr__"):
        getattr(value, form, str)()
    return True


def without_pictures(text):
    return re.sub(r'"image/png": "[^"]*"', "", text)
