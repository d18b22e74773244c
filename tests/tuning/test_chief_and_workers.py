"""A search that a chief and two workers share, on one machine."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "chief_or_worker.py"


def test_two_workers_share_a_search(tmp_path):
    port = _free_port()
    names = ("chief", "worker0", "worker1")
    processes = [_start(name, port, tmp_path) for name in names]
    try:
        outputs = [process.communicate(timeout=600) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors[-3000:]
    found = json.loads(outputs[0][0].strip().splitlines()[-1])
    assert found["trials"]["status"] == ["COMPLETED"] * 3
    assert found["num_blocks"] == 2
    assert found["loss"] == min(found["trials"]["score"])
    # On a busy machine, one worker may end all trials.
    ended = [(tmp_path / "untitled_project" / f"{n}.json").exists() for n in names[1:]]
    assert any(ended)
    for printed, _ in outputs[1:]:
        assert "is a worker" in printed


def _start(name, port, folder):
    environment = {
        **os.environ,
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
    }
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
