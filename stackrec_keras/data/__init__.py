"""Data: interaction log, vocabulary, windows, splits and batches."""

from .batches import Batches
from .item_features import read_item_features
from .log import read_interactions
from .named import load
from .partitioned_log import PartitionedLog, open_log
from .prepared_log import prepare_log, read_prepared
from .random_split import split_random
from .sequences import read_sequences
from .split_by_time import split_by_time
from .splits import Split, split_leave_one_out
from .synthetic import synthetic
from .synthetic_walks import synthetic_walks
from .transfer import TransferPairs, TransferSplit
from .transfer_file import read_transfer
from .vocabulary import Vocabulary
from .windows import Windows, make_windows

__all__ = [
    "Batches",
    "PartitionedLog",
    "Split",
    "TransferPairs",
    "TransferSplit",
    "Vocabulary",
    "Windows",
    "load",
    "make_windows",
    "open_log",
    "prepare_log",
    "read_interactions",
    "read_item_features",
    "read_prepared",
    "read_sequences",
    "read_transfer",
    "split_by_time",
    "split_leave_one_out",
    "split_random",
    "synthetic",
    "synthetic_walks",
]
