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


def modules_of(room):
    """The modules of one room of the package, `stackrec_keras.data.windows` and so on,
    with the modules of the package that each imports."""
    found = {}
    for path in sorted((PACKAGE / room).rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if path.name not in ENTRIES:
            found[".".join(parts)] = set(absolute_imports(path, parts[:-1]))
    return found


def absolute_imports(path, package):
    """What a file imports of its room, `TYPE_CHECKING` included, as absolute names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def circle_in(imports):
    """A circle of modules that import each other, or None.

    Args:
        imports: Dict from a module to the set of modules it imports.
    """
    done = set()

    def visit(module, way):
        if module in way:
            return [*way[way.index(module) :], module]
        if module not in done:
            for other in sorted(imports[module] & imports.keys()):
                if found := visit(other, [*way, module]):
                    return found
            done.add(module)
        return None

    return next((found for one in imports if (found := visit(one, []))), None)


ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_do_not_import_each_other_in_a_circle(room):
    imports = modules_of(room)
    assert imports
    assert circle_in(imports) is None


def test_the_search_for_circles_finds_one():
    imports = {"a": {"b"}, "b": {"c", "json"}, "c": {"d", "b"}, "d": set()}
    assert circle_in(imports) == ["b", "c", "b"]
    imports["c"].remove("b")
    assert circle_in(imports) is None


def test_imports_of_the_data_room_are_found():
    imports = modules_of("data")
    assert "stackrec_keras.data.rows" in imports["stackrec_keras.data.batches"]
    assert "stackrec_keras.data.batches" in imports["stackrec_keras.data.windows"]
