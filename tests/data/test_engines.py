"""A Dask cluster prepares the same files as one process."""

import os
import signal

import pandas as pd
import pytest
from refusals import refused
from test_prepared_log import a_log, write_parts

from stackrec_keras.data import engines, open_log, prepare_log

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def scheduler():
    """The address of a cluster of two processes, which are forked from a process that
    has imported the package, because each of three imports would take seconds."""
    method = {"distributed.worker.multiprocessing-method": "forkserver"}
    with pytest.MonkeyPatch.context() as patch, dask.config.set(method):
        patch.setenv("KERAS_BACKEND", "numpy")
        context = distributed.utils.get_mp_context()
        context.set_forkserver_preload(["distributed", "stackrec_keras.data"])
        options = {"threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(2, **options) as cluster:
            yield cluster.scheduler_address


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    """The files of a log."""
    return write_parts(tmp_path_factory.mktemp("log") / "log", a_log())


def files_in(folder):
    """A dict from the name of each file in a folder to its bytes."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def prepare_both(tmp_path, pattern, scheduler, *arguments, **options):
    """Asserts that a cluster and this process write the same files."""
    log = open_log(pattern, columns=["price"])
    here, there = (tmp_path / name for name in ("local", "dask"))
    options["events_in_memory"] = 120
    prepare_log(log, here, 6, *arguments, **options)
    cluster = {"engine": "dask", "scheduler": scheduler}
    prepare_log(log, there, 6, *arguments, **options, **cluster)
    assert files_in(there) == files_in(here)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dask", "local"]


@pytest.mark.parametrize(
    ("split", "options"),
    [
        ("leave-one-out", {"whole_history": True}),
        ("time", {"stage_starts": [1_600_000_030]}),
        ("random", {}),
    ],
)
def test_a_cluster_writes_the_same_files(tmp_path, pattern, scheduler, split, options):
    prepare_both(tmp_path, pattern, scheduler, split, **options)


def test_an_error_on_a_worker_names_the_file(tmp_path, scheduler):
    frame = a_log()
    frame.loc[800, "timestamp"] = None
    log = open_log(write_parts(tmp_path / "log", frame))
    with refused("path", says="part-6.parquet.*timestamp"):
        prepare_log(log, tmp_path / "out", 6, engine="dask", scheduler=scheduler)
    assert not (tmp_path / "out").exists()


def test_the_command_uses_the_cluster(tmp_path, scheduler, log_path, stackrec):
    pd.read_csv(log_path).to_parquet(tmp_path / "log.parquet", index=False)
    for engine in (["local"], ["dask", "--scheduler", scheduler]):
        arguments = [tmp_path / "log.parquet", "--out", tmp_path / engine[0]]
        code, _, err = stackrec("prepare", *arguments, "--engine", *engine)
        assert (code, err) == (0, "")
    assert files_in(tmp_path / "dask") == files_in(tmp_path / "local")
    code, _, err = stackrec("prepare", *arguments, "--engine", "dask")
    assert code == 2
    assert "--scheduler" in err


def test_a_worker_that_dies_costs_nothing(tmp_path, pattern, scheduler):
    died = tmp_path.with_name("died")

    def die_once():
        """Makes the first worker that is about to finish a bucket die instead."""
        from stackrec_keras.data import bucket_rows

        cut = bucket_rows._cut_bucket

        def cut_or_die(cut_rows, stages, log, path):
            cut(cut_rows, stages, log, path)
            if path.name.startswith("00003"):
                try:
                    died.touch(exist_ok=False)
                except FileExistsError:
                    return
                os.kill(os.getpid(), signal.SIGKILL)

        bucket_rows._cut_bucket = cut_or_die

    with distributed.Client(scheduler, set_as_default=False) as client:
        workers = {*client.run(os.getpid).values()}
        client.run(die_once)
        prepare_both(tmp_path, pattern, scheduler)
        client.wait_for_workers(2)
        assert died.exists()
        assert len(workers & {*client.run(os.getpid).values()}) == 1


@pytest.mark.parametrize(
    ("engine", "scheduler", "says"),
    [
        ("dask", None, "must be the address"),
        ("dask", 8786, "must be the address"),
        ("local", "tcp://10.0.0.1:8786", "must be the address"),
        ("dask", "nowhere", "cannot be reached"),
    ],
)
def test_a_scheduler_that_does_not_fit_is_refused(engine, scheduler, says):
    with refused("scheduler", scheduler, says):
        with engines.open_engine(engine, scheduler):
            pass


def test_an_unknown_engine_is_refused(tmp_path, pattern):
    with refused("engine", "spark"):
        prepare_log(open_log(pattern), tmp_path / "out", 6, engine="spark")


def test_a_folder_that_a_worker_does_not_see_is_refused(tmp_path):
    with refused("folder", says="is not visible on the Dask worker"):
        engines._run_stored(tmp_path / "task.pickle", 0)
