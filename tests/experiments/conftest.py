import pytest

from stackrec_keras.cli import main

TINY = "--length 8 --embedding-dim 8 --batch-size 8 --learning-rate 0.03"


def _scenario_arguments(name, data, out, more=""):
    """The command line of a tiny scenario; `more` comes last and so wins."""
    return [
        "scenario",
        name,
        *("--data", str(data), "--out", str(out)),
        *f"{TINY} {more}".split(),
    ]


@pytest.fixture(autouse=True)
def eager(eager_on_tensorflow):
    """A scenario is many short runs."""


@pytest.fixture
def scenario_arguments():
    """`_scenario_arguments`."""
    return _scenario_arguments


@pytest.fixture(scope="session")
def ts_run(log_path, tmp_path_factory):
    """The folder of a finished `scenario ts`. Tests must not change it."""
    folder = tmp_path_factory.mktemp("scenarios") / "ts"
    more = "--stages 1,2 --shares 1,2 --epochs 3"
    assert main(_scenario_arguments("ts", log_path, folder, more)) == 0
    return folder
