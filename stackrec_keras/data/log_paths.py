"""Finds the files of a log, and reads values from the names of their folders."""

import glob
import itertools
import os
from os import PathLike
from pathlib import Path
from urllib.parse import unquote

from stackrec_keras.errors import ArgumentError

MISSING = "__HIVE_DEFAULT_PARTITION__"
"""The value in the name of a folder with events that lack a value."""


def find_files(path: str | PathLike) -> list[Path]:
    """Returns the absolute paths of the files that a pattern matches or a folder holds,
    in the order of their names."""
    if not isinstance(path, (str, PathLike)):
        fix = "Give a string, such as 'clicks/*.parquet'."
        raise ArgumentError("path", "must be a pattern or a path", fix, path)
    text = os.fspath(path)
    if os.path.isfile(text):
        return [Path(text).absolute()]
    root, matches = Path(text), [text]
    if not root.is_dir():
        fixed = itertools.takewhile(lambda part: not glob.has_magic(part), root.parts)
        root, matches = Path(*fixed), glob.glob(text, recursive=True)
    found: set[Path] = set()
    for match in map(Path, matches):
        found.update(match.rglob("*.parquet") if match.is_dir() else [match])
    files = [file for file in found if file.is_file() and not _is_hidden(file, root)]
    # Other processes may have another working folder.
    return sorted((file.absolute() for file in files), key=lambda file: file.parts)


def _is_hidden(file, root):
    return any(part.startswith(("_", ".")) for part in file.relative_to(root).parts)


def keys_of(path: Path) -> dict[str, str]:
    """Returns a dict of the `key=value` folders in a path."""
    pairs = (part.partition("=") for part in path.parent.parts if "=" in part)
    return {unquote(key): unquote(value) for key, _, value in pairs}


def types_in_paths(files: list[Path]) -> dict[str, type]:
    """Returns a dict from key to type: `int` if all values of the key are integers,
    else `str`."""
    values: dict[str, set[str]] = {}
    for path in files:
        for key, value in keys_of(path).items():
            values.setdefault(key, set()).add(value)
    return {
        key: int if all(map(_is_integer, found - {MISSING})) else str
        for key, found in values.items()
    }


def _is_integer(text):
    return text.isascii() and text.removeprefix("-").isdecimal()
