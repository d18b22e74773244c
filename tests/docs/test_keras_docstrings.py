"""What the reference makes of a docstring in Keras' style."""

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("griffe")  # of the extra `docs`

PATH = Path(__file__).parents[2] / "scripts" / "keras_docstrings.py"
DOCSTRING = """Scores items.

Sums: two.

Args:
    k: Integer, how many. Defaults to
        `10`.
    **kwargs: `name`: a string.

Call arguments: see `Other`.

Returns:
    A pair: ids and scores.

Example:

```python
# Args:
score(k=3)
```

Reference:
    [A paper](
    https://example.org)
"""
MARKDOWN = """Scores items.

Sums: two.

**Arguments**

`k`
:   Integer, how many. Defaults to
    `10`.

`**kwargs`
:   `name`: a string.

**Call arguments**

see `Other`.

**Returns**

A pair: ids and scores.

**Example**

```python
# Args:
score(k=3)
```

**Reference**

[A paper](
https://example.org)"""


@pytest.fixture(scope="module")
def as_markdown():
    spec = importlib.util.spec_from_file_location("keras_docstrings", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.as_markdown


def test_sections_become_titles_and_arguments_become_definitions(as_markdown):
    assert as_markdown(DOCSTRING) == MARKDOWN


def test_arguments_in_another_form_stay_as_they_are(as_markdown):
    assert as_markdown("Args:\n    the usual ones") == "**Arguments**\n\nthe usual ones"


def test_a_session_in_an_example_becomes_a_block_of_code(as_markdown):
    shown = as_markdown("Example:\n\n>>> 1 + 1\n2")
    assert shown == "**Example**\n\n```pycon\n>>> 1 + 1\n2\n```"
