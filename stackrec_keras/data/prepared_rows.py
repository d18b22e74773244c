"""Writes the rows of a split, one bucket of users after the other, and opens them
without loading them."""

from pathlib import Path
from urllib.parse import quote

import numpy as np

from .event_columns import EventColumns
from .random_split import draw_parts
from .stored_arrays import ArrayWriter, StoredArray
from .windows import Windows

PARTS = ("train", "validation", "test")
COUNTS = ("unknown_targets", "cold_targets", "tied_targets")
_ALL = "all"  # rows that are not split yet
_EVENTS, _PAST_EVENTS = "events", "past_events"
_PLACES = ("begins", "ends", "targets")
_ARRAYS = ("items", "users", "end_time", *_PLACES)
_USERS = "users.npy"
FILES = (*PARTS, _EVENTS, _PAST_EVENTS, _USERS)
"""Names of the files and folders that remain once all rows are written."""


class _ColumnsWriter:
    """Writes columns of the same length to a folder, one file per column.

    Args:
        folder: `Path` of the folder.
    """

    def __init__(self, folder):
        self._folder = folder
        self._writers: dict[str, ArrayWriter] = {}
        self.rows = 0

    def append(self, columns):
        """Writes rows of all columns, given as a dict of arrays."""
        for name, values in columns.items():
            if name not in self._writers:
                self._writers[name] = ArrayWriter(_file(self._folder, name))
            self._writers[name].append(values)
            rows = len(values)
        self.rows += rows if columns else 0

    def close(self):
        """Completes the files."""
        for writer in self._writers.values():
            writer.close()


class _UsersWriter:
    """Writes raw user ids; text ids get the width of the longest id.

    Args:
        folder: `Path` of the folder.
    """

    def __init__(self, folder):
        self._path = folder / _USERS
        self._chunks = []
        self.users = 0

    def append(self, ids):
        """Writes raw ids."""
        ids = ids.astype(str) if ids.dtype == object else ids
        path = self._path.with_name(f"users{len(self._chunks)}.npy")
        np.save(path, ids)
        self._chunks.append((path, ids.dtype))
        self.users += len(ids)

    def close(self):
        """Joins the files of all chunks into one."""
        dtype = np.result_type(*(dtype for _, dtype in self._chunks))
        writer = ArrayWriter(self._path)
        for path, _ in self._chunks:
            writer.append(np.load(path).astype(dtype))
            path.unlink()
        writer.close()


def write_buckets(folder: Path, buckets, cut, stages) -> dict:
    """Cuts and writes the rows of all buckets.

    Args:
        folder: The folder to write to.
        buckets: `Buckets`.
        cut: As in `Plan`.
        stages: As in `Plan`.

    Returns:
        The dict that `read_rows` takes; JSON can hold it.
    """
    users = _UsersWriter(folder)
    rows: dict[str, _ColumnsWriter] = {}
    events: dict[str, _ColumnsWriter] = {}
    stores: dict[str, str] = {}
    overlapping: dict[str, bool] = {}
    counts = dict.fromkeys(COUNTS, 0)
    for log in buckets.frames():
        found = cut(log)
        parts = _parts_of(found, stages)
        held = {}
        for name, windows in parts.items():
            store = stores[name] = _store_of(windows, parts)
            held[store] = windows.columns.events
            rows.setdefault(name, _ColumnsWriter(folder / name))
            events.setdefault(store, _ColumnsWriter(folder / store))
            rows[name].append(_arrays(windows, users.users, events[store].rows))
            overlapping[name] = windows.overlapping or overlapping.get(name, False)
        for store, columns in held.items():
            events[store].append(columns)
        users.append(windows.user_ids)
        for name in COUNTS:
            counts[name] += getattr(found, name, 0)
    for writer in (*rows.values(), *events.values()):
        writer.close()
    users.close()
    return {
        "events": stores,
        "overlapping": overlapping,
        "columns": list(columns),
        **counts,
    }


def split_rows(folder: Path, facts: dict, windows: Windows, split) -> dict:
    """Splits rows that are already written, and writes the parts.

    Args:
        folder: The folder that holds the rows.
        facts: What `write_buckets` returned.
        windows: The `Windows` that `read_rows` opened in the folder.
        split: `AtRandom`.

    Returns:
        The dict that `read_rows` takes.
    """
    drawn = draw_parts(windows, split.test_share, split.validation_share, split.seed)
    for name, rows in drawn.items():
        _write_part(folder / name, windows.parts(rows))
    _remove_part(folder / _ALL)
    return {
        **facts,
        "overlapping": dict.fromkeys(PARTS, windows.overlapping),
        "events": dict.fromkeys(PARTS, facts["events"][_ALL]),
    }


def join_stages(folder: Path, facts: dict, windows: dict[str, Windows]) -> dict:
    """Writes the training rows of all stages, one stage after the other.

    Args:
        folder: The folder that holds the rows.
        facts: What `write_buckets` returned.
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
    events = dict.fromkeys(("validation", "test"), _EVENTS)
    return {
        **facts,
        "overlapping": overlapping,
        "events": {**events, "train": _PAST_EVENTS},
    }


def read_rows(folder: Path, facts: dict, vocabulary) -> dict[str, Windows]:
    """Opens rows without loading them.

    Args:
        folder: The folder that holds the rows.
        facts: What `write_buckets`, `split_rows` or `join_stages` returned.
        vocabulary: The `Vocabulary` of the items.

    Returns:
        Dict from part name to `Windows`.
    """
    user_ids = StoredArray.open(folder / _USERS)
    found = {}
    for name, store in facts["events"].items():
        arrays = {
            array: StoredArray.open(_file(folder / name, array)) for array in _ARRAYS
        }
        columns = {
            column: StoredArray.open(_file(folder / store, column))
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


def _parts_of(found, stages):
    """Returns the rows of a bucket as a dict from part name to `Windows`.

    Each training stage is a separate part, because its rows from all buckets must come
    before the next stage's rows.
    """
    if isinstance(found, Windows):
        return {_ALL: found}
    parts = {name: getattr(found, name) for name in PARTS}
    if not stages:
        return parts
    train = parts.pop("train")
    stage = sum((train.end_time >= time).astype(int) for time in stages)
    rows = {f"stage{n}": train.subset(stage == n) for n in range(len(stages) + 1)}
    return {**rows, **parts}


def _store_of(windows, parts):
    """Returns the name of the folder that holds the windows' events. In a split by
    time, the training events are in a separate folder."""
    events = parts.get("test", windows).columns.events
    return _EVENTS if windows.columns.events is events else _PAST_EVENTS


def _arrays(windows, first_user=0, first_event=0):
    """Returns the arrays to write. Adds `first_user` to the indices of users, and
    `first_event` to those of events."""
    users = windows.users
    places = {name: getattr(windows.columns, name) + first_event for name in _PLACES}
    return {
        "items": windows.items,
        "users": np.where(users < 0, users, users + np.int32(first_user)),
        "end_time": windows.end_time,
        **places,
    }


def _write_part(folder, parts):
    writer = _ColumnsWriter(folder)
    for part in parts:
        writer.append(_arrays(part))
    writer.close()


def _remove_part(folder):
    for name in _ARRAYS:
        _file(folder, name).unlink()
    folder.rmdir()


def _file(folder, name):
    return folder / f"{quote(name, safe='')}.npy"
