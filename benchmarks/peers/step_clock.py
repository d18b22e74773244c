"""Lets `run.py` decide when a training process takes its next steps."""

import sys
import time

PREFIX = "seconds of the last steps: "
_WARM_UP = 3  # steps


class StepClock:
    """Call it before each training step. At times it waits for `run.py`.

    It reports the seconds of the steps that are done, and waits for the number of steps
    to take next.
    """

    def __init__(self):
        self.left = _WARM_UP
        self.start = time.perf_counter()

    def __call__(self):
        if self.left == 0:
            print(f"\n{PREFIX}{time.perf_counter() - self.start}", flush=True)
            line = sys.stdin.readline()
            if not line:
                sys.exit()
            self.left = int(line)
            self.start = time.perf_counter()
        self.left -= 1
