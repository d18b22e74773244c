"""Prepared logs: folders with the rows of a split, which need not fit into memory."""

import hashlib
import json
import shutil
from dataclasses import fields
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from stackrec_keras.arguments import check_choice, check_integer, check_path
from stackrec_keras.errors import ArgumentError
from stackrec_keras.version import __version__
from stackrec_keras.wording import did_you_mean

from .bucket_rows import COUNTS, cut_buckets, join_buckets
from .bucket_splits import SPLITS
from .buckets import Buckets, count_items
from .engines import open_engine
from .partitioned_log import PartitionedLog
from .prepared_folder import FACTS, VOCABULARY, new_folder
from .prepared_rows import join_stages, read_rows, split_rows
from .random_split import why_empty
from .splits import Split, check_parts
from .vocabulary import Vocabulary, check_vocabulary

_FORMAT = 1


def prepare_log(
    log: PartitionedLog,
    folder: str | PathLike,
    length: int,
    split: str = "leave-one-out",
    overwrite: bool = False,
    events_in_memory: int = 1_000_000,
    engine: str = "local",
    scheduler: str | None = None,
    **arguments: Any,
) -> Split:
    """Splits a log that need not fit into memory, and writes its rows to a folder.

    The rows and their order are the same as for a log in memory, and so are the batches
    and the results of training.

    The log is read twice: first to count its items, then to distribute its events over
    buckets, each with all events of some users. The buckets are then split one by one,
    and their rows are joined. Memory holds the catalogue, the whole history of one
    user, and about `events_in_memory` events. Until the call ends, the disk holds a
    second copy of the log and of the rows.

    With `engine="dask"`, the workers of a Dask cluster share the work, and the result
    is the same to the bit. The workers must have this package, and must find the log
    and the folder at the same paths as this process. If a worker dies, another one
    repeats its last task.

    The folder appears when it is complete. If a call is interrupted, the same call
    continues it: it counts the items again, but keeps the buckets and rows that are
    complete. Until then they are in a folder beside `folder`, with `.partial` at the
    end of its name. A call with other arguments starts from the beginning. Files that
    this function did not write are never removed.

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
        engine: String, `"local"` to use this process, or `"dask"` to use a Dask
            cluster, which needs `pip install 'stackrec-keras[dask]'`. Defaults to
            `"local"`.
        scheduler: String, the address of the cluster's scheduler, such as
            `"tcp://10.0.0.1:8786"`. Defaults to `None`, for the engine `"local"`.
        **arguments: Further arguments of the function that makes such a split in
            memory, with its defaults: `split_leave_one_out`, `split_by_time` (except
            `user_ids`), or `make_windows` and `split_random`.

    Returns:
        A `Split`, whose arrays stay in the folder.

    Raises:
        ArgumentError: If an argument is out of range, a file of the log is damaged or
            invalid, a part of the split has no rows, the folder is not empty, or
            another process is preparing the same folder. Also if `scheduler` cannot be
            reached, or its workers do not see the folder.
        ImportError: If Dask is needed, but not installed.

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
    key = _key(log, length, kind, events_in_memory)
    with (
        open_engine(engine, scheduler) as run_tasks,
        new_folder(folder, overwrite, key) as (unfinished, work),
    ):
        run = partial(run_tasks, work)
        facts = _prepare(log, unfinished, work, length, kind, events_in_memory, run)
        facts |= {
            "format": _FORMAT,
            "split": split,
            "length": length,
            "has_times": log.has_times,
            "arguments": _plain_arguments(kind),
        }
        _write_facts(unfinished, facts)
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
    path = Path(folder) / FACTS
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


def _key(log, length, kind, events_in_memory):
    """Returns a string that is different if the log or an argument is different."""
    arguments = {f.name: getattr(kind, f.name) for f in fields(kind)}
    if kind.vocabulary is not None:
        arguments["vocabulary"] = kind.vocabulary.to_json()
    facts = [__version__, log.fingerprint(), type(kind), arguments]
    text = repr([*facts, length, events_in_memory])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _prepare(log, folder, work, length, kind, events_in_memory, run):
    items, users = count_items(log, events_in_memory, run)
    buckets = Buckets(work / "buckets", log, items, users, events_in_memory, run)
    plan = kind.plan(buckets, items, length)
    (folder / VOCABULARY).write_text(plan.vocabulary.to_json(), encoding="utf-8")
    facts = join_buckets(folder, cut_buckets(work / "rows", buckets, plan))
    shutil.rmtree(work)
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
    vocabulary = Vocabulary.from_config(_read_json(folder / VOCABULARY))
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
    (folder / FACTS).write_text(text + "\n", encoding="utf-8")


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
