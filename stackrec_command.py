"""Where the `stackrec` command starts, before TensorFlow is loaded."""

import contextlib
import os
import re
import sys
import tempfile


def main() -> int:
    """Runs `stackrec_keras.cli.main` and returns its exit code."""
    # What stops a run is an exception. (Has effect once TensorFlow is loaded.)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with without_start_lines():
            from stackrec_keras import cli
    except ImportError as error:
        print(f"stackrec: error: {error}", file=sys.stderr)
        return 2
    return cli.main()


# TensorFlow 2.21 tells of oneDNN and CUDA while it is loaded, whatever the log level.
_START_LINE = re.compile(rb"I0000 |WARNING: All log messages before absl::Init")


@contextlib.contextmanager
def without_start_lines():
    """Keeps back what is written to stderr, by native code too, until the end, and lets
    it out then but for TensorFlow's start lines."""
    with tempfile.TemporaryFile() as written:
        stderr = os.dup(2)
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            lines = [line for line in written if not _START_LINE.match(line)]
            os.write(2, b"".join(lines))
