import subprocess
import sys
from pathlib import Path

import keras
import pytest

import stackrec_keras
from stackrec_keras.cli import COMMANDS, main
from stackrec_keras.cli.backend import BACKENDS

# The package without its __init__, which imports Keras for the library's users.
BARE_PACKAGE = f"""
import sys, types
package = types.ModuleType("stackrec_keras")
package.__path__ = [{str(Path(stackrec_keras.__file__).parent)!r}]
sys.modules["stackrec_keras"] = package
from stackrec_keras.cli import main
"""


def run_python(code, *argv):
    return subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, timeout=300
    )


def test_without_a_command_the_help_is_printed(stackrec):
    code, out, _ = stackrec()
    assert code == 0
    for name in ("train", "evaluate", "recommend", "data"):
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


def test_parsing_imports_neither_keras_nor_pandas_nor_matplotlib():
    check = "import builtins\ntry:\n    main(['train', '--help'])\nexcept SystemExit:\n"
    check += "    print('heavy:', {'keras', 'pandas', 'matplotlib'} & set(sys.modules))"
    assert run_python(BARE_PACKAGE + check).stdout.endswith("heavy: set()\n")


def test_the_backend_option_chooses_what_keras_runs_on(monkeypatch):
    other = next(name for name in BACKENDS[1:] if name != keras.backend.backend())
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    check = f"main(['data', '--backend', {other!r}])\n"
    check += "import keras\nprint('backend:', keras.backend.backend())"
    done = run_python(BARE_PACKAGE + check)
    assert done.stdout.endswith(f"backend: {other}\n"), done.stderr


def test_a_backend_that_comes_too_late_is_an_error(stackrec):
    running = keras.backend.backend()
    other = next(name for name in BACKENDS if name != running)
    code, _, err = stackrec("data", "--backend", other)
    assert code == 2
    assert f"Keras is running on {running}" in err
    assert f"KERAS_BACKEND={other}" in err
    assert stackrec("data", "--backend", running)[0] == 0


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
