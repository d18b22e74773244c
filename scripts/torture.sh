#!/usr/bin/env bash
# Runs the tests that are too long for CI, on each backend. docs/reliability.md shows
# the figures, and benchmarks/results/torture.csv records them.
#   bash scripts/torture.sh [PYTHON]
# PYTHON must have the package, its extra `test` and the backends. These variables set
# the size: BACKENDS, KILLS (a backend), DAMAGES (of each kind of file), SEEDS.
set -uo pipefail
cd "$(dirname "$0")/.."
python="${1:-python3}"
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" TF_CPP_MIN_LOG_LEVEL=3
failed=0
torture() {
    "$python" -W ignore "benchmarks/torture_$1.py" "${@:2}" || failed=1
}
for backend in ${BACKENDS:-tensorflow jax torch}; do
    export KERAS_BACKEND="$backend"
    torture kills --kills "${KILLS:-10}"
    torture files --damages "${DAMAGES:-100}"
    torture callbacks
    torture seeds --seeds "${SEEDS:-1}"
    torture exports
done
exit "$failed"
