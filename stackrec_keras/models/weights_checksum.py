"""A checksum in weights files. Without one, HDF5 reads damaged numbers as they are."""

import os
import zipfile
import zlib

import h5py
import numpy as np

from stackrec_keras.errors import ArgumentError

_CHECKSUM = "stackrec_checksum"


def add_checksum(filepath):
    """Writes a checksum of all arrays into a `.weights.h5` file."""
    with h5py.File(filepath, "r+") as file:
        file.attrs[_CHECKSUM] = _checksum(file)


def check_undamaged(filepath):
    """Checks that a `.weights.h5` or `.keras` file holds what was written.

    Files that do not exist, and those without a checksum, are left to Keras.

    Raises:
        ArgumentError: If the file is damaged.
    """
    path = os.fspath(filepath)
    if not os.path.isfile(path):
        return
    try:
        if _is_undamaged(path):
            return
    except OSError:  # h5py says what is wrong, such as a truncated file
        raise
    except Exception as error:  # many kinds, from zipfile and h5py
        raise _damaged(path) from error
    raise _damaged(path)


def _is_undamaged(path):
    if path.endswith(".keras"):
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    if not path.endswith(".h5"):
        return True
    with h5py.File(path, "r") as file:
        return _CHECKSUM not in file.attrs or file.attrs[_CHECKSUM] == _checksum(file)


def _checksum(file):
    found = 0

    def add(name, item):
        nonlocal found
        if isinstance(item, h5py.Dataset):
            found = zlib.crc32(f"{name} {item.dtype} {item.shape}".encode(), found)
            found = zlib.crc32(np.ascontiguousarray(item[()]).tobytes(), found)

    file.visititems(add)
    return found


def _damaged(path):
    fix = "Use another copy, or train again."
    return ArgumentError("filepath", "is damaged", fix, path)
