import numpy as np
import pytest

from stackrec_keras.cli import main

# A batch of 8 divides the rows of training, validation and test (56, 8 and 16 of the
# random split): JAX compiles each step again for a smaller last batch.
TINY = "--length 8 --embedding-dim 8 --num-blocks 1 --batch-size 8 --learning-rate 0.03"


def _write_log(path, users=40, items=14, events=17, seed=0):
    """A CSV log in which the next item mostly follows from the last one."""
    rng = np.random.default_rng(seed)
    rows = ["user,item,timestamp"]
    for user in range(1, users + 1):
        item = int(rng.integers(items))
        for step in range(events):
            rows.append(f"{user},film {item},{1_600_000_000 + 3600 * step}")
            item = (5 * item + 3) % items
            if rng.random() < 0.3:
                # Skewed, so that popularity is worth something.
                item = int(items * rng.random() ** 2)
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def log_path(tmp_path_factory):
    return _write_log(tmp_path_factory.mktemp("data") / "log.csv")


@pytest.fixture
def users_first(tmp_path):
    """A file of 80 rows, the user's id first: 101 to 140, and the same again."""
    rows = [
        [101 + row % 40, 0, *((row + 3 * i) % 9 + 1 for i in range(6))]
        for row in range(80)
    ]
    path = tmp_path / "users_first.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in rows))
    return path


@pytest.fixture(scope="session")
def finished_run(log_path, tmp_path_factory):
    """The folder of a run that grew twice. Tests must not change it."""
    folder = tmp_path_factory.mktemp("runs") / "grown"
    assert main(_train_arguments(log_path, folder, "--epochs 4")) == 0
    return folder


def _train_arguments(data, out, more=""):
    """The command line of a tiny training run; `more` comes last and so wins."""
    return ["train", "--data", str(data), "--out", str(out), *f"{TINY} {more}".split()]


@pytest.fixture
def write_log():
    """`_write_log`."""
    return _write_log


@pytest.fixture
def train_arguments():
    """`_train_arguments`."""
    return _train_arguments


@pytest.fixture
def stackrec(capsys):
    """Function that runs the command and returns (exit code, stdout, stderr)."""

    def run(*argv):
        capsys.readouterr()
        code = main([str(part) for part in argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
