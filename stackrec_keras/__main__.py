"""Where the `stackrec` command starts; `python -m stackrec_keras` is the same."""

import os
import sys

from stackrec_keras.backend import load_keras, without_start_lines


def main() -> int:
    """Loads a backend, runs the command and returns its exit code."""
    # What stops a run is an exception. (Has effect once TensorFlow is loaded.)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with without_start_lines():
            load_keras()
            from stackrec_keras import cli
    except ImportError as error:
        print(f"stackrec: error: {error}", file=sys.stderr)
        return 2
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
