"""Rows of a split in files: opens them without loading them, and distributes them over
the parts of a split."""

from pathlib import Path

import numpy as np

from .event_columns import EventColumns
from .random_split import draw_parts
from .stored_arrays import ColumnsWriter, StoredArray, column_file
from .windows import Windows

PARTS = ("train", "validation", "test")
ALL = "all"  # rows that are not split yet
EVENTS, PAST_EVENTS = "events", "past_events"
PLACES = ("begins", "ends", "targets")
_ARRAYS = ("items", "users", "end_time", *PLACES)
USERS = "users.npy"
FILES = (*PARTS, EVENTS, PAST_EVENTS, USERS)
"""Names of the files and folders that remain once all rows are written."""


def split_rows(folder: Path, facts: dict, windows: Windows, split) -> dict:
    """Splits rows that are already written, and writes the parts.

    Args:
        folder: The folder that holds the rows.
        facts: What `join_buckets` returned.
        windows: The `Windows` that `read_rows` opened in the folder.
        split: `AtRandom`.

    Returns:
        The dict that `read_rows` takes.
    """
    drawn = draw_parts(windows, split.test_share, split.validation_share, split.seed)
    for name, rows in drawn.items():
        _write_part(folder / name, windows.parts(rows))
    _remove_part(folder / ALL)
    return {
        **facts,
        "overlapping": dict.fromkeys(PARTS, windows.overlapping),
        "events": dict.fromkeys(PARTS, facts["events"][ALL]),
    }


def join_stages(folder: Path, facts: dict, windows: dict[str, Windows]) -> dict:
    """Writes the training rows of all stages, one stage after the other.

    Args:
        folder: The folder that holds the rows.
        facts: What `join_buckets` returned.
        windows: Dict from part name to `Windows`, as `read_rows` returned it.

    Returns:
        The dict that `read_rows` takes.
    """
    stages = [name for name in windows if name not in PARTS]
    _write_part(
        folder / "train", (part for name in stages for part in windows[name].parts())
    )
    for name in stages:
        _remove_part(folder / name)
    overlapping = {name: facts["overlapping"][name] for name in ("validation", "test")}
    overlapping["train"] = any(facts["overlapping"][name] for name in stages)
    events = dict.fromkeys(("validation", "test"), EVENTS)
    return {
        **facts,
        "overlapping": overlapping,
        "events": {**events, "train": PAST_EVENTS},
    }


def read_rows(folder: Path, facts: dict, vocabulary) -> dict[str, Windows]:
    """Opens rows without loading them.

    Args:
        folder: The folder that holds the rows.
        facts: What `join_buckets`, `split_rows` or `join_stages` returned.
        vocabulary: The `Vocabulary` of the items.

    Returns:
        Dict from part name to `Windows`.
    """
    user_ids = StoredArray.open(folder / USERS)
    found = {}
    for name, store in facts["events"].items():
        arrays = {
            array: StoredArray.open(column_file(folder / name, array))
            for array in _ARRAYS
        }
        columns = {
            column: StoredArray.open(column_file(folder / store, column))
            for column in facts["columns"]
        }
        found[name] = Windows(
            arrays["items"],
            arrays["users"],
            arrays["end_time"],
            vocabulary,
            user_ids,
            facts["overlapping"][name],
            EventColumns(
                columns,
                begins=arrays["begins"],
                ends=arrays["ends"],
                targets=arrays["targets"],
                length=arrays["items"].shape[1],
            ),
        )
    return found


def row_arrays(windows: Windows) -> dict[str, np.ndarray]:
    """Returns the arrays of windows that are written to files."""
    places = {name: getattr(windows.columns, name) for name in PLACES}
    return {
        "items": windows.items,
        "users": windows.users,
        "end_time": windows.end_time,
        **places,
    }


def _write_part(folder, parts):
    writer = ColumnsWriter(folder)
    for part in parts:
        writer.append(row_arrays(part))
    writer.close()


def _remove_part(folder):
    for name in _ARRAYS:
        column_file(folder, name).unlink()
    folder.rmdir()
