"""Prepared logs: folders with the rows of a split, which need not fit into memory."""

import contextlib
import json
import shutil
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any

from stackrec_keras.arguments import check_choice, check_integer, check_path
from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean, shown

from .bucket_splits import SPLITS
from .buckets import Buckets, count_items
from .partitioned_log import PartitionedLog
from .prepared_rows import (
    COUNTS,
    FILES,
    join_stages,
    read_rows,
    split_rows,
    write_buckets,
)
from .random_split import why_empty
from .splits import Split, check_parts
from .vocabulary import Vocabulary, check_vocabulary

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

_FACTS = "prepared.json"  # written last; moved into place with the other files
_VOCABULARY = "vocabulary.json"
_MARK = ".preparing"  # marks a folder that we may remove; locked while in use
_EARLIER = ".replaced"
_NAMES = {_FACTS, _VOCABULARY, _MARK, _EARLIER, *FILES}
_FORMAT = 1


def prepare_log(
    log: PartitionedLog,
    folder: str | PathLike,
    length: int,
    split: str = "leave-one-out",
    overwrite: bool = False,
    events_in_memory: int = 1_000_000,
    **arguments: Any,
) -> Split:
    """Splits a log that need not fit into memory, and writes its rows to a folder.

    The rows and their order are the same as for a log in memory, and so are the batches
    and the results of training.

    The log is read twice: first to count its items, then to distribute its events over
    files, each with all events of some users. The files are then split one by one.
    Memory holds the catalogue, the whole history of one user, and about
    `events_in_memory` events. There are at most 128 files, so a log of over 128 times
    that many events needs more memory. Until the call ends, the disk holds a second
    copy of the log.

    The folder appears when it is complete. The next call removes what an interrupted
    call left beside it. Files that this function did not write are never removed.

    Args:
        log: A `PartitionedLog`, as `open_log` returns it.
        folder: The folder to write.
        length: Integer, the number of items per row, including the target.
        split: String, `"leave-one-out"`, `"time"` or `"random"`. Defaults to
            `"leave-one-out"`.
        overwrite: Boolean, whether to replace a prepared log in the folder. Defaults to
            `False`.
        events_in_memory: Integer, the number of events to split at a time. It does not
            change the result. Defaults to `1_000_000`.
        **arguments: Further arguments of the function that makes such a split in
            memory, with its defaults: `split_leave_one_out`, `split_by_time` (except
            `user_ids`), or `make_windows` and `split_random`.

    Returns:
        A `Split`, whose arrays stay in the folder.

    Raises:
        ArgumentError: If an argument is out of range, a file of the log is damaged or
            invalid, a part of the split has no rows, the folder is not empty, or
            another process is preparing the same folder.

    Example:

    ```python
    log = open_log("clicks/*.parquet")
    split = prepare_log(log, "prepared", length=50)
    model.fit(split.train.batches(256), epochs=3, shuffle=False)
    ```
    """
    if not isinstance(log, PartitionedLog):
        fix = "Give what open_log('clicks/*.parquet') returns."
        raise ArgumentError("log", "must be a PartitionedLog", fix, log)
    check_choice("split", split, SPLITS)
    _check_names(split, arguments)
    kind = SPLITS[split](**arguments)
    kind.check(length)
    if kind.vocabulary is not None:
        check_vocabulary("vocabulary", kind.vocabulary)
    check_integer("events_in_memory", events_in_memory, 1)
    check_path("folder", folder)
    # If it is a link, write the folder that it points to.
    folder = Path(folder).resolve()
    _check_free(folder, overwrite)
    with _partial_folder(folder) as partial:
        facts = _prepare(log, partial, length, kind, events_in_memory)
        facts |= {
            "format": _FORMAT,
            "split": split,
            "length": length,
            "has_times": log.has_times,
            "arguments": _plain_arguments(kind),
        }
        _write_facts(partial, facts)
        _check_free(folder, overwrite)  # another process may have written to it
        _move(partial, folder)
    return read_prepared(folder)


def read_prepared(folder: str | PathLike) -> Split:
    """Opens a folder that `prepare_log` wrote.

    Args:
        folder: The folder.

    Returns:
        A `Split`, whose arrays stay in the folder.

    Raises:
        ArgumentError: If it is not a prepared log, or one of its files is damaged.

    Example:

    ```python
    split = read_prepared("prepared")
    ```
    """
    facts = prepared_facts(folder)
    split = _open(Path(folder), facts)
    # Computing the hash would read all rows.
    split.__dict__["hash"] = facts["hash"]
    return split


