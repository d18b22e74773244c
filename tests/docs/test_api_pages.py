"""Every public name of the package is in the reference, and each class has a page."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import stackrec_keras

ROOT = Path(__file__).parents[2]
API = ROOT / "docs" / "api"
NOT_ROOMS = ("backend", "cli", "__pycache__")  # `cli` is the command
ROOMS = sorted(
    folder.name
    for folder in Path(stackrec_keras.__file__).parent.iterdir()
    if folder.is_dir() and folder.name not in NOT_ROOMS
)


def described(page):
    """The objects that a page takes from docstrings."""
    for path in re.findall(r"^::: (\S+)$", page.read_text("utf-8"), re.MULTILINE):
        module, name = path.rsplit(".", 1)
        yield getattr(importlib.import_module(module), name)


def public(room):
    module = importlib.import_module(f"stackrec_keras.{room}")
    return {name: getattr(module, name) for name in module.__all__}


@pytest.mark.parametrize("room", ROOMS)
def test_each_public_class_of_a_room_has_a_page(room):
    for name, value in public(room).items():
        if inspect.isclass(value):
            page = API / room / f"{name}.md"
            assert page.exists(), f"add {page.relative_to(ROOT)} and name it in nav"
            assert list(described(page)) == [value]


@pytest.mark.parametrize("room", ROOMS)
def test_each_public_function_of_a_room_is_on_the_rooms_page(room):
    shown = list(described(API / room / "index.md"))
    for name, value in public(room).items():
        assert not inspect.isfunction(value) or value in shown, name


def test_each_class_at_the_top_of_the_package_has_a_page():
    for name in stackrec_keras.__all__:
        if inspect.isclass(getattr(stackrec_keras, name)):
            assert list(API.glob(f"*/{name}.md")), name


def test_each_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text("utf-8").split("\nnav:\n")[1]
    pages = {str(page.relative_to(API.parent)) for page in API.parent.rglob("*.md")}
    assert pages == set(re.findall(r"[\w/]+\.md", navigation))
