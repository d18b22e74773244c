"""Callbacks with their state on disk, so that an interrupted run can continue."""

from stackrec_keras.runs.callbacks.backup import Backup
from stackrec_keras.runs.callbacks.best_epoch import BestEpoch
from stackrec_keras.runs.callbacks.clock_progress import ClockProgress
from stackrec_keras.runs.callbacks.history_file import HistoryFile
from stackrec_keras.runs.callbacks.max_seconds import MaxSeconds

__all__ = ["Backup", "BestEpoch", "ClockProgress", "HistoryFile", "MaxSeconds"]
