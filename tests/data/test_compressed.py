import bz2
import gzip
import io
import lzma
import sys
import zipfile

import pytest
from refusals import refused

from stackrec_keras.data import read_interactions, read_sequences, read_transfer

TEXT = b"user,item,timestamp\n" + b"".join(b"1,%d,%d\n" % (i, i) for i in range(20_000))


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def zstd(data):
    return pytest.importorskip("zstandard").ZstdCompressor().compress(data)


COMPRESS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda data: zipped(**{"log.csv": data}),
    "zst": zstd,
}


@pytest.fixture(params=[*COMPRESS])
def kind(request):
    return request.param


def write(tmp_path, kind, data):
    path = tmp_path / f"log.csv.{kind}"
    path.write_bytes(data)
    return path


def test_a_compressed_file_is_read(tmp_path, kind):
    log = read_interactions(write(tmp_path, kind, COMPRESS[kind](TEXT)))
    assert log["item"].tolist() == [*range(20_000)]


@pytest.mark.parametrize("cut", [lambda data: len(data) // 2, lambda data: -1])
def test_a_file_that_is_cut_off_is_named(tmp_path, kind, cut):
    data = COMPRESS[kind](TEXT)
    path = write(tmp_path, kind, data[: cut(data)])
    with refused("path_or_frame", path, says="cut off or damaged"):
        read_interactions(path)


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", "zst"])
def test_files_that_were_put_together_are_read_to_the_end(tmp_path, kind):
    compress = COMPRESS[kind]
    data = compress(TEXT[:5000]) + compress(TEXT[5000:])
    assert len(read_interactions(write(tmp_path, kind, data))) == 20_000
    path = write(tmp_path, kind, data[:-1])
    with refused("path_or_frame", says="It is cut off or damaged"):
        read_interactions(path)


def test_a_damaged_file_is_named(tmp_path, kind):
    data = bytearray(COMPRESS[kind](TEXT))
    for place in range(len(data) // 2, len(data) // 2 + 9):
        data[place] ^= 255
    with refused("path_or_frame", says="cut off or damaged"):
        read_interactions(write(tmp_path, kind, bytes(data)))


def test_a_file_with_another_extension_is_told_what_to_be_called(tmp_path, kind):
    if kind == "zst":
        pytest.importorskip("zstandard")
    path = write(tmp_path, kind, TEXT)
    with refused("path_or_frame", says=f"not a .{kind} .*rename it to 'log.csv'"):
        read_interactions(path)
    other = "xz" if kind == "gz" else "gz"
    path = write(tmp_path, kind, COMPRESS[other](TEXT))
    with refused("path_or_frame", says=f"rename it to 'log.csv.{other}'"):
        read_interactions(path)
    plain = tmp_path / "log.csv"
    plain.write_bytes(COMPRESS[kind](TEXT))
    with refused("path_or_frame", says=f"compressed file .*'log.csv.{kind}'"):
        read_interactions(plain)


def test_an_empty_file_has_no_rows(tmp_path, kind):
    with refused("path_or_frame", says="has no rows"):
        read_interactions(write(tmp_path, kind, b""))
    with refused("path_or_frame", says="has no rows"):
        read_interactions(write(tmp_path, kind, COMPRESS[kind](b"")))


def test_what_a_mac_adds_to_a_zip_file_does_not_count(tmp_path):
    members = {"__MACOSX/._log.csv": b"x", ".DS_Store": b"y", "logs/": b""}
    data = zipped(**{"logs/log.csv": TEXT, **members})
    assert len(read_interactions(write(tmp_path, "zip", data))) == 20_000


@pytest.mark.parametrize("members", [{}, {"a.csv": TEXT, "b.csv": TEXT}])
def test_a_zip_file_holds_one_file(tmp_path, members):
    path = write(tmp_path, "zip", zipped(**members))
    with refused("path_or_frame", path, says=f"holds {len(members)}: "):
        read_interactions(path)


def test_a_zip_file_with_a_password_is_refused(tmp_path):
    data = bytearray(zipped(**{"log.csv": TEXT}))
    data[6] |= 1
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    with refused("path_or_frame", says="is encrypted"):
        read_interactions(write(tmp_path, "zip", bytes(data)))


def test_without_zstandard_zst_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ImportError, match=r"log.csv.zst.*'stackrec-keras\[zstd\]'"):
        read_interactions(write(tmp_path, "zst", b"x"))


def test_files_of_sequences_may_be_compressed(tmp_path, kind):
    windows, _ = read_sequences(write(tmp_path, kind, COMPRESS[kind](b"5,6,7\n6,7\n")))
    assert windows.items.tolist() == [[1, 2, 3], [0, 2, 3]]
    pairs = read_transfer(write(tmp_path, kind, COMPRESS[kind](b"5,6,,7\n6,,8\n")))
    assert len(pairs) == 2
    path = write(tmp_path, kind, COMPRESS[kind](b"5,6,7\n6,7\n")[:-1])
    with refused("path", path, says="cut off"):
        read_sequences(path)
