"""The folder of a prepared log, while it is written and once it is complete."""

import contextlib
import shutil
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import shown

from .prepared_rows import FILES

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

FACTS = "prepared.json"  # written last; moved into place with the other files
VOCABULARY = "vocabulary.json"
_MARK = ".preparing"  # marks a folder that we may remove; locked while in use
_EARLIER = ".replaced"
_NAMES = {FACTS, VOCABULARY, _MARK, _EARLIER, *FILES}


def is_prepared(folder: str | PathLike) -> bool:
    """Returns whether a path is a prepared log."""
    return (Path(folder) / FACTS).is_file()


@contextlib.contextmanager
def new_folder(folder: Path, overwrite: bool, key: str) -> Iterator[tuple[Path, Path]]:
    """Context manager for a folder beside `folder`, which is moved to `folder`.

    An `ArgumentError` inside removes the folder. Any other interruption leaves it, so
    that a later call with the same `key` finds what is in the folder for work.

    Args:
        folder: `Path`.
        overwrite: Boolean, whether to replace a prepared log in it.
        key: String; different work has different keys.

    Returns:
        `(partial, work)`: `partial` is the folder to write to; `work` is inside it, and
        must be gone at the end.

    Raises:
        ArgumentError: If `folder` holds something else, or another process is writing
            it.
    """
    _check_free(folder, overwrite)
    partial = folder.with_name(f"{folder.name}.partial")
    mark, work = partial / _MARK, partial / f"work-{key}"
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
        for path in {*partial.iterdir()} - {mark, work}:  # left by a killed process
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        work.mkdir(exist_ok=True)
        try:
            yield partial, work
            _check_free(folder, overwrite)  # another process may have written to it
        except ArgumentError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _move(partial, folder)


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
            "Replace it (--overwrite), or give another folder.",
        )
