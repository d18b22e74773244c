#!/usr/bin/env bash
# Sets up a virtual environment with all three backends and runs the tests on each.
#   bash scripts/test_all.sh [FOLDER OF THE ENVIRONMENT]
set -euo pipefail
cd "$(dirname "$0")/.."
venv="${1:-.venv-tests}"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --upgrade pip
# This torch is the build for CPUs on Linux; a plain "torch" brings gigabytes of CUDA.
"$venv/bin/python" -m pip install --quiet "torch==2.13.0"
"$venv/bin/python" -m pip install --quiet -e ".[dev]"
# JAX would compile most programs of the tests more than once: cache them.
export JAX_COMPILATION_CACHE_DIR="$(cd "$venv" && pwd)/jax-cache"
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0
export JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1
# Small models run only a few steps: full optimization costs more than it saves.
export JAX_DISABLE_MOST_OPTIMIZATIONS=1
for backend in tensorflow jax torch; do
    echo "== tests on $backend"
    # Several processes of one thread each: threads that wait for each other are slow.
    KERAS_BACKEND="$backend" TF_CPP_MIN_LOG_LEVEL=2 OMP_NUM_THREADS=1 \
        "$venv/bin/python" -m pytest -n auto --maxprocesses 4
done
