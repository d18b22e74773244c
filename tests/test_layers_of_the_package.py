"""Imports go one way, down the list in which the package is laid out."""

import ast
from pathlib import Path

import pytest

import stackrec_keras

PACKAGE = Path(stackrec_keras.__file__).parent
# What of a level imports nothing of the later ones, not even inside functions.
LEVELS = ["evaluation", "runs", "experiments", "cli"]
ENTRIES = ["__init__.py", "__main__.py"]


def imported(path):
    """The modules of this package that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_below_a_level_imports_it(level):
    above = LEVELS[LEVELS.index(level) :]
    lower = [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in (*above, *ENTRIES)
    ]
    assert lower
    wrong = {
        str(path): module
        for path in lower
        for module in imported(path)
        if f"{module}.".startswith(f"stackrec_keras.{level}.")
    }
    assert wrong == {}
