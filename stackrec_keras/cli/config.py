"""The configuration of a training run: every option, its default and its help."""

import argparse
from dataclasses import asdict, dataclass, field, fields

from stackrec_keras.cli.models import MODELS

_CONVOLUTIONAL = ("nextitnet", "grec")
_TRANSFORMERS = ("sasrec", "ssept")
SPLITS = ("random", "leave-one-out", "time")


def _option(group, default, help, type=str, **arguments):
    metadata = {"group": group, "help": help, "type": type, **arguments}
    return field(default=default, metadata=metadata)


def integers(text):
    """Returns `(1, 4)` for `"1,4"`."""
    return tuple(int(part) for part in text.split(","))


@dataclass(frozen=True)
class TrainConfig:
    """What `stackrec train` does. `config.json` in a run folder holds it.

    Raises:
        ValueError: If a value is out of range.
    """

    data: str = _option(
        "data",
        "ml-1m",
        "a named data set or a file: .csv, .tsv, .inter, .dat, .parquet "
        "(`stackrec data` lists them)",
        metavar="NAME_OR_PATH",
    )
    sequences: bool = _option(
        "data",
        False,
        "the file has a sequence of items a row, as StackRec's release has them",
        type=bool,
    )
    user_column: bool = _option(
        "data",
        False,
        "the rows of --sequences begin with the user's id, as in SSE-PT's file",
        type=bool,
    )
    user: str = _option("data", "user", "column of the user ids", metavar="COLUMN")
    item: str = _option("data", "item", "column of the item ids", metavar="COLUMN")
    timestamp: str = _option(
        "data",
        "timestamp",
        "column of the times; 'none' takes the order of the rows",
        metavar="COLUMN",
    )
    length: int = _option("data", 20, "items a row, the target among them", int)
    split: str = _option(
        "data",
        "random",
        "what is held out: random rows, each user's last items, or the newest events",
        choices=SPLITS,
    )
    split_seed: int = _option(
        "data", 0, "seed of the random split; --seed does not change the split", int
    )

    model: str = _option("model", "nextitnet", "architecture", choices=tuple(MODELS))
    num_blocks: int = _option("model", 4, "blocks to start with", int)
    embedding_dim: int = _option("model", 64, "width of item embeddings", int)
    kernel_size: int = _option(
        "model", 3, "taps of each convolution", int, models=_CONVOLUTIONAL
    )
    dilations: tuple = _option(
        "model",
        (1, 4),
        "dilations that the blocks take in turn",
        integers,
        models=_CONVOLUTIONAL,
    )
    mask_rate: float = _option(
        "model",
        0.2,
        "share of a row's items that a step predicts",
        float,
        models=("grec",),
    )
    encoder: bool = _option(
        "model", False, "an encoder sees both sides of gaps", bool, models=("grec",)
    )
    num_heads: int = _option("model", 1, "attention heads", int, models=_TRANSFORMERS)
    dropout: float | None = _option(
        "model",
        None,
        "share of units dropped in training (default: 0 for sasrec, 0.2 for ssept)",
        float,
        models=_TRANSFORMERS,
    )
    norm: str = _option(
        "model",
        "post",
        "where blocks normalize: after adding, or before",
        choices=("post", "pre"),
        models=_TRANSFORMERS,
    )
    padding_mask: bool = _option(
        "model", False, "let no position see padding", bool, models=_TRANSFORMERS
    )
    user_noise: float = _option(
        "model",
        0.8,
        "probability that a user is replaced in training",
        float,
        models=("ssept",),
    )

    method: str = _option(
        "growth",
        "stackC",
        "stacking method: stackC, stackA, stackR, stackE, from_scratch, ...",
    )
    schedule: str = _option(
        "growth",
        "doubling",
        "when to grow: 'doubling' (twice, after 1/7 and 3/7 of the epochs), "
        "'EPOCH:BLOCKS,...' such as 2:8,5:16 (epochs count from 0), 'plateau' (when "
        "val_mrr@5 stops rising), or 'none'",
        metavar="SCHEDULE",
    )
    data_shares: str | None = _option(
        "growth",
        None,
        "share of the training rows from an epoch on, for an EPOCH:BLOCKS schedule: "
        "'EPOCH:SHARE,...' such as 0:0.4,2:1; what is in a share is in larger ones",
        metavar="SHARES",
    )
    share_by: str = _option(
        "growth",
        "random",
        "which rows a share has: random ones, or the oldest",
        choices=("random", "time"),
    )
    top_blocks: int | None = _option(
        "growth", None, "stack only that many of the top blocks", int
    )
    inherit: str = _option(
        "growth",
        "all",
        "what a growth carries over: all it can, all with the gates at 0 again, or "
        "what StackRec's release does",
        choices=("all", "all_but_gates", "paper"),
    )
    optimizer_state: str = _option(
        "growth",
        "carry",
        "what becomes of the optimizer's state",
        choices=("carry", "reset"),
    )

    epochs: int = _option("training", 10, "passes over the training rows", int)
    batch_size: int = _option("training", 256, "rows a batch", int)
    learning_rate: float = _option("training", 1e-3, "of Adam", float)
    loss: str = _option(
        "training",
        "full_softmax",
        "training loss",
        choices=("full_softmax", "sampled_softmax", "gbce"),
    )
    exclude_seen: bool = _option(
        "training",
        False,
        "leave the items of the history out of the ranking in validation and test, as "
        "stackrec recommend does",
        type=bool,
    )
    patience: int | None = _option(
        "training",
        None,
        "stop after that many epochs without a better val_mrr@5, and keep the best "
        "epoch's weights",
        int,
        metavar="EPOCHS",
    )
    best_of: str = _option(
        "training",
        "all",
        "which epochs --patience has in mind: all, or those since the last growth",
        choices=("all", "deepest"),
    )
    max_seconds: float | None = _option(
        "training",
        None,
        "stop after the epoch in which the training has taken that long",
        float,
        metavar="SECONDS",
    )
    load_model: str | None = _option(
        "training",
        None,
        "start from the model of that run, trained on the same rows, with a new "
        "optimizer",
        metavar="FOLDER",
    )
    seed: int = _option("training", 0, "of weights, order of rows, new blocks", int)
    jit: str = _option(
        "training", "auto", "XLA compilation", choices=("auto", "on", "off")
    )

    def __post_init__(self):
        for name in ("num_blocks", "embedding_dim", "kernel_size", "epochs"):
            self._check_least(name, 1)
        for name in ("batch_size", "patience", "top_blocks", "num_heads"):
            self._check_least(name, 1)
        for name in ("seed", "split_seed"):
            self._check_least(name, 0)
        self._check_least("length", 2)
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise ValueError(f"--max-seconds {self.max_seconds} must be above 0.")
        if not self.learning_rate > 0:
            raise ValueError(
                f"--learning-rate {self.learning_rate} must be above 0, such as 0.001."
            )
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError(
                f"--dilations {','.join(map(str, self.dilations))} must be numbers of "
                "at least 1, such as 1,4."
            )
        if self.user_column and not self.sequences:
            raise ValueError(
                "--user-column says how the rows of --sequences begin, and --data "
                f"{self.data} is a log. Name its column: --user COLUMN."
            )
        if self.sequences and self.model == "ssept" and not self.user_column:
            raise ValueError(
                "--model ssept learns a vector for each user, and a file of "
                "--sequences has no users. Give --user-column if its rows begin with "
                "the user's id, or else a log of users, items and times."
            )
        if self.sequences and self.share_by == "time":
            raise ValueError(
                "--share-by time needs times, which a file of --sequences does not "
                "have. Use --share-by random."
            )
        if self.sequences and self.split != "random":
            raise ValueError(
                f"--split {self.split} needs users and times, which a file of "
                "--sequences does not have. Use --split random."
            )

    def to_json(self):
        """Returns a dict that JSON can hold."""
        return {**asdict(self), "dilations": list(self.dilations)}

    @classmethod
    def from_json(cls, values):
        """Returns the configuration of which `to_json` made this dict."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(
                f"config.json has {', '.join(unknown)}, which this version of "
                "stackrec-keras does not know. Use the version in environment.json."
            )
        return cls(**{**values, "dilations": tuple(values["dilations"])})

    def _check_least(self, name, least):
        value = getattr(self, name)
        if value is not None and value < least:
            raise ValueError(f"{option_name(name)} {value} must be at least {least}.")


def add_options(parser, names=None, without=()):
    """Adds an option for each field of `TrainConfig`, or for those named alone, whose
    default is then another run's; `without` some.

    The parsed arguments have those alone that were typed (see `typed_options`).
    """
    groups = {}
    for f in fields(TrainConfig):
        if f.name in without or (names is not None and f.name not in names):
            continue
        arguments = dict(f.metadata)
        name = arguments.pop("group")
        models = arguments.pop("models", ())
        if models:
            arguments["help"] = f"{' and '.join(models)}: {arguments['help']}"
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        help = arguments["help"]
        if names is None:
            arguments["help"] += _default_text(f.default)
        if arguments["type"] is bool:
            arguments = {"help": help, "action": "store_true"}
        elif "choices" not in arguments:
            arguments.setdefault("metavar", _metavar(arguments["type"]))
        groups[name].add_argument(
            option_name(f.name), default=argparse.SUPPRESS, **arguments
        )


def add_out_options(parser, what="run"):
    """Adds the options that say where to write, and what becomes of what is there."""
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="the run folder to write"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume",
        action="store_true",
        help=f"go on with the {what} in --out, with the options it was started with; "
        "starts it if there is none",
    )
    again.add_argument(
        "--overwrite", action="store_true", help=f"replace the {what} that is in --out"
    )


def add_trained_options(parser, help="a run folder"):
    """Adds the options of a command that uses a trained model."""
    parser.add_argument("folder", metavar="FOLDER", help=help)
    parser.add_argument("--json", action="store_true", help="print JSON")


def typed_options(args):
    """Returns the dict of those fields of `TrainConfig` that were typed."""
    names = [f.name for f in fields(TrainConfig)]
    return {name: getattr(args, name) for name in names if hasattr(args, name)}


def check_model_options(typed, model):
    """Raises a ValueError if an option was typed that only other models have."""
    for f in fields(TrainConfig):
        models = f.metadata.get("models", (model,))
        if f.name in typed and model not in models:
            raise ValueError(
                f"{option_name(f.name)} is an option of --model "
                f"{' and '.join(models)}, not of {model}. Leave it out."
            )


def check_same(asked, config, run, way_out):
    """Raises a ValueError if options are not those of a run that is there.

    Args:
        asked: Dict from fields of `TrainConfig` to values.
        config: `TrainConfig` of that run.
        run: String, what is said of where it is.
        way_out: String, a sentence or more.
    """
    for name, value in asked.items():
        was = getattr(config, name)
        if value != was:
            raise ValueError(
                f"{option_name(name)} {value} does not fit {run}, which was started "
                f"with {was}. {way_out}"
            )


def check_share_by(config):
    """Raises a ValueError if a share of the oldest rows would be tested on the past."""
    if config.share_by == "time" and config.split != "time":
        raise ValueError(
            f"--share-by time with --split {config.split} would test on the past, "
            "having learned from the future. Take --split time."
        )


def check_new_run(config):
    """Raises a ValueError if options of a `TrainConfig` do not go together.

    Not asked of runs on disk: an arm of a scenario has the options of all arms.
    """
    if config.share_by == "time" and config.data_shares is None:
        raise ValueError(
            "--share-by time says which rows a share has, and there are no shares. "
            "Give --data-shares, such as 0:0.4,2:1, or leave it out."
        )
    check_share_by(config)
    if config.schedule == "none":
        for name in ("method", "top_blocks", "inherit", "optimizer_state"):
            value = getattr(config, name)
            if value != getattr(TrainConfig, name):
                raise ValueError(
                    f"{option_name(name)} {value} says how the net grows, and with "
                    "--schedule none it does not. Leave one of them out."
                )
    if config.best_of == "deepest" and config.patience is None:
        raise ValueError(
            "--best-of deepest says which epochs --patience has in mind. Give "
            "--patience, such as 5, or leave it out."
        )


def option_name(field_name):
    """Returns `"--num-blocks"` for `"num_blocks"`."""
    return "--" + field_name.replace("_", "-")


def _default_text(default):
    if default is None:
        return ""
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    return f" (default: {default})"


def _metavar(type):
    return {int: "N", float: "X", integers: "N,N,..."}.get(type, "NAME")
