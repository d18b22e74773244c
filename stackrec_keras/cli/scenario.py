"""`stackrec scenario`: the experiments of StackRec's reference implementation."""

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
Train a deep model from scratch, faster: train a model that grows, on all data. For
comparison, train the deep model from scratch for the same number of epochs, and the
shallow model for the same time.

At --scale 1, depths (8, 16 and 32 blocks: dilation count 4, 8, 16) and batch size are
those of StackRec's reference implementation. It trains the stages for 50, 100 and 200
thousand steps; here they have the same ratio, 1:2:4, and 28 epochs in all.
"""
_CL = """\
Learn continually: train a shallow model on a fraction of the training rows, stack it,
and train it on all of them, in one fit. For comparison, train the deep model from
scratch on all rows for the same number of epochs, and the shallow model on all rows for
the same time. Also train the shallow model on the same rows as the stacked one, for the
same time, without stacking it: it shows whether growing pays when more rows arrive.
Seconds are also counted from the arrival of the last rows. Each fraction includes the
rows of the smaller ones. They are random rows, as in StackRec's reference
implementation, or, with --share-by time, the oldest. In that case the split is by time
too, so that nothing is learned from the future.

At --scale 1, depths, data ratio and batch size are those of the reference
implementation: 16 and 32 blocks (dilation count 8, 16) or, for sasrec and ssept, 18 and
24 blocks (the top 6 are copied). All stages are equally long, with 28 epochs in all.
"""
_TF = """\
Transfer: train a model that grows while it is pre-trained on source items, then
fine-tune it on target items. For comparison, pre-train the deep model from scratch for
the same number of epochs, pre-train and fine-tune the shallow model for the same time,
and train the deep model without pre-training. Quality is measured on the target items,
and times include pre-training.

At --scale 1, depths (8 and 16 blocks: dilation count 4, 8) and batch sizes are those of
StackRec's reference implementation. Pre-training takes 28 epochs, and its second stage
is twice as long as its first. Fine-tuning takes 8. The split is by user, so that no
user's rows are in two parts. The table has ranks among all target items, and, as in the
reference implementation, among 99 random ones.
"""
_FOLDER = """
The folder gets the tables (scenario.md), all figures (scenario.json), validation
quality against wall-clock time (scenario.png), and a run folder for each arm of each
seed, as `stackrec train` writes it. The same command continues an interrupted
experiment; arms that are finished are not run again."""


def _add_stage_options(parser):
    """Adds the options of `StageOptions`, and returns the group of options."""
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
        help="fraction of the reference implementation's blocks, batch size and "
        f"epochs to use (default: {SCALE}); the options below override it",
    )
    option("--stages", integers, "N,N,...", "blocks of each stage, at least two stages")
    option("--shares", integers, "N,N,...", "relative lengths of the stages")
    option("--num-blocks", int, "N", "blocks of the first stage")
    option(
        "--dilation-count",
        int,
        "N",
        "nextitnet and grec: half the number of blocks of the first stage, which is "
        "how the reference implementation gives the depth",
    )
    option("--epochs", int, "N", "passes over the training rows, all stages together")
    option("--batch-size", int, "N", "rows per batch")
    return group


def _add_continual_options(parser):
    _add_stage_options(parser).add_argument(
        "--data-ratio",
        type=_decimals,
        default=argparse.SUPPRESS,
        metavar="X,X,...",
        help="fraction of the training rows in each stage but the last, which has "
        f"all (default: {ContinualLearning.own['data_ratio'][0]})",
    )


def _add_transfer_options(parser):
    group = parser.add_argument_group("transfer")
    group.add_argument(
        "--source",
        required=True,
        metavar="FILE",
        help="a file with one sequence of source items per row, to pre-train on",
    )
    group.add_argument(
        "--data",
        required=True,
        metavar="FILE",
        help="a file with rows of `source ids,,target ids`, to fine-tune on",
    )
    group.add_argument(
        "--target-loss",
        default="full_softmax",
        choices=("full_softmax", "binary_cross_entropy"),
        help="loss of fine-tuning; binary_cross_entropy is the reference's, with one "
        "random negative and L2(0.01) on the target items (default: full_softmax)",
    )
    for name, help in (
        ("--target-epochs", "number of epochs of fine-tuning"),
        ("--target-batch-size", "rows per batch in fine-tuning"),
    ):
        group.add_argument(name, type=int, metavar="N", help=help)
    _add_stage_options(parser)


def _decimals(text):
    return tuple(float(part) for part in text.split(","))


class _Scenario(NamedTuple):
    """An experiment's texts and options on the command line."""

    experiment: type[FasterTraining]
    help: str
    description: str
    add_options: object


# To add a scenario, list a class here that has the methods of `FasterTraining`.
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
            "continual learning: first a fraction of the data, then all of it",
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
    parser = subparsers.add_parser(
        "scenario",
        help="run an experiment of StackRec's reference implementation",
        description="Train a model that grows, and others on the same rows, and "
        "compare their quality and training time.",
        epilog="Example: stackrec scenario ts --data ml-1m --out runs/ts --seeds 0 1 2",
    )
    scenarios = parser.add_subparsers(
        dest="scenario", metavar="SCENARIO", required=True
    )
    for name, scenario in SCENARIOS.items():
        one = scenarios.add_parser(
            name,
            help=scenario.help,
            description=scenario.description + _FOLDER,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(parser=one)  # so that errors can name the options
        one.add_argument(
            "--out", required=True, metavar="FOLDER", help="the folder to write"
        )
        one.add_argument(
            "--seeds",
            type=int,
            nargs="+",
            default=[0],
            metavar="N",
            help="seeds of the weights, the row order and the new blocks; with several "
            "seeds, the tables show mean and standard deviation (default: 0)",
        )
        scenario.add_options(one)
        add_options(one, without=NOT_OPTIONS + scenario.experiment.without)
    return parser


def run(args):
    kind = SCENARIOS[args.scenario].experiment
    print(f"\n{run_experiment(kind, args.out, args.seeds, asked_options(args))}")


def asked_options(args):
    """Returns the parsed arguments that are options of an experiment."""
    names = SCENARIOS[args.scenario].experiment.takes()
    return {name: getattr(args, name) for name in names if hasattr(args, name)}
