"""A training run: its configuration, its folder, and what trains it."""

from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.growing import grow
from stackrec_keras.runs.run import Run, read_run
from stackrec_keras.runs.training import train

__all__ = ["Run", "TrainConfig", "grow", "read_run", "train"]
