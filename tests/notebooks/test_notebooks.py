"""The notebooks run on small data, and are stored with what they gave on ML-1M."""

import ast
import json
import re
from pathlib import Path

import keras
import matplotlib
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


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="once is enough for the text of the notebooks: each backend has its tests",
)
@each_notebook
def test_a_notebook_runs_from_top_to_bottom_on_small_data(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STACKREC_NOTEBOOK_DATA", "synthetic")
    matplotlib.use("Agg")
    names = {"__name__": "__main__"}
    for cell in code_cells(path):
        run(source_of(cell), names)
    matplotlib.pyplot.close("all")


@each_notebook
def test_a_notebook_is_stored_with_its_outputs_in_order(path):
    cells = code_cells(path)
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    for cell in cells:
        if shows_something(source_of(cell)):
            assert cell["outputs"], source_of(cell)
        for output in cell["outputs"]:
            assert output["output_type"] != "error", source_of(cell)
            assert output.get("name") != "stderr", output


@each_notebook
def test_a_stored_notebook_is_small_and_names_no_machine(path):
    text = path.read_text()
    assert len(text) < MOST_BYTES
    assert not MACHINE_PATH.search(without_pictures(text))


def code_cells(path):
    cells = json.loads(path.read_text())["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source_of(cell):
    return "".join(cell["source"])


def run(source, names):
    """Runs a cell, and shows what its last line is, as a notebook does."""
    body = ast.parse(source).body
    value = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    if value is not None:
        shown = eval(compile(ast.Expression(value.value), "<cell>", "eval"), names)
        for form in ("_repr_png_", "_repr_html_", "__repr__"):
            getattr(shown, form, str)()


def shows_something(source):
    last = ast.parse(source).body[-1]
    ends_in_value = isinstance(last, ast.Expr) and not source.endswith(";")
    return ends_in_value or "print(" in source or "axes" in source


def without_pictures(text):
    return re.sub(r'"image/png": "[^"]*"', "", text)
