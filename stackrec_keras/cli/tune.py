"""`stackrec tune`: searches for the best way to grow a model."""

import argparse
from dataclasses import replace

from stackrec_keras.cli.options import add_options, add_out_options, typed_options
from stackrec_keras.experiments.search_config import (
    DEFAULT_TRIALS,
    NOT_OURS,
    OBJECTIVES,
    TUNERS,
    TuneConfig,
)
from stackrec_keras.experiments.search_folder import SearchFolder
from stackrec_keras.runs.config import MONITOR, TrainConfig, option_name
from stackrec_keras.runs.log_source import absolute_paths
from stackrec_keras.runs.option_checks import check_model_options

_DESCRIPTION = """\
Search for the best way to grow a recommender. The best trial becomes a run folder, like
that of `stackrec train`. The folder also has all trials (trials.csv), and their quality
against time (quality_vs_time.png)."""

_SPACE = {
    "start_blocks": "number of blocks at the start",
    "growths": "number of times the depth doubles",
    "method": "stacking method",
    "stage_ratio": "length of each stage relative to the one before",
    "first_data_share": "fraction of the training rows in the first stage; rises to 1",
    "inherit": "weights that the deeper model inherits: all, all_but_gates, paper",
    "optimizer_state": "the optimizer's state when the model grows: carry, reset",
    "learning_rate": "learning rate of Adam",
    "batch_size": "rows per batch",
    "width": "width of the item embeddings",
    "dropout": "sasrec and ssept: fraction of units to drop in training",
    "training_loss": "full_softmax, sampled_softmax, gbce",
}


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "tune",
        help="search for the best way to grow a model, and write a run folder",
        description=_DESCRIPTION,
        epilog="Example: stackrec tune --data clicks.csv --out runs/search --trials 20 "
        "--growths 0,1,2 --learning-rate 0.001:0.01 --width 64",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_out_options(parser, "search")
    _add_search_options(parser)
    add_options(parser, without=NOT_OURS)
    return parser


def run(args):
    folder = SearchFolder(args.out)
    if not (args.resume or args.overwrite):
        folder.check_free()
    config = _configuration(args, folder)
    from stackrec_keras.experiments.search import tune

    print(f"\n{tune(config, args.out, args.resume, args.overwrite)}")


def _add_search_options(parser):
    group = parser.add_argument_group("search", argument_default=argparse.SUPPRESS)
    add = group.add_argument
    add("--tuner", choices=TUNERS, help="(default: random)")
    add(
        "--trials",
        type=int,
        metavar="N",
        help=f"maximum number of trials (default: {DEFAULT_TRIALS}, or the whole grid; "
        "not for hyperband, which derives the number from --epochs)",
    )
    add(
        "--objective",
        choices=OBJECTIVES,
        help=f"quality: {MONITOR}; time: seconds until {MONITOR} reaches --target; "
        f"both: {MONITOR} within --time-budget (default: quality)",
    )
    add("--target", type=float, metavar="X", help=f"a value of {MONITOR}")
    limit = "time after which a trial ends"
    add("--time-budget", type=float, metavar="SECONDS", help=limit)
    space = parser.add_argument_group(
        "space",
        "each takes a value, several values (4,8) or a range (0.001:0.01)",
        argument_default=argparse.SUPPRESS,
    )
    for name, help in _SPACE.items():
        space.add_argument(option_name(name), metavar="VALUES", help=help)


def _configuration(args, folder):
    typed = absolute_paths(typed_options(args))
    # Some options of `stackrec train` are part of the space here.
    typed = {name: typed[name] for name in typed if name not in NOT_OURS}
    space = {name: getattr(args, name) for name in _SPACE if hasattr(args, name)}
    names = ("tuner", "trials", "objective", "target", "time_budget")
    search = {name: getattr(args, name) for name in names if hasattr(args, name)}
    config = TuneConfig(TrainConfig())
    if args.resume and folder.search_config.exists():
        config = TuneConfig.from_json(folder.read("search_config"))
    train = replace(config.train, **typed)
    check_model_options(typed, train.model)
    return replace(config, train=train, space={**config.space, **space}, **search)
