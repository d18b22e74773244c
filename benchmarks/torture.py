"""The results of the scripts torture_*.py, which test promises at length.

    python benchmarks/torture.py

Prints the table in docs/reliability.md: the number of cases of the newest run on each
backend, and how many failed. `bash scripts/torture.sh` runs the scripts.
"""

import datetime
import os
import sys
from pathlib import Path

from results_file import append, rows_in

RESULTS = Path(__file__).parent / "results" / "torture.csv"
BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
BACKENDS = {"torch": "PyTorch", "jax": "JAX", "tensorflow": "TensorFlow"}


def report(what, cases, failures, note=""):
    """Prints and records a result, and exits with 1 if a case failed.

    Args:
        what: String, the promise that was tested.
        cases: Integer, how many cases there were.
        failures: List of strings, one for each case that failed.
        note: String, what else to record. Defaults to `""`.
    """
    for failure in failures:
        print(f"FAILED {failure}")
    print(f"{what}, {BACKEND}: {cases} cases, {len(failures)} failed. {note}".strip())
    row = {
        "what": what,
        "backend": BACKEND,
        "cases": cases,
        "failed": len(failures),
        "note": note,
        "date": datetime.date.today().isoformat(),
    }
    append(RESULTS, row)
    sys.exit(1 if failures else 0)


def table():
    """Returns the newest results as a Markdown table."""
    newest = {(row["what"], row["backend"]): row for row in rows_in(RESULTS)}
    lines = [f"| cases (failed) | {' | '.join(BACKENDS.values())} | date |"]
    lines.append("|---" * (len(BACKENDS) + 2) + "|")
    for what in dict.fromkeys(what for what, _ in newest):
        rows = [newest.get((what, backend)) for backend in BACKENDS]
        cells = [f"{row['cases']} ({row['failed']})" if row else "" for row in rows]
        date = max(row["date"] for row in rows if row)
        lines.append(f"| {what} | {' | '.join(cells)} | {date} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
