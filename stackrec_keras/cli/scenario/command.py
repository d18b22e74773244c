"""The command: options in, arms trained, report out."""

import argparse
from pathlib import Path

from stackrec_keras.cli.options import add_options, typed_with_paths
from stackrec_keras.cli.scenario.arms import Arms
from stackrec_keras.cli.scenario.cl import ContinualLearning
from stackrec_keras.cli.scenario.tf import Transfer
from stackrec_keras.cli.scenario.ts import FasterTraining
from stackrec_keras.runs.config import TrainConfig, check_model_options

# One more scenario is one more class with what `FasterTraining` has, named here.
SCENARIOS = {s.name: s for s in (FasterTraining, ContinualLearning, Transfer)}

# Of `TrainConfig`, what a scenario decides itself or has an option of its own for.
_NOT_OPTIONS = (
    "num_blocks",
    "schedule",
    "epochs",
    "batch_size",
    "patience",
    "best_of",
    "max_seconds",
    "seed",
)
_FOLDER = """
The folder gets the table (scenario.md), all figures (scenario.json), validation quality
against wall-clock (scenario.png), and a run folder for each arm of each seed, as
`stackrec train` writes it. The same command again goes on with what was cut off: arms
that are finished are not run again."""


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
        scenario.name,
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
    add_options(parser, without=_NOT_OPTIONS + scenario.without)


def run(args):
    """Runs the command."""
    from stackrec_keras.cli.scenario.report import write_report

    _check_seeds(args.seeds)
    scenario = SCENARIOS[args.scenario](args, _typed(args))
    out = Path(args.out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file. Give a folder.")
    scenario.read()
    print(scenario.split)
    done = []
    for seed in args.seeds:
        arms = Arms(out, scenario.split, seed)
        scenario.train_arms(arms)
        done += arms.trained
        table = write_report(out, scenario.name, scenario.split, done)
    print(f"\n{table}\n\nFolder: {out}")


def _typed(args):
    typed = typed_with_paths(args)
    check_model_options(typed, typed.get("model", TrainConfig.model))
    return typed


def _check_seeds(seeds):
    if min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"--seeds {' '.join(map(str, seeds))} must be different numbers from 0 up."
        )
