"""The scripts that test promises outside CI find what they look for."""

from pathlib import Path

import torture
import torture_callbacks
import torture_files
from results_file import rows_in


def test_the_page_shows_the_newest_results_and_none_failed():
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    assert torture.table() in page.read_text("utf-8")
    assert {row["failed"] for row in rows_in(torture.RESULTS)} == {"0"}


def test_every_keras_callback_works_beside_a_growth(tmp_path):
    address = "http://127.0.0.1:9"  # RemoteMonitor only warns that nobody answers
    names = torture_callbacks.makers(tmp_path, address)
    assert set(torture_callbacks.untried(names)) <= {"OrbaxCheckpoint"}
    cases, failures = torture_callbacks.try_all(tmp_path, address, singles=True)
    assert (cases, failures) == (len(names), [])


def test_a_damaged_file_is_refused_and_a_wrong_result_is_seen(tmp_path):
    def read(path):
        if not path.read_bytes():
            raise ValueError("empty")
        return path.read_bytes()[:1]

    def crash(path):
        raise KeyError("no such part")

    path = tmp_path / "file"
    outcomes = []
    for content in (b"", b"ab", b"ba"):
        path.write_bytes(content)
        outcomes.append(torture_files._outcome(read, path, b"a"))
    assert outcomes == ["refused", "same", "other"]
    assert torture_files._outcome(crash, path, b"a") == "KeyError: 'no such part'"
