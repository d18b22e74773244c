"""TF: transfer, from the items of one platform to those of another."""

import os
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

from stackrec_keras.arguments import check_integer
from stackrec_keras.errors import ArgumentError
from stackrec_keras.experiments.experiment import Experiment, run_experiment
from stackrec_keras.experiments.from_scratch import FasterTraining
from stackrec_keras.experiments.stages import SCALE, Release, read_stages, scaled
from stackrec_keras.runs.config import TRANSFER
from stackrec_keras.wording import counted

_RELEASE = Release(blocks=8, count=2, ratio=2, epochs=28)
_EPOCHS, _BATCH_SIZE, _LENGTH = 8, 512, 50
_NEGATIVES = 99  # sampled per target; there must be more target items


class Transfer(FasterTraining):
    """Pre-training on source items, fine-tuning on target items. See
    `FasterTraining`."""

    name = "tf"
    without = (
        *("data", "data_shares", "share_by"),
        *("sequences", "user_column", "user", "item", "timestamp", "split"),
    )
    own = {
        **dict.fromkeys(("data", "source", "target_epochs", "target_batch_size")),
        "target_loss": "full_softmax",
    }

    def __init__(self, options):
        if options.get("model") == "ssept":
            raise ArgumentError(
                "model",
                "learns a vector for each user, but the source file has no user ids",
                "Give another model.",
                "ssept",
            )
        for name in ("source", "data"):
            if options.get(name) is None:
                raise ArgumentError(name, "is missing", "Give a file.")
        for name in ("target_epochs", "target_batch_size"):
            if options.get(name) is not None:
                check_integer(name, options[name], least=1)
        self.pairs = os.path.abspath(options["data"])
        super().__init__({"length": _LENGTH, **options})
        scale = options.get("scale", SCALE)
        epochs = self.options["target_epochs"]
        batch_size = self.options["target_batch_size"]
        self.target = replace(
            self.config,
            data=self.pairs,
            sequences=False,
            split=TRANSFER,
            schedule="none",
            epochs=_asked_or(epochs, _EPOCHS, scale),
            batch_size=_asked_or(batch_size, _BATCH_SIZE, scale),
            loss=self.options["target_loss"],
            **dict.fromkeys(("num_negatives", "negatives_per", "t")),
            load_model=None,
            top_blocks=None,
        )
        self.source_split = None

    def _fixed(self):
        return {"data": os.path.abspath(self.options["source"]), "sequences": True}

    def _read_stages(self, options, model):
        return read_stages(options, model, _RELEASE)

    def read(self):
        from stackrec_keras.data import read_transfer
        from stackrec_keras.runs.split_recipe import make_split

        config = self.config
        self.source_split = make_split(config)
        print(f"Source: {self.source_split}")
        vocabulary = self.source_split.vocabulary
        # As in pre-training: `config.length` counts the target, the inputs lack it.
        pairs = read_transfer(self.pairs, vocabulary, length=config.length - 1)
        self.split = pairs.split(seed=config.split_seed)
        if self.split.num_targets <= _NEGATIVES:
            raise ArgumentError(
                "data",
                f"has {counted(self.split.num_targets, 'target item')}, but needs at "
                f"least {_NEGATIVES + 1}, because each is ranked among {_NEGATIVES} "
                "others",
                "Give a file with more items.",
                self.pairs,
            )

    def train_arms(self, arms):
        from stackrec_keras.experiments.fine_tuning import FineTuning

        config, stages, target = self.config, self.stages, self.target
        deep = replace(target, num_blocks=stages.depths[-1])
        stacked = self._transfer(arms, "stacked", stages.of(config), deep)
        self._transfer(arms, "from scratch", stages.deep(config), deep)
        fine_tuning = stacked.stages[-1].seconds
        self._transfer(
            arms,
            "shallow, as long",
            stages.shallow(config, round(stacked.seconds - fine_tuning, 3)),
            stages.shallow(target, fine_tuning),
        )
        fine_tune = FineTuning(self.source_split)
        folder = arms.run("no pre-training", deep, self.split, fine_tune)
        arms.add("no pre-training", folder, task="target")
        return stacked

    def _transfer(self, arms, name, source, target):
        """Trains an arm in two runs, pre-training and fine-tuning."""
        from stackrec_keras.experiments.arms import earlier_rows, stages_of
        from stackrec_keras.experiments.fine_tuning import FineTuning
        from stackrec_keras.runs.callbacks.history_file import read_rows
        from stackrec_keras.runs.training import train_split

        before = arms.run(f"{name}/source", source, self.source_split, train_split)
        fine_tune = FineTuning(self.source_split, before)
        folder = arms.run(f"{name}/target", target, self.split, fine_tune)
        rows = earlier_rows(source) + read_rows(before.history)
        return arms.add(name, folder, before=stages_of(rows, "source"), task="target")


def _asked_or(asked, release, scale):
    return scaled(release, scale) if asked is None else asked


def transfer(
    source: str | PathLike,
    data: str | PathLike,
    out: str | PathLike,
    seeds: Sequence[int] = (0,),
    **options,
) -> Experiment:
    """Transfers a model to a second catalogue, as `stackrec scenario tf` does.

    Trains a model that grows during pre-training on source items, and fine-tunes it on
    target items. For comparison, it does the same with a model that is deep from the
    start and with a shallow one, and trains a deep model without pre-training.

    Args:
        source: A file with one sequence of source items per row, to pre-train on.
        data: A file with rows of `source ids,,target ids`, to fine-tune on.
        out: The folder to write.
        seeds: Sequence of integers. Defaults to `(0,)`.
        **options: The options of `from_scratch` and, for fine-tuning, `target_loss`,
            `target_epochs` and `target_batch_size`.

    Returns:
        An `Experiment`.

    Raises:
        ArgumentError: If the options do not go together, or differ from those of the
            runs in the folder.
    """
    options = {"source": source, "data": data, **options}
    return run_experiment(Transfer, out, seeds, options)
