"""Pieces of messages: values, counts and suggested names."""

import difflib
import os
from collections.abc import Iterable, Sequence
from typing import Any


def shown(value: Any) -> str:
    """Returns the text of a value (maybe a whole table) for a message."""
    if hasattr(value, "columns") and hasattr(value, "shape"):
        return f"a frame with the columns {list(value.columns)}"
    if isinstance(value, os.PathLike):
        return repr(os.fspath(value))
    value = plain(value)
    kind = type(value).__name__
    if getattr(value, "shape", ()):
        return f"<{kind} of {value.dtype}, shape {tuple(value.shape)}>"
    text = repr(value)
    return text if len(text) <= 100 else f"<{kind}>"


def plain(value: Any) -> Any:
    """Converts numpy numbers, also in lists, to Python numbers, whose repr has no
    type."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    is_number = type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0
    return value.item() if is_number else value


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Returns a number with its noun: `"1 row"`, `"2,000 rows"`. The plural defaults to
    the noun with an "s"."""
    return f"{number:,} {agreeing(number, noun, plural or noun + 's')}"


def agreeing(number: int, singular: str, plural: str) -> str:
    """Returns the form of a word that goes with a number."""
    return singular if number == 1 else plural


def relative_to(path: str | os.PathLike) -> str:
    """Returns a clause that says what a path is relative to, or `""`."""
    return "" if os.path.isabs(path) else f", which is relative to {os.getcwd()}"


def did_you_mean(
    given: str | Iterable[str], known: Iterable[str], cutoff: float = 0.6
) -> str:
    """Returns a question that suggests similarly spelled strings, or `""`.

    A number gets no suggestion: 999 is not a misspelt 99999.

    Args:
        given: A string, or several strings.
        known: Strings that may have been meant.
        cutoff: Float, the minimum similarity, from 0 to 1. Defaults to `0.6`.
    """
    names = [given] if isinstance(given, str) else given
    names = [name for name in names if not name.lstrip("-").isdecimal()]
    lowered = {name.casefold(): name for name in known}
    close = [difflib.get_close_matches(n.casefold(), lowered, 1, cutoff) for n in names]
    meant = ", ".join(repr(lowered[match[0]]) for match in close if match)
    return f"Did you mean {meant}?" if meant else ""


def listed(names: Sequence[str]) -> str:
    """Returns `"a, b and c"`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def examples(texts: Iterable[str]) -> str:
    """Returns `"such as 'a', 'b', 'c'"`, with the first three texts."""
    return "such as " + ", ".join(map(repr, list(texts)[:3]))
