import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import stackrec_keras
import stackrec_keras as sr
from stackrec_keras.cli import COMMANDS, main, train
from stackrec_keras.errors import ArgumentError, StackRecWarning

SEEDS = "must be different integers of at least 0"


def test_without_a_command_the_help_is_printed(stackrec):
    code, out, _ = stackrec()
    assert code == 0
    for name in (
        "train",
        "tune",
        "evaluate",
        "recommend",
        "similar",
        "export",
        "convert",
        "methods",
        "data",
    ):
        assert f"\n    {name} " in out


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"stackrec {stackrec_keras.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_the_help_of_each_command_has_an_example(command, capsys):
    name = command.__name__.rpartition(".")[2]
    with pytest.raises(SystemExit) as exit:
        main([name, "--help"])
    assert exit.value.code == 0
    assert f"Example: stackrec {name}" in capsys.readouterr().out


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "stackrec_keras", "evaluate", "no-such-folder"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    assert "stackrec: error: no-such-folder is not a run folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command, typed, meant",
    [
        ("train", "--out r --batchsize 8", "'--batch-size'"),
        ("scenario ts", "--out r --sclae=0.0125 --eposch 3", "'--scale', '--epochs'"),
        ("train", "--out r --model sasrek", "'sasrec'"),
        ("train", "--out r --recipe sasrec-ml", "'sasrec-ml1m'"),
        ("", "--versoin", "'--version'"),
        ("", "trian", "'train'"),
        # No option is close, or it is not an option.
        ("tune", "--out r --num-blocks 8", None),
        ("", "xyz", None),
        ("evaluate", "r epochs", None),
    ],
)
def test_a_misspelt_word_gets_one_line_with_a_question(command, typed, meant, capsys):
    with pytest.raises(SystemExit) as exit:
        main(f"{command} {typed}".split())
    assert exit.value.code == 2
    err = capsys.readouterr().err
    name = f"stackrec {command}".strip()
    hint = f"See {name} --help" if meant is None else f"Did you mean {meant}?"
    assert err.startswith(f"{name}: error: ") and err.endswith(f". {hint}\n")
    assert err.count("\n") == 1


def test_an_error_is_one_line_and_its_traceback_can_be_asked_for(stackrec):
    code, out, err = stackrec("data", "no-such-set")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("stackrec: error: no-such-set is neither a file nor")
    with pytest.raises(ValueError, match="no-such-set"):
        main(["--traceback", "data", "no-such-set"])


@pytest.mark.parametrize(
    "error, shown",
    [
        (
            ArgumentError("num_heads", "must divide dim=8", "Give 2.", 3),
            "--num-heads 3 must divide dim=8. Give 2.",
        ),
        (ArgumentError("data", "is missing"), "--data is missing."),
        (
            ArgumentError("k", "is", "Give k.", option_fix="Give --k."),
            "k is. Give k.",
        ),
        (
            ArgumentError("data", "is", "Give data.", option_fix="Give --data."),
            "--data is. Give --data.",
        ),
        (ArgumentError("data", "is missing", received=None), "--data is missing."),
        (ArgumentError("data", "is", received=Path("a b")), "--data 'a b' is."),
        (ArgumentError("dilations", "are", received=(0, 4)), "--dilations 0,4 are."),
        (ArgumentError("schedule", "is", received={1: 2}), "--schedule 1:2 is."),
        (ArgumentError("encoder", "is", received=True), "--encoder is."),
        (ArgumentError("dropout", "is", received=np.float64(2)), "--dropout 2.0 is."),
        (ArgumentError("num_blocks", "is", received=6), "--num-blocks 6 is."),
        # A growth step leads to it; it is not the option's value.
        (ArgumentError("num_blocks", "is", received=8), "num_blocks=8 is."),
        (ArgumentError("fit_rows", "is", received=3), "fit_rows=3 is."),
        (ValueError("top_blocks=3 is\nodd"), "top_blocks=3 is odd"),
        (ValueError(), "ValueError"),
    ],
)
def test_an_error_names_the_option_that_one_typed(
    error, shown, stackrec, monkeypatch, tmp_path
):
    def fail(args):
        raise error

    monkeypatch.setattr(train, "run", fail)
    _, _, err = stackrec("train", "--out", tmp_path / "run", "--num-blocks", 6)
    assert err == f"stackrec: error: {shown}\n"


