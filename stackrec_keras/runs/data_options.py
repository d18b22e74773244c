"""Options of a training run: what it reads, and what it holds out."""

from dataclasses import dataclass

from stackrec_keras.runs.option_kinds import option

SPLITS = ("random", "leave-one-out", "time")
TRANSFER = "transfer"  # the split for the fine-tuning of `scenario tf`


@dataclass(frozen=True)
class DataOptions:
    """The options of `TrainConfig` that say what a run reads."""

    data: str = option(
        "data",
        "ml-1m",
        "a named data set, a file (.csv, .tsv, .inter, .dat, .parquet), or a folder "
        "that `stackrec prepare` wrote (`stackrec data` lists the names and formats)",
        metavar="NAME_OR_PATH",
    )
    sequences: bool = option(
        "data",
        False,
        "the file has one sequence of items per row, as in StackRec's reference "
        "implementation",
        type=bool,
    )
    user_column: bool = option(
        "data",
        False,
        "with --sequences: each row begins with the user's id, as in SSE-PT's file",
        type=bool,
    )
    user: str = option("data", "user", "column of the user ids", metavar="COLUMN")
    item: str = option("data", "item", "column of the item ids", metavar="COLUMN")
    timestamp: str = option(
        "data",
        "timestamp",
        "column of the times; 'none' if the rows are in order of time",
        metavar="COLUMN",
    )
    length: int = option("data", 20, "items per row, including the target", int)
    split: str = option(
        "data",
        "random",
        "what is held out: random rows, each user's last items, or the newest events",
        choices=SPLITS,
        also=(TRANSFER,),
    )
    split_seed: int = option(
        "data", 0, "seed of the random split; --seed does not change the split", int
    )
    min_count: int = option(
        "data", 1, "leave-one-out: leave out items with fewer events than this", int
    )
    newest_only: bool = option(
        "data",
        False,
        "leave-one-out: train only on each user's newest row, as was done for most "
        "published results",
        bool,
    )
    whole_history: bool = option(
        "data",
        False,
        "leave-one-out: --exclude-seen excludes all earlier items of a user, not only "
        "the last ones, which the model reads",
        bool,
    )
