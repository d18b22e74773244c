"""Cuts the rows of each bucket of users, and joins the rows of all buckets."""

import json
from functools import partial
from pathlib import Path

import numpy as np

from .prepared_rows import (
    ALL,
    EVENTS,
    PARTS,
    PAST_EVENTS,
    PLACES,
    USERS,
    row_arrays,
)
from .stored_arrays import ArrayWriter, ColumnsWriter
from .windows import Windows

COUNTS = ("unknown_targets", "cold_targets", "tied_targets")


def cut_buckets(folder: Path, buckets, plan) -> list[Path]:
    """Cuts the rows of each bucket, and writes them to a file.

    Args:
        folder: The folder for the files.
        buckets: `Buckets`.
        plan: `Plan`.

    Returns:
        List of the paths of the files, as `join_buckets` takes it.
    """
    return buckets.write(partial(_cut_bucket, plan.cut, plan.stages), folder)


def join_buckets(folder: Path, files: list[Path]) -> dict:
    """Joins the rows of all buckets.

    Args:
        folder: The folder to write to.
        files: What `cut_buckets` returned.

    Returns:
        The dict that `read_rows` takes; JSON can hold it.
    """
    facts = [_read_facts(path) for path in files]
    rows = {name: ColumnsWriter(folder / name) for name in facts[0]["events"]}
    stores = {*facts[0]["events"].values()}
    events = {store: ColumnsWriter(folder / store) for store in stores}
    users = ArrayWriter(folder / USERS)
    # Text ids get the width of the longest id.
    user_dtype = np.result_type(*(found["user_dtype"] for found in facts))
    for path in files:
        with np.load(path) as arrays:
            for name, store in facts[0]["events"].items():
                found = _of_folder(arrays, name)
                rows[name].append(_shifted(found, users.rows, events[store].rows))
            for store, writer in events.items():
                writer.append(_of_folder(arrays, store))
            users.append(arrays[USERS].astype(user_dtype))
    for writer in (*rows.values(), *events.values()):
        writer.close()
    users.close()
    return {
        "events": facts[0]["events"],
        "overlapping": {
            name: any(found["overlapping"][name] for found in facts) for name in rows
        },
        "columns": facts[0]["columns"],
        **{name: sum(found[name] for found in facts) for name in COUNTS},
    }


def _cut_bucket(cut, stages, log, path):
    found = cut(log)
    parts = _parts_of(found, stages)
    stores = {name: _store_of(windows, parts) for name, windows in parts.items()}
    arrays = {}
    for name, windows in parts.items():
        columns = windows.columns.events
        arrays |= _in_folder(name, row_arrays(windows))
        arrays |= _in_folder(stores[name], columns)
    users = windows.user_ids
    users = users.astype(str) if users.dtype == object else users
    facts = {
        "events": stores,
        "overlapping": {name: windows.overlapping for name, windows in parts.items()},
        "columns": list(columns),
        "user_dtype": users.dtype.str,
        **{name: getattr(found, name, 0) for name in COUNTS},
    }
    with open(path, "wb") as file:
        np.savez(file, **arrays, **{USERS: users, "facts": json.dumps(facts)})


def _read_facts(path):
    with np.load(path) as arrays:
        return json.loads(str(arrays["facts"]))


def _in_folder(folder, arrays):
    return {f"{folder}/{name}": values for name, values in arrays.items()}


def _of_folder(arrays, folder):
    """Returns the arrays that `_in_folder` named, under their own names."""
    start = f"{folder}/"
    return {
        name.removeprefix(start): arrays[name]
        for name in arrays.files
        if name.startswith(start)
    }


def _shifted(arrays, first_user, first_event):
    """Adds `first_user` to the indices of users, and `first_event` to those of
    events."""
    users = arrays["users"]
    places = {name: arrays[name] + first_event for name in PLACES}
    users = np.where(users < 0, users, users + np.int32(first_user))
    return {**arrays, "users": users, **places}


def _parts_of(found, stages):
    """Returns the rows of a bucket as a dict from part name to `Windows`.

    Each training stage is a separate part, because its rows from all buckets must come
    before the next stage's rows.
    """
    if isinstance(found, Windows):
        return {ALL: found}
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
    return EVENTS if windows.columns.events is events else PAST_EVENTS
