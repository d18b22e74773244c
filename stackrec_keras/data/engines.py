"""Runs tasks one after the other in this process, or in parallel on a Dask cluster."""

import contextlib
import pickle
import socket
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from stackrec_keras.arguments import check_choice
from stackrec_keras.errors import ArgumentError

ENGINES = ("local", "dask")
Engine = Callable[[Path, Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""`engine(folder, task, arguments)` calls a task with each argument, and yields the
results in the order of the arguments. `folder` is for temporary files."""


@contextlib.contextmanager
def open_engine(engine: str, scheduler: str | None = None) -> Iterator[Engine]:
    """Context manager for a function that runs tasks.

    On a cluster, a task that was running on a worker that died runs again on another
    worker. Tasks must therefore be picklable, and give the same result each time.

    Args:
        engine: String, one of `ENGINES`.
        scheduler: String, the address of the Dask scheduler. Defaults to `None`.

    Raises:
        ArgumentError: If `scheduler` does not go with the engine, or cannot be reached.
        ImportError: If Dask is needed, but not installed.
    """
    check_choice("engine", engine, ENGINES)
    if not (isinstance(scheduler, str) if engine == "dask" else scheduler is None):
        reason = "must be the address of a Dask scheduler, and goes with engine='dask'"
        fix = "Give both, as in engine='dask', scheduler='tcp://10.0.0.1:8786'."
        raise ArgumentError("scheduler", reason, fix, scheduler)
    if engine == "local":
        yield _run_here
        return
    with _connect(scheduler) as client:
        yield partial(_run_on_cluster, client)


def _run_here(folder, task, arguments):
    return map(task, arguments)


def _run_on_cluster(client, folder, task, arguments):
    # A task may hold the whole catalogue, so it goes to the workers in a file. Data
    # that Dask itself distributes is lost when the worker that holds it dies.
    path = folder / f"{uuid4().hex}.pickle"
    path.write_bytes(pickle.dumps(task))
    # Not pure: Dask must not return the result of an earlier call.
    return client.get_executor(pure=False).map(partial(_run_stored, path), arguments)


def _run_stored(path, argument):
    return _load(path)(argument)


@lru_cache(maxsize=1)
def _load(path):
    try:
        return pickle.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArgumentError(
            "folder",
            f"is not visible on the Dask worker {socket.gethostname()}, which lacks "
            f"{path}",
            "Give a folder on a file system that all workers mount at the same path.",
        ) from None


def _connect(scheduler):
    try:
        from distributed import Client
    except ImportError:
        raise ImportError(
            "The engine 'dask' needs Dask: `pip install 'stackrec-keras[dask]'`."
        ) from None
    try:
        return Client(scheduler, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ArgumentError(
            "scheduler",
            f"cannot be reached: {str(error).rstrip('.')}",
            "Give the address that `dask scheduler` printed when it started.",
            scheduler,
        ) from error
