"""Callbacks whose state is on disk, so that a run that was cut off can go on."""

from stackrec_keras.runs.callbacks.backup import Backup
from stackrec_keras.runs.callbacks.best_epoch import BestEpoch
from stackrec_keras.runs.callbacks.history_file import HistoryFile
from stackrec_keras.runs.callbacks.max_seconds import MaxSeconds

__all__ = ["Backup", "BestEpoch", "HistoryFile", "MaxSeconds"]
