"""How long the package takes to import, beyond Keras and its backend.

    KERAS_BACKEND=jax python benchmarks/import_time.py

Each import runs in its own process. The first one fills the caches and is not counted.
"""

import argparse
import statistics
import subprocess
import sys

_IMPORT = """
import time
import keras
start = time.perf_counter()
import stackrec_keras
print(keras.backend.backend(), time.perf_counter() - start)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    seconds = []
    for _ in range(arguments.repeats + 1):
        done = subprocess.run(
            [sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True
        )
        backend, value = done.stdout.split()
        seconds.append(float(value))
    measured = seconds[1:]
    print(
        f"{backend}: {statistics.median(measured):.2f} s beyond Keras' own "
        f"({min(measured):.2f} to {max(measured):.2f}, {len(measured)} imports)"
    )


if __name__ == "__main__":
    main()
