"""`stackrec tune`: from a log to the schedule that suits it."""

import argparse
from dataclasses import replace

from stackrec_keras.cli.options import add_options, add_out_options, typed_with_paths
from stackrec_keras.cli.train import print_finished
from stackrec_keras.experiments.search_config import (
    DEFAULT_TRIALS,
    NOT_OURS,
    OBJECTIVES,
    TUNERS,
    TuneConfig,
)
from stackrec_keras.experiments.search_folder import SearchFolder
from stackrec_keras.runs.config import TrainConfig, check_model_options, option_name

_DESCRIPTION = """\
Search how a recommender is to grow, and write a run folder of the best trial, as
`stackrec train` does (config.json is what trains it again), with all trials
(trials.csv) and their quality against time (quality_vs_time.png) in it."""

_SPACE = {
    "start_blocks": "blocks to start with",
    "growths": "how many times the depth doubles",
    "method": "stacking method",
    "stage_ratio": "length of each stage relative to the one before",
    "first_data_share": "share of the training rows in the first stage; it rises to 1",
    "inherit": "what a growth carries over: all, all_but_gates, paper",
    "optimizer_state": "what becomes of the optimizer's state: carry, reset",
    "learning_rate": "of Adam",
    "batch_size": "rows a batch",
    "width": "width of item embeddings",
    "dropout": "sasrec and ssept: share of units dropped in training",
    "training_loss": "full_softmax, sampled_softmax, gbce",
}


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "tune",
        help="search how a model is to grow, and write a run folder",
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
    """Runs the command."""
    folder = SearchFolder(args.out)
    if not (args.resume or args.overwrite):
        folder.check_free()
    config = _configuration(args, folder)
    if args.resume and folder.is_finished:
        print_finished(folder, "search")
        return
    from stackrec_keras.experiments.search import tune

    print(f"\n{tune(config, args.out, args.resume, args.overwrite)}")


def _add_search_options(parser):
    group = parser.add_argument_group("search")
    add = group.add_argument
    hidden = argparse.SUPPRESS
    add("--tuner", choices=TUNERS, default=hidden, help="(default: random)")
    add(
        "--trials",
        type=int,
        metavar="N",
        default=hidden,
        help=f"trials at most (default: {DEFAULT_TRIALS}; of grid all; not for "
        "hyperband, which makes as many as --epochs asks for)",
    )
    add(
        "--objective",
        choices=OBJECTIVES,
        default=hidden,
        help="quality: val_mrr@5; time: seconds until it is --target; both: val_mrr@5 "
        "within --time-budget (default: quality)",
    )
    add("--target", type=float, metavar="X", default=hidden, help="a val_mrr@5")
    add(
        "--time-budget",
        type=float,
        metavar="SECONDS",
        default=hidden,
        help="after which a trial ends",
    )
    space = parser.add_argument_group(
        "space", "each of these is a value, several (4,8) or a range (0.001:0.01)"
    )
    for name, help in _SPACE.items():
        space.add_argument(
            option_name(name), default=hidden, metavar="VALUES", help=help
        )


def _configuration(args, folder):
    typed = typed_with_paths(args)
    # Some names mean one value to `stackrec train` and a space here.
    typed = {name: typed[name] for name in typed if name not in NOT_OURS}
    space = {name: getattr(args, name) for name in _SPACE if hasattr(args, name)}
    names = ("tuner", "trials", "objective", "target", "time_budget")
    search = {name: getattr(args, name) for name in names if hasattr(args, name)}
    if not (args.resume and folder.search_config.exists()):
        check_model_options(typed, typed.get("model", TrainConfig.model))
        config = TuneConfig(TrainConfig(**typed), space, **search)
        config.search_space().check_epochs(config.train.epochs)
        return config
    stored = TuneConfig.from_json(folder.read("search_config"))
    asked = replace(
        stored,
        train=replace(stored.train, **typed),
        space={**stored.space, **space},
        **search,
    )
    folder.check_same_search(asked)
    return stored
