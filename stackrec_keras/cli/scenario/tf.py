"""TF: transfer, from the items of one platform to those of another."""

import os
from dataclasses import replace

from stackrec_keras.cli.scenario.arms import earlier_rows, stages_of
from stackrec_keras.cli.scenario.fine_tuning import FineTuning
from stackrec_keras.cli.scenario.stages import (
    Release,
    add_stage_options,
    read_stages,
    scaled,
)
from stackrec_keras.cli.scenario.ts import FasterTraining
from stackrec_keras.runs.callbacks.history_file import read_rows
from stackrec_keras.runs.split_recipe import TRANSFER

_RELEASE = Release(blocks=8, count=2, ratio=2, epochs=28)
_EPOCHS, _BATCH_SIZE, _LENGTH = 8, 512, 50
_NEGATIVES = 99  # of the sampled metrics, which need more target items than that


class Transfer(FasterTraining):
    """Pre-training on source items, fine-tuning on target items. See
    `FasterTraining`."""

    name = "tf"
    help = "transfer: pre-training on one catalogue, fine-tuning on another"
    description = """\
Transfer: a net that grows while it is pre-trained on source items and is then
fine-tuned on target items, beside the deep net pre-trained from scratch for as many
epochs, the shallow net pre-trained and fine-tuned for as long, and the deep net without
pre-training.
Quality and times to reach it are those of the target items; pre-training counts.

At --scale 1 depths (8 and 16 blocks: dilation count 4, 8) and batch sizes are the
release's; the second stage is twice as long as the first, 28 epochs in all, and 8 of
fine-tuning. Users, not rows, are split, so that none stands on two sides. Beside the
ranks among all target items the table has the release's: among 99 random ones.
"""
    without = (
        *("data", "data_shares", "share_by"),
        *("sequences", "user_column", "user", "item", "timestamp", "split"),
    )

    def __init__(self, args, typed):
        if typed.get("model") == "ssept":
            raise ValueError(
                "--model ssept learns a vector for each user, and the users of "
                "--source are not those of --data. Give another model."
            )
        self.pairs = os.path.abspath(args.data)
        source = {"data": os.path.abspath(args.source), "sequences": True}
        super().__init__(args, {"length": _LENGTH, **typed, **source})
        self.target = replace(
            self.config,
            data=self.pairs,
            sequences=False,
            split=TRANSFER,
            schedule="none",
            epochs=_typed_or(args.target_epochs, _EPOCHS, args.scale),
            batch_size=_typed_or(args.target_batch_size, _BATCH_SIZE, args.scale),
            loss=args.target_loss,
            load_model=None,
            top_blocks=None,
        )
        self.source_split = None

    @staticmethod
    def add_options(parser):
        group = parser.add_argument_group("transfer")
        group.add_argument(
            "--source",
            required=True,
            metavar="FILE",
            help="a sequence of source items a row, to pre-train on",
        )
        group.add_argument(
            "--data",
            required=True,
            metavar="FILE",
            help="rows of `source ids,,target ids`, to fine-tune on",
        )
        group.add_argument(
            "--target-loss",
            default="full_softmax",
            choices=("full_softmax", "binary_cross_entropy"),
            help="of fine-tuning; binary_cross_entropy is the release's, with one "
            "random negative and L2(0.01) of the target items (default: full_softmax)",
        )
        for name, help in (
            ("--target-epochs", "epochs of fine-tuning"),
            ("--target-batch-size", "rows a batch in fine-tuning"),
        ):
            group.add_argument(name, type=int, metavar="N", help=help)
        add_stage_options(parser)

    def _read_stages(self, args, model):
        return read_stages(args, model, _RELEASE)

    def read(self):
        from stackrec_keras.data import read_transfer
        from stackrec_keras.runs.split_recipe import make_split

        config = self.config
        self.source_split = make_split(config)
        print(f"Source: {self.source_split}")
        vocabulary = self.source_split.vocabulary
        # As long as what the model reads in pre-training.
        pairs = read_transfer(self.pairs, vocabulary, length=config.length - 1)
        self.split = pairs.split(seed=config.split_seed)
        if self.split.num_targets <= _NEGATIVES + 1:
            raise ValueError(
                f"--data {self.pairs} has {self.split.num_targets} target items, and "
                f"each is ranked among {_NEGATIVES} others. Give more."
            )

    def train_arms(self, arms):
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

    def _transfer(self, arms, name, source, target):
        """Trains an arm in two runs."""
        from stackrec_keras.runs.training import train_split

        before = arms.run(f"{name}/source", source, self.source_split, train_split)
        fine_tune = FineTuning(self.source_split, before)
        folder = arms.run(f"{name}/target", target, self.split, fine_tune)
        rows = earlier_rows(source) + read_rows(before.history)
        return arms.add(name, folder, before=stages_of(rows, "source"), task="target")


def _typed_or(typed, release, scale):
    return scaled(release, scale) if typed is None else typed
