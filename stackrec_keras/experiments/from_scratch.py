"""TS: training a deep model from scratch, faster."""

from collections.abc import Sequence
from dataclasses import fields, replace
from os import PathLike
from typing import Any

from stackrec_keras.experiments.experiment import Experiment, run_experiment
from stackrec_keras.experiments.stages import (
    Release,
    StageOptions,
    read_stages,
    scaled_batch_size,
)
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.log_source import absolute_paths
from stackrec_keras.runs.option_checks import check_model_options

# The fields of `TrainConfig` that an experiment sets itself or has its own option for.
NOT_OPTIONS = (
    *("num_blocks", "schedule", "epochs", "batch_size"),
    *("patience", "best_of", "max_seconds", "seed", "warmup", "decay"),
)
_RELEASE = Release(blocks=8, count=3, ratio=2, epochs=28)


class FasterTraining:
    """Trains the stacked model on all data at every stage.

    Args:
        options: Dict from the names in `takes()` to values.

    Attributes:
        config: The `TrainConfig` from which each arm's `TrainConfig` is derived.
        stages: `Stages` of the stacked model.
        split: The training and test data of all arms, once `read` has been called.
    """

    name = "ts"
    # The fields of `TrainConfig` that are not options here.
    without: tuple[str, ...] = ("data_shares", "share_by")
    # Options that neither `StageOptions` nor `TrainConfig` has, with their defaults.
    own: dict[str, Any] = {}

    def __init__(self, options):
        from stackrec_keras.runs.growth_options import stacking_callback

        self.options = {**self.own, **options}
        train = _only(options, self.train_options())
        model = train.get("model", TrainConfig.model)
        check_model_options(train, model)
        config = TrainConfig(**{**absolute_paths(train), **self._fixed()})
        stages = StageOptions(**_only(options, _names(StageOptions)))
        self.stages = self._read_stages(stages, model)
        self.config = replace(config, batch_size=scaled_batch_size(stages, model))
        # Invalid options fail here, before the data are read.
        stacking_callback(self.stages.of(self.config))
        self.split = None

    @classmethod
    def takes(cls):
        """Returns the names of all options."""
        return list(
            dict.fromkeys([*cls.own, *_names(StageOptions), *cls.train_options()])
        )

    @classmethod
    def train_options(cls):
        """Returns the fields of `TrainConfig` that are options."""
        return [n for n in _names(TrainConfig) if n not in NOT_OPTIONS + cls.without]

    def _fixed(self):
        """Returns the fields of `TrainConfig` that the experiment sets."""
        return {}

    def _read_stages(self, options, model):
        return read_stages(options, model, _RELEASE)

    def read(self):
        """Reads the data."""
        from stackrec_keras.runs.split_recipe import make_split

        self.split = make_split(self.config)

    def train_arms(self, arms):
        """Trains the `Arms` of one seed, and returns the stacked `Arm`."""
        config, stages = self.config, self.stages
        stacked = arms.train("stacked", stages.of(config))
        arms.train("from scratch", stages.deep(config))
        arms.train("shallow, as long", stages.shallow(config, stacked.seconds))
        return stacked


def from_scratch(
    out: str | PathLike, seeds: Sequence[int] = (0,), **options
) -> Experiment:
    """Trains a deep model from scratch, faster, as `stackrec scenario ts` does.

    Trains a model that grows, on all data. For comparison, it trains the deep model
    from scratch for the same number of epochs, and the shallow model for the same time.
    After an interruption, call it again to continue.

    Args:
        out: The folder to write.
        seeds: Sequence of integers. Defaults to `(0,)`.
        **options: The command's options, with `_` instead of `-`. `scale`, `stages`,
            `shares`, `epochs` and others set how the model grows. The rest are fields
            of `TrainConfig`, such as `data`, `model` and `method`.

    Returns:
        An `Experiment`.

    Raises:
        ArgumentError: If the options do not go together, or differ from those of the
            runs in the folder.

    Example:

    ```python
    found = sr.experiments.from_scratch("runs/ts", data="ml-1m", stages=(4, 8, 16))
    print(found)
    ```
    """
    return run_experiment(FasterTraining, out, seeds, options)


def _names(kind):
    return [f.name for f in fields(kind)]


def _only(options, names):
    return {name: options[name] for name in names if name in options}
