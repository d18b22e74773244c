"""`stackrec scenario`: the experiments of StackRec's release as single commands."""

import argparse
from typing import NamedTuple

from stackrec_keras.cli.options import add_options
from stackrec_keras.experiments.continual import ContinualLearning
from stackrec_keras.experiments.experiment import run_experiment
from stackrec_keras.experiments.from_scratch import NOT_OPTIONS, FasterTraining
from stackrec_keras.experiments.stages import SCALE
from stackrec_keras.experiments.transfer import Transfer
from stackrec_keras.runs.config import integers

_TS = """\
Training from scratch, faster: a net that grows on all data, beside the deep net from
scratch for as many epochs, and the shallow net for as long.

At --scale 1 depths (8, 16 and 32 blocks: dilation count 4, 8, 16) and batch size are
the release's. Of its budgets (50, 100 and 200 thousand steps) the ratio 1:2:4 is kept;
the whole is 28 epochs.
"""
_CL = """\
Continual learning: a shallow net on a share of the training rows, stacked, then on all
of them, in one fit; beside the deep net from scratch on all rows for as many epochs,
and the shallow net on all rows for as long. The rows of a share are among those of
larger ones: random rows as in the release, or, with --share-by time, the oldest; then
the split is by time too, so that nothing is learned from the future.

At --scale 1 depths (16 and 32 blocks: dilation count 8, 16; sasrec and ssept 18 and 24,
the top 6 stacked), data ratio and batch size are the release's; stages have equal
epochs, 28 in all.
"""
_TF = """\
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
_FOLDER = """
The folder gets the table (scenario.md), all figures (scenario.json), validation quality
against wall-clock (scenario.png), and a run folder for each arm of each seed, as
`stackrec train` writes it. The same command again goes on with what was cut off: arms
that are finished are not run again."""


def _add_stage_options(parser):
    """Adds the options of `StageOptions`, and returns their group."""
    group = parser.add_argument_group("stages")

    def option(name, type, metavar, help):
        group.add_argument(
            name, type=type, metavar=metavar, help=help, default=argparse.SUPPRESS
        )

    group.add_argument(
        "--scale",
        type=float,
        default=SCALE,
        metavar="X",
        help="for a small machine: that share of the release's blocks and batch "
        "size, and of the epochs of full scale. 1 is the release's size (default: "
        f"{SCALE}). The options below go before it",
    )
    option("--stages", integers, "N,N,...", "blocks of each stage, however many")
    option("--shares", integers, "N,N,...", "length of each stage, in shares of epochs")
    option("--num-blocks", int, "N", "blocks of the first stage")
    option(
        "--dilation-count",
        int,
        "N",
        "nextitnet and grec: half the blocks of the first stage, as the release "
        "counts them",
    )
    option("--epochs", int, "N", "passes over the training rows, all stages together")
    option("--batch-size", int, "N", "rows a batch")
    return group


def _add_continual_options(parser):
    _add_stage_options(parser).add_argument(
        "--data-ratio",
        type=_decimals,
        default=argparse.SUPPRESS,
        metavar="X,X,...",
        help="share of the training rows in each stage but the last, which has "
        f"all (default: {ContinualLearning.own['data_ratio'][0]})",
    )


def _add_transfer_options(parser):
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
    _add_stage_options(parser)


def _decimals(text):
    return tuple(float(part) for part in text.split(","))


class _Scenario(NamedTuple):
    """What the command line says of an experiment, and its own options."""

    experiment: type[FasterTraining]
    help: str
    description: str
    add_options: object


# One more scenario is one more class with what `FasterTraining` has, named here.
SCENARIOS = {
    scenario.experiment.name: scenario
    for scenario in (
        _Scenario(
            FasterTraining,
            "training from scratch, faster: all data at every stage",
            _TS,
            _add_stage_options,
        ),
        _Scenario(
            ContinualLearning,
            "continual learning: a share of the data at first, all of it at last",
            _CL,
            _add_continual_options,
        ),
        _Scenario(
            Transfer,
            "transfer: pre-training on one catalogue, fine-tuning on another",
            _TF,
            _add_transfer_options,
        ),
    )
}


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "scenario",
        help="run an experiment of StackRec's release: a net that grows against others",
        description="Train a net that grows beside others on the same rows, and say "
        "in one table what each is worth and how long it took.",
        epilog="Example: stackrec scenario ts --data ml-1m --out runs/ts --seeds 0 1 2",
    )
    scenarios = parser.add_subparsers(
        dest="scenario", metavar="SCENARIO", required=True
    )
    for scenario in SCENARIOS.values():
        _add_scenario(scenarios, scenario)
    return parser


def _add_scenario(scenarios, scenario):
    parser = scenarios.add_parser(
        scenario.experiment.name,
        help=scenario.help,
        description=scenario.description + _FOLDER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser)  # whose options an error may name
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="the folder to write"
    )
    parser.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        default=[0],
        metavar="N",
        help="of weights, order of rows, new blocks: with several, the table has mean "
        "and spread (default: 0)",
    )
    scenario.add_options(parser)
    add_options(parser, without=NOT_OPTIONS + scenario.experiment.without)


def run(args):
    """Runs the command."""
    kind = SCENARIOS[args.scenario].experiment
    found = run_experiment(kind, args.out, args.seeds, asked_options(args))
    print(f"\n{found}")


def asked_options(args):
    """Returns the options of an experiment among the parsed arguments."""
    names = SCENARIOS[args.scenario].experiment.takes()
    return {name: getattr(args, name) for name in names if hasattr(args, name)}
