"""Reads compressed files, with errors that name the file."""

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import PurePath, PurePosixPath

from stackrec_keras.errors import ArgumentError

_SIGNATURES = {
    ".gz": b"\x1f\x8b\x08",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\x00",
    ".zip": b"PK\x03\x04",
    ".zst": b"\x28\xb5\x2f\xfd",
}
COMPRESSIONS = tuple(_SIGNATURES)
"""Extensions of compressed files."""

_BLOCK = 1 << 17


def compression_of(path):
    """Returns a path's last extension if it names a compression, else `""`."""
    suffix = path.suffix.lower()
    return suffix if suffix in COMPRESSIONS else ""


@contextmanager
def open_bytes(path, name):
    """Opens a file for reading bytes; its extension says how to decompress it.

    Args:
        path: `Path` of the file.
        name: The name of the argument that holds the path, for errors.

    Raises:
        ImportError: If the file ends with `.zst` and zstandard is not installed.
        ArgumentError: If the file is damaged or cut off, or its extension is wrong.
    """
    compression = compression_of(path)
    with open(path, "rb") as raw:
        actual = _actual_compression(raw)
        if not compression:
            if actual:
                raise ArgumentError(
                    name,
                    f"is a compressed file ({actual})",
                    f"Rename it to '{path.name}{actual}'.",
                    path,
                )
            yield raw
            return
        if not os.fstat(raw.fileno()).st_size:
            yield io.BytesIO()
            return
        try:
            with _open(raw, compression, name) as file:
                yield file
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise _damage(path, name, actual, error) from error
        except OSError as error:
            if error.errno is not None:  # from the system, such as a lost disk
                raise
            raise _damage(path, name, actual, error) from error


def _actual_compression(raw):
    """Returns the extension that matches a file's first bytes, or `""`."""
    begin = raw.read(10)
    raw.seek(0)
    # A text may begin with "BZh".
    if begin.startswith(b"BZh") and begin[4:] != b"1AY&SY":
        return ""
    return next((s for s, mark in _SIGNATURES.items() if begin.startswith(mark)), "")


def _damage(path, name, actual, error):
    compression = compression_of(path)
    fix = "It is cut off or damaged: write or fetch it again."
    if actual != compression:
        right_name = path.name[: -len(compression)] + actual
        fix = f"It is not a {compression} file: rename it to '{right_name}'."
    form = "".join(path.suffixes[-2:])
    reason = f"cannot be read as {form}: {str(error).rstrip('.')}"
    return ArgumentError(name, reason, fix, path)


def _open(raw, compression, name):
    if compression == ".zip":
        return _open_zip(raw, name)
    return _OPENERS[compression](raw)


@contextmanager
def _open_zip(raw, name):
    with zipfile.ZipFile(raw) as archive:
        # Macs add hidden files, such as "__MACOSX/._log.csv".
        members = [
            member
            for member in archive.namelist()
            if not member.endswith("/")
            and not PurePosixPath(member).name.startswith(".")
        ]
        if len(members) != 1:
            raise ArgumentError(
                name,
                f"must hold one file, but holds {len(members)}: {members[:5]}",
                "Unpack it and give the path of the file that you want.",
                PurePath(raw.name),
            )
        try:
            file = archive.open(members[0])
        except (RuntimeError, NotImplementedError) as error:  # it is encrypted
            raise zipfile.BadZipFile(str(error)) from None
        with file:
            yield file


def _open_zstd(raw):
    try:
        import zstandard
    except ImportError:
        raise ImportError(
            f"Reading '{raw.name}' needs zstandard, which is not installed: "
            "`pip install zstandard` (or 'stackrec-keras[zstd]')."
        ) from None
    return io.BufferedReader(_ZstdReader(raw, zstandard), _BLOCK)


class _ZstdReader(io.RawIOBase):
    """Reads a zstandard file, across all of its frames.

    zstandard's own reader reads only the first frame, and raises no error if a file is
    cut off.
    """

    def __init__(self, raw, zstandard):
        self._raw = raw
        self._zstandard = zstandard
        self._frame = None
        self._compressed = self._ready = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._ready:
            self._compressed = self._compressed or self._raw.read(_BLOCK)
            if not self._compressed:
                if self._frame is not None:
                    raise EOFError("Compressed file ended before the end of a frame")
                return 0
            self._decompress()
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _decompress(self):
        if self._frame is None:
            self._frame = self._zstandard.ZstdDecompressor().decompressobj()
        try:
            self._ready = self._frame.decompress(self._compressed)
        except self._zstandard.ZstdError as error:
            raise OSError(str(error)) from None  # as bz2 does
        self._compressed = self._frame.unused_data
        if self._frame.eof:
            self._frame = None


_OPENERS = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": _open_zstd,
}