def test_an_error_of_an_argument_without_a_name_shows_its_value(stackrec):
    _, _, err = stackrec("data", "no-such-set")
    assert err.startswith("stackrec: error: no-such-set is neither a file nor")


def test_several_values_are_shown_as_they_are_typed(stackrec, tmp_path):
    code, _, err = stackrec("scenario", "ts", "--out", tmp_path, "--seeds", "1", "1")
    assert (code, err) == (2, f"stackrec: error: --seeds 1 1 {SEEDS}.\n")


def test_columns_that_a_log_lacks_are_named_with_the_options(tmp_path, stackrec):
    log = tmp_path / "log.csv"
    log.write_text("who,item,when\na,b,1\n")
    code, _, err = stackrec("data", log)
    assert code == 2
    assert err.startswith("stackrec: error: --user user is not a column of")
    assert "'who', 'item', 'when'" in err and "user=" not in err
    assert err.endswith(
        "columns: --user COLUMN --timestamp COLUMN; --timestamp none uses the order of "
        "the rows instead.\n"
    )


def test_a_schedule_that_grows_nothing_is_refused(tmp_path, stackrec):
    _, _, err = stackrec("train", "--out", tmp_path / "run", "--schedule", "20:8")
    assert "has no growth step left: the model was built with 4 blocks" in err


def test_a_warning_of_ours_is_a_note_and_others_are_as_ever(
    tmp_path, stackrec, monkeypatch
):
    def warn(args):
        warnings.warn("ours,\nof two lines", StackRecWarning, stacklevel=1)
        warnings.warn("theirs", stacklevel=1)

    monkeypatch.setattr(train, "run", warn)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        before = warnings.showwarning
        code, _, err = stackrec("train", "--out", tmp_path / "run")
        assert warnings.showwarning is before
    assert (code, err) == (0, "Note: ours, of two lines\n")
    assert [str(w.message) for w in caught] == ["theirs"]


@pytest.mark.parametrize("command", ["train", "scenario ts"])
def test_an_error_of_a_model_names_the_option(command, log_path, tmp_path, stackrec):
    options = f"--data {log_path} --out {tmp_path / 'run'} --length 8 --epochs 7"
    wrong = "--model sasrec --num-heads 3 --embedding-dim 8"
    code, _, err = stackrec(*f"{command} {options} {wrong}".split())
    assert code == 2
    assert "3 must divide the width of" in err


@pytest.mark.parametrize(
    "typed, hint",
    [
        (
            "recommend r --user -C3",
            "that begins with a dash as --user=-C3",
        ),
        ("recommend r --items -C3 B2", "with a dash as --items=-C3"),
        ("train --out r --data -new.csv", "with a dash as --data=-new.csv"),
        ("recommend r --items B2 -C3", "dash, write each value as --items=VALUE"),
        ("recommend r --items=-C3 B2", "dash, write each value as --items=VALUE"),
        (
            "recommend r --user --json",
            "expected one argument. See stackrec recommend --help",
        ),
        ("recommend r --user C3 B2", "arguments: B2. See stackrec recommend --help"),
    ],
)
def test_a_value_that_begins_with_a_dash_gets_the_form_that_it_needs(
    typed, hint, capsys
):
    with pytest.raises(SystemExit) as exit:
        main(typed.split())
    assert exit.value.code == 2
    assert capsys.readouterr().err.endswith(f"{hint}\n")


def test_the_options_are_read_before_a_backend_is_loaded():
    code = """
import sys
sys.argv = ["stackrec"]
from stackrec_keras import cli
cli.build_parser()
heavy = {"keras", "numpy", "pandas", "matplotlib", "keras_tuner"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    code = code.replace("cli.build_parser()", "cli.main(['methods'])")
    code = code.replace('"numpy", ', "")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_a_command_reads_the_files_of_all_models(tmp_path):
    sr.HSTU(9, max_length=4, embedding_dim=4).save(tmp_path / "model.keras")
    code = f"""
import sys
sys.argv = ["stackrec"]
from stackrec_keras.runs.folder import RunFolder
assert RunFolder({str(tmp_path)!r}).read_model().num_items == 9
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
