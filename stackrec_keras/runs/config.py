"""The configuration of a training run: every option, its default and its help."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from stackrec_keras.arguments import check_choice, check_fraction, check_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.data_checks import check_leave_one_out, check_sequences
from stackrec_keras.runs.data_options import TRANSFER as TRANSFER
from stackrec_keras.runs.data_options import DataOptions
from stackrec_keras.runs.feature_options import FeatureOptions
from stackrec_keras.runs.model_options import ModelOptions
from stackrec_keras.runs.option_kinds import KINDS, number, option
from stackrec_keras.runs.option_kinds import integers as integers

# The metric by which runs compare epochs.
MONITOR = "val_mrr@5"
# The options that may change when a model grows on a newer log.
GROW_OPTIONS = (
    *("data", "user", "item", "timestamp", "method", "top_blocks", "inherit"),
    "item_features",
    *("optimizer_state", "epochs", "batch_size", "learning_rate", "warmup"),
    *("decay", "patience", "seed", "devices"),
)
SAMPLED = ("sampled_softmax", "gbce", "binary_cross_entropy")

_LEAST = {
    **dict.fromkeys(("num_blocks", "embedding_dim", "kernel_size", "epochs"), 1),
    **dict.fromkeys(("batch_size", "patience", "top_blocks", "num_heads"), 1),
    **dict.fromkeys(("qk_dim", "v_dim", "expansion"), 1),
    **dict.fromkeys(("seed", "split_seed"), 0),
    "min_count": 1,
    "devices": 1,
    "length": 2,
}


@dataclass(frozen=True)
class TrainConfig(FeatureOptions, ModelOptions, DataOptions):
    """The options of a training run, the same as those of `stackrec train`.

    `stackrec train --help` lists them with their defaults. A run folder holds them in
    `config.json`.

    Raises:
        ArgumentError: If a value is out of range, or options do not go together.

    Example:

    ```python
    config = sr.runs.TrainConfig(data="log.csv", model="sasrec", schedule="2:8,5:16")
    run = sr.runs.train(config, "runs/a")
    ```
    """

    method: str = option(
        "growth",
        "stackC",
        "stacking method: stackC, stackA, stackR, stackE, from_scratch, ...",
    )
    schedule: str = option(
        "growth",
        "doubling",
        "when to grow: 'doubling' (twice, after 1/7 and 3/7 of the epochs), "
        "'EPOCH:BLOCKS,...' such as 2:8,5:16 (epochs count from 0), 'plateau' (when "
        f"{MONITOR} stops rising), 'look_ahead' (as long as a trial of more blocks "
        "lowers val_loss), or 'none'",
        metavar="SCHEDULE",
    )
    data_shares: str | None = option(
        "growth",
        None,
        "'EPOCH:FRACTION,...', such as 0:0.4,2:1: the fraction of the training rows to "
        "use from each epoch on (only with an EPOCH:BLOCKS schedule, or 'none'); later "
        "fractions include the rows of earlier ones",
        metavar="SHARES",
    )
    share_by: str = option(
        "growth",
        "random",
        "which rows make up a fraction of --data-shares: random ones, or the oldest",
        choices=("random", "time"),
    )
    top_blocks: int | None = option(
        "growth", None, "stack only this many of the top blocks", int
    )
    inherit: str = option(
        "growth",
        "all",
        "which weights the deeper model inherits: all that it can, all but the gates "
        "(which restart at 0), or those of StackRec's reference implementation",
        choices=("all", "all_but_gates", "paper"),
    )
    optimizer_state: str = option(
        "growth",
        "reset",
        "what to do with the optimizer's state when the model grows",
        choices=("carry", "reset"),
    )

    epochs: int = option("training", 10, "passes over the training rows", int)
    batch_size: int = option("training", 256, "rows per batch", int)
    learning_rate: float = option("training", 1e-3, "learning rate of Adam", float)
    warmup: float = option(
        "training",
        0.0,
        "fraction of the steps, at the start, over which the learning rate rises",
        float,
    )
    decay: float = option(
        "training",
        0.0,
        "fraction of the steps, at the end, over which the learning rate falls to 0",
        float,
    )
    loss: str = option(
        "training",
        "full_softmax",
        "training loss",
        choices=("full_softmax", "sampled_softmax", "gbce"),
        also=("binary_cross_entropy",),  # in transfer only
    )
    num_negatives: int | float | None = option(
        "training",
        None,
        "negatives to draw: a count, such as 256, or a fraction of the items, such as "
        "0.2 (default: 0.2 for sampled_softmax, 256 for gbce)",
        number,
        losses=SAMPLED,
    )
    negatives_per: str | None = option(
        "training",
        None,
        "which positions share negatives: all of a batch, all of a row, or none "
        "(default: batch for sampled_softmax, row for gbce)",
        choices=("batch", "row", "position"),
        losses=SAMPLED,
    )
    t: float | None = option(
        "training",
        None,
        "calibration, from 0 (plain cross-entropy) to 1 (default: 0.75)",
        float,
        losses=("gbce",),
    )
    exclude_seen: bool = option(
        "training",
        False,
        "exclude the items of the history from the ranking in validation and test, as "
        "`stackrec recommend` does",
        type=bool,
    )
    patience: int | None = option(
        "training",
        None,
        f"stop after this many epochs without a better {MONITOR}, and keep the best "
        "epoch's weights",
        int,
        metavar="EPOCHS",
    )
    best_of: str = option(
        "training",
        "all",
        "which epochs --patience compares: all, or only those of the last depth",
        choices=("all", "deepest"),
    )
    max_seconds: float | None = option(
        "training",
        None,
        "stop at the end of the epoch in which training exceeds this time",
        float,
        metavar="SECONDS",
    )
    load_model: str | None = option(
        "training",
        None,
        "start from the trained model of this run folder, whose run must have had the "
        "same split; the optimizer starts fresh",
        metavar="FOLDER",
    )
    group_by_length: bool = option(
        "training",
        False,
        "read rows of similar length together and cut off their common padding, which "
        "saves time if many rows are short (hstu, esasrec, or --padding-mask)",
        bool,
    )
    seed: int = option(
        "training", 0, "seed of weights, order of rows and new blocks", int
    )
    devices: int | None = option(
        "training",
        None,
        "how many devices share each batch (JAX and TensorFlow; default: one)",
        int,
    )
    jit: str = option(
        "training", "auto", "XLA compilation", choices=("auto", "on", "off")
    )

    def __post_init__(self):
        for f in fields(self):
            if getattr(self, f.name) is not None or f.default is not None:
                self._check_kind(f.name, f.metadata)
        for name, least in _LEAST.items():
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), least)
        for name in ("warmup", "decay"):
            check_fraction(**{name: getattr(self, name)})
        for name in ("max_seconds", "learning_rate", "temperature"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ArgumentError(name, "must be above 0", received=value)
        if not self.dilations or min(self.dilations) < 1:
            reason = "must be integers of at least 1, such as 1,4"
            raise ArgumentError("dilations", reason, received=self.dilations)
        check_leave_one_out(self)
        if self.sequences:
            check_sequences(self)
        elif self.user_column:
            raise ArgumentError(
                "user_column",
                f"says how the rows of a sequence file begin, but {self.data} is a log",
                "Name the log's column of user ids instead.",
                True,
                "Name the log's column of user ids: --user COLUMN.",
            )
        if self.reads_times and (self.sequences or self.timestamp == "none"):
            raise ArgumentError(
                "time_bias",
                f"needs the time of each event, but {self.data} is read without times",
                "Turn it off (--no-time-bias, time_bias=False), or give a log with a "
                "column of times.",
                self.time_bias,
            )

    @property
    def reads_times(self) -> bool:
        """Boolean, whether the model uses the times of events."""
        return self.model == "hstu" and self.time_bias

    def to_json(self) -> dict[str, Any]:
        """Returns a dict that JSON can hold."""
        return {**asdict(self), "dilations": list(self.dilations)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TrainConfig":
        """Restores a configuration from the dict that `to_json` returned."""
        unknown = sorted(set(values) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(
                f"config.json has {', '.join(unknown)}, which this version of "
                "stackrec-keras does not know. Use the version in environment.json."
            )
        return cls(**{**values, "dilations": tuple(values["dilations"])})

    def _check_kind(self, name, option):
        """Checks a value's type and converts it to one that JSON can hold."""
        value = getattr(self, name)
        kind, said = KINDS[option["type"]]
        try:
            object.__setattr__(self, name, kind(value))
        except TypeError:
            raise ArgumentError(name, f"must be {said}", received=value) from None
        if "choices" in option and value not in option.get("also", ()):
            check_choice(name, value, option["choices"])


def options_of(model):
    """Returns the names of the options that set arguments of an architecture."""
    return [
        f.name
        for f in fields(TrainConfig)
        if f.metadata["group"] == "model"
        and model in f.metadata.get("models", (model,))
    ]


def option_name(field_name):
    """Returns `"--num-blocks"` for `"num_blocks"`."""
    return "--" + field_name.replace("_", "-")
