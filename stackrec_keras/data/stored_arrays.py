"""Writes arrays to files part by part, and reads them without loading them."""

import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import numpy as np

from stackrec_keras.errors import ArgumentError

_HEADER = 128  # the length of a .npy file's header in bytes


class StoredArray(np.memmap):
    """An array in a `.npy` file, of which only the rows asked for are read.

    Indexing with a slice, indices or a mask copies the rows and then releases the
    file's pages. Otherwise, random reads would soon fill memory with the whole file.

    Args:
        path: The path of the file. Open it with `StoredArray.open(path)`.
    """

    @classmethod
    def open(cls, path: Path) -> "StoredArray":
        """Opens a `.npy` file.

        Raises:
            ArgumentError: If the file is missing, cut off or not a `.npy` file.
        """
        try:
            return np.load(path, mmap_mode="r").view(cls)
        except (OSError, ValueError, EOFError) as error:
            raise ArgumentError(
                "folder",
                f"holds a file that cannot be read: {str(error).rstrip('.')}",
                "Prepare the log again.",
                path,
            ) from error

    def __getitem__(self, index):
        found = super().__getitem__(index)
        if isinstance(index, tuple) or not isinstance(found, StoredArray):
            return found
        is_view = found._mmap is not None
        rows = np.array(found) if is_view else found.view(np.ndarray)
        self._give_back_pages()
        return rows

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return array[()] if return_scalar else np.asarray(array)

    def _give_back_pages(self):
        pages = self._mmap
        if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
            pages.madvise(mmap.MADV_DONTNEED)


class ArrayWriter:
    """Writes an array to a `.npy` file, some rows at a time.

    Args:
        path: `Path` of the file.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.rows = 0
        self._file = open(path, "wb")
        self._dtype: np.dtype | None = None
        self._shape: tuple[int, ...] = ()

    def append(self, values: np.ndarray) -> None:
        """Writes rows. The first rows determine the array's type and width."""
        if self._dtype is None:
            self._dtype, self._shape = values.dtype, values.shape[1:]
            self._file.write(bytes(_HEADER))
        np.ascontiguousarray(values, self._dtype).tofile(self._file)
        self.rows += len(values)

    def close(self) -> None:
        """Writes the file's header, which makes the file readable."""
        if self._dtype is not None:
            self._file.seek(0)
            self._file.write(_header(self._dtype, (self.rows, *self._shape)))
        self._file.close()


class ColumnsWriter:
    """Writes columns of the same length to a folder, one file per column.

    Args:
        folder: `Path` of the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, ArrayWriter] = {}
        self.rows = 0

    def append(self, columns: Mapping[str, np.ndarray]) -> None:
        """Writes rows of all columns, given as a dict of arrays."""
        for name, values in columns.items():
            if name not in self._writers:
                self._writers[name] = ArrayWriter(column_file(self._folder, name))
            self._writers[name].append(values)
            rows = len(values)
        self.rows += rows if columns else 0

    def close(self) -> None:
        """Completes the files."""
        for writer in self._writers.values():
            writer.close()


def column_file(folder: Path, name: str) -> Path:
    """Returns the path of the file of a column, whose name may be any string."""
    return folder / f"{quote(name, safe='')}.npy"


def _header(dtype, shape):
    """Returns the header of a `.npy` file, `_HEADER` bytes for any number of rows."""
    form = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    start = np.lib.format.magic(1, 0)
    text = repr(form).encode("latin1").ljust(_HEADER - len(start) - 3) + b"\n"
    return start + struct.pack("<H", len(text)) + text
