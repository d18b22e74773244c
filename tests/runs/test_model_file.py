import shutil

import pytest
from refusals import refused

import stackrec_keras as sr
from stackrec_keras.runs.model_file import read_model_file


@pytest.fixture
def damaged_run(finished_run, tmp_path):
    """A run whose model has a damaged byte."""
    folder = shutil.copytree(finished_run, tmp_path / "run")
    data = bytearray((folder / "model.keras").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.keras").write_bytes(data)
    return folder


def test_a_damaged_model_is_refused(damaged_run, tmp_path, stackrec):
    path = damaged_run / "model.keras"
    with refused("filepath", str(path), "is damaged"):
        sr.runs.read_run(damaged_run)
    for asked in (damaged_run, path):
        code, _, err = stackrec("recommend", asked, "--items", "film 1")
        assert code == 2 and "is damaged. Use another copy" in err
    code, _, err = stackrec(
        "grow", path, "--data", "x.csv", "--out", tmp_path / "grown"
    )
    assert code == 2 and "is damaged" in err


@pytest.mark.parametrize("content", [b"", b"no zip file"])
def test_a_file_that_holds_no_model_is_refused(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with refused("filepath", says="is damaged"):
        read_model_file(tmp_path / "model.keras")


def test_a_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(ValueError, match="File not found"):
        read_model_file(tmp_path / "model.keras")
