import json
import shutil

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def parts(log_path, tmp_path_factory):
    """The pattern of Parquet files that together hold the log."""
    folder = tmp_path_factory.mktemp("parts")
    log = pd.read_csv(log_path)
    for number in range(4):
        part = log[number * 170 : (number + 1) * 170]
        part.to_parquet(folder / f"part-{number}.parquet", index=False)
    return f"{folder}/*.parquet"


@pytest.fixture
def prepared(parts, tmp_path, stackrec):
    """A folder with the split of the finished run."""
    folder = tmp_path / "prepared"
    assert stackrec("prepare", parts, "--out", folder, "--length", 8)[0] == 0
    return folder


def read(path):
    return json.loads(path.read_text())


def test_it_prints_the_split_that_a_run_on_the_log_has(
    parts, tmp_path, finished_run, stackrec
):
    folder = tmp_path / "prepared"
    code, out, err = stackrec("prepare", parts, "--out", folder, "--length", 8)
    assert (code, err) == (0, "")
    assert f"Split {read(finished_run / 'split.json')['hash']}: " in out
    assert f"Wrote {folder}" in out


def test_a_run_on_it_has_the_results_of_a_run_on_the_log(
    prepared, tmp_path, finished_run, train_arguments, stackrec
):
    run = tmp_path / "run"
    code, _, err = stackrec(*train_arguments(prepared, run, "--epochs 4"))
    assert (code, err) == (0, "")
    results, expected = (read(r / "metrics.json") for r in (run, finished_run))
    assert results["split"] == expected["split"]
    assert results["results"] == expected["results"]
    split, expected = (read(r / "split.json") for r in (run, finished_run))
    assert split["arguments"].items() >= expected["arguments"].items()
    code, out, _ = stackrec("evaluate", run)
    assert code == 0
    assert out.splitlines()[:4] == (run / "metrics.md").read_text().splitlines()[:4]
    code, _, err = stackrec("recommend", run, "--user", 1)
    assert code == 2
    assert "is a prepared log" in err and "Give a log that fits into memory" in err


def test_a_run_takes_the_options_of_the_prepared_log(
    parts, tmp_path, train_arguments, stackrec
):
    folder, run = tmp_path / "prepared", tmp_path / "run"
    options = ["--length", 8, "--split", "leave-one-out", "--min-count", 2]
    assert stackrec("prepare", parts, "--out", folder, *options)[0] == 0
    more = "--epochs 1 --schedule none"
    assert stackrec(*train_arguments(folder, run, more))[0] == 0
    config = read(run / "config.json")
    assert (config["split"], config["min_count"]) == ("leave-one-out", 2)
    assert stackrec(*train_arguments(folder, run, f"{more} --resume"))[0] == 0
    code, _, err = stackrec(*train_arguments(folder, run, f"{more} --length 9"))
    assert code == 2
    assert "--length 9 does not fit" in err or "already holds a run" in err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--length", 9),
        ("--length", 20),  # the default
        ("--split", "time"),
        ("--split-seed", 3),
    ],
)
def test_options_that_do_not_fit_the_prepared_log_are_refused(
    prepared, tmp_path, train_arguments, stackrec, option, value
):
    more = f"{option} {value}"
    code, _, err = stackrec(*train_arguments(prepared, tmp_path / "run", more))
    assert code == 2
    assert f"{option} {value} does not fit {prepared}" in err


def test_a_damaged_prepared_log_is_refused(
    prepared, tmp_path, train_arguments, stackrec
):
    (prepared / "train" / "users.npy").unlink()
    code, _, err = stackrec(*train_arguments(prepared, tmp_path / "run"))
    assert code == 2
    assert "--data" in err and "users.npy" in err


def test_a_folder_that_is_not_prepared_is_refused(
    prepared, tmp_path, train_arguments, stackrec
):
    (prepared / "prepared.json").unlink()
    code, _, err = stackrec(*train_arguments(prepared, tmp_path / "run"))
    assert code == 2
    assert "is a folder, but not a prepared log" in err
    assert "stackrec prepare" in err


def test_it_replaces_a_prepared_log_only_if_told_to(parts, prepared, stackrec):
    command = ["prepare", parts, "--out", prepared, "--length", 9]
    code, _, err = stackrec(*command)
    assert code == 2
    assert f"--out {prepared} already holds a prepared log" in err
    assert "Replace it (--overwrite)" in err
    assert stackrec(*command, "--overwrite")[0] == 0
    assert read(prepared / "prepared.json")["length"] == 9


def test_errors_name_the_option_and_the_file(parts, tmp_path, stackrec):
    out = tmp_path / "prepared"
    code, _, err = stackrec("prepare", tmp_path / "none", "--out", out)
    assert code == 2
    assert f"{tmp_path / 'none'} matches no file" in err
    code, _, err = stackrec("prepare", parts, "--out", out, "--item", "film")
    assert code == 2
    assert "--item film is not a column of" in err and "part-0.parquet" in err
    folder = tmp_path / "damaged"
    shutil.copytree(parts.removesuffix("/*.parquet"), folder)
    (folder / "part-2.parquet").write_bytes(b"PAR1")
    code, _, err = stackrec("prepare", folder, "--out", out)
    assert code == 2
    assert f"{folder}/part-2.parquet cannot be read" in err
    assert not out.exists()


def test_a_model_that_reads_times_refuses_milliseconds(
    log_path, tmp_path, train_arguments, stackrec
):
    log = pd.read_csv(log_path)
    log["timestamp"] *= 1000
    log.to_parquet(tmp_path / "log.parquet")
    out = tmp_path / "prepared"
    assert stackrec("prepare", tmp_path / "log.parquet", "--out", out)[0] == 0
    arguments = ["--data", out, "--out", tmp_path / "run", "--model", "hstu"]
    code, _, err = stackrec("train", *arguments)
    assert code == 2
    assert "Divide milliseconds by 1000" in err
