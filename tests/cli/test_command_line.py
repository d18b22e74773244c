import subprocess
import sys

import pytest

import stackrec_keras
from stackrec_keras.cli import COMMANDS, main


def test_without_a_command_the_help_is_printed(stackrec):
    code, out, _ = stackrec()
    assert code == 0
    for name in (
        "train",
        "tune",
        "evaluate",
        "recommend",
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
    assert "stackrec: error: no-such-folder is no run folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_is_one_line_and_its_traceback_can_be_asked_for(stackrec):
    code, out, err = stackrec("data", "no-such-set")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("stackrec: error: --data no-such-set is neither a file nor")
    with pytest.raises(ValueError, match="no-such-set"):
        main(["--traceback", "data", "no-such-set"])