def prepared_facts(folder: str | PathLike) -> dict:
    """Returns what a prepared log records about itself: `"split"`, `"length"`,
    `"arguments"`, `"has_times"` and others."""
    check_path("folder", folder)
    path = Path(folder) / _FACTS
    if not path.is_file():
        raise ArgumentError(
            "folder",
            "is not a prepared log, or is not complete",
            "Give a folder that prepare_log (`stackrec prepare`) wrote.",
            folder,
        )
    facts = _read_json(path)
    found = facts.get("format") if isinstance(facts, dict) else None
    if found != _FORMAT:
        raise ArgumentError(
            "folder",
            f"was prepared in the format {found}, which this version does not know",
            "Prepare the log again.",
            folder,
        )
    return facts


def is_prepared(folder: str | PathLike) -> bool:
    """Returns whether a path is a prepared log."""
    return (Path(folder) / _FACTS).is_file()


def _check_names(split, arguments):
    known = [f.name for f in fields(SPLITS[split])]
    for name in arguments:
        if name not in known:
            raise ArgumentError(
                name,
                f"is not an argument of the {split} split",
                f"{did_you_mean([name], known)} It takes {', '.join(known)}.".lstrip(),
                arguments[name],
            )


def _check_free(folder, overwrite):
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not is_prepared(folder):
        reason = "exists, and is not a prepared log"
        raise ArgumentError("folder", reason, "Give another folder.", folder)
    if foreign := sorted({path.name for path in folder.iterdir()} - _NAMES):
        raise ArgumentError(
            "folder",
            f"holds {shown(foreign[0])}, which is not part of a prepared log",
            "Move it away, or give another folder.",
            folder,
        )
    if not overwrite:
        raise ArgumentError(
            "folder",
            "already holds a prepared log",
            "Replace it (overwrite), or give another folder.",
            folder,
        )


@contextlib.contextmanager
def _partial_folder(folder):
    """Context manager for an empty folder beside `folder`, removed at the end."""
    partial = folder.with_name(f"{folder.name}.partial")
    mark = partial / _MARK
    if partial.exists() and not mark.exists():
        raise ArgumentError(
            "folder",
            f"cannot be prepared, because {partial} exists",
            "Move it away, or give another folder.",
            folder,
        )
    partial.mkdir(parents=True, exist_ok=True)
    mark.touch()
    with _locked(mark, folder):
        for path in partial.iterdir():  # left by a killed process
            if path.is_dir():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def _locked(mark, folder):
    """Context manager that keeps other processes from preparing the same folder."""
    if fcntl is None:
        yield
        return
    with mark.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArgumentError(
                "folder",
                "is being prepared by another process",
                "Wait for it, or give another folder.",
                folder,
            ) from None
        except OSError:
            pass  # a file system without locks
        yield


def _move(partial, folder):
    """Moves the complete folder `partial` to `folder`, and replaces what is there."""
    if folder.exists():
        folder.rename(partial / _EARLIER)
    partial.rename(folder)
    shutil.rmtree(folder / _EARLIER, ignore_errors=True)
    (folder / _MARK).unlink()


def _prepare(log, folder, length, kind, events_in_memory):
    items, users = count_items(log)
    buckets = Buckets(folder / "buckets", log, items, users, events_in_memory)
    plan = kind.plan(buckets, items, length)
    (folder / _VOCABULARY).write_text(plan.vocabulary.to_json(), encoding="utf-8")
    facts = write_buckets(folder, buckets, plan.cut, plan.stages)
    shutil.rmtree(buckets.folder)
    rows = read_rows(folder, facts, plan.vocabulary)
    causes = plan.causes
    if causes is None:
        (windows,) = rows.values()
        cause = why_empty(windows, kind.test_share, kind.validation_share)
        facts, causes = split_rows(folder, facts, windows, kind), lambda split: [cause]
    elif plan.stages:
        facts = join_stages(folder, facts, rows)
    split = _open(folder, facts)
    check_parts("log", split, *causes(split))
    return {**facts, "hash": split.hash}


def _open(folder, facts):
    vocabulary = Vocabulary.from_config(_read_json(folder / _VOCABULARY))
    counts = {name: facts[name] for name in COUNTS}
    return Split(**read_rows(folder, facts, vocabulary), **counts)


def _plain_arguments(kind):
    """Returns a dict of the split's arguments that JSON can hold."""
    return {
        f.name: value
        for f in fields(kind)
        if isinstance(value := getattr(kind, f.name), (int, float, str, type(None)))
    }


def _write_facts(folder, facts):
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    (folder / _FACTS).write_text(text + "\n", encoding="utf-8")


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArgumentError(
            "folder",
            f"holds a file that cannot be read: {error}",
            "Prepare the log again.",
            path,
        ) from error
