"""`stackrec train`: trains a model and writes a run folder."""

import argparse
from dataclasses import replace

from stackrec_keras.cli.options import add_options, add_out_options, typed_options
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.log_source import absolute_paths, is_prepared
from stackrec_keras.runs.named_recipes import RECIPES, recipe
from stackrec_keras.runs.option_checks import check_model_options
from stackrec_keras.runs.split_recipe import check_prepared

_DESCRIPTION = """\
Train a recommender that grows during training, and write a run folder: the model
(model.keras, which includes the raw item ids), its history (history.csv, history.json),
the learning curve with each growth step marked (learning_curve.png), the results on
held-out rows beside the popularity baseline (metrics.md, metrics.json), and all that is
needed to repeat the run (config.json, split.json, environment.json)."""


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "train",
        help="train a model that grows, and write a run folder",
        description=_DESCRIPTION,
        epilog="Example: stackrec train --data clicks.csv --user session --out runs/a "
        '--num-blocks 4 --schedule "2:8,5:16"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_out_options(parser)
    parser.add_argument(
        "--recipe",
        choices=tuple(RECIPES),
        metavar="NAME",
        help="start from the options of a published result; options that you give "
        "replace those. `stackrec recipes` lists the recipes",
    )
    add_options(parser)
    return parser


def run(args):
    from stackrec_keras.runs.training import check_out, train

    folder = RunFolder(args.out)
    check_out(folder, args.resume, args.overwrite)
    config = _configuration(args, folder)
    print(f"\n{train(config, args.out, args.resume, args.overwrite)}")


def _configuration(args, folder):
    from stackrec_keras.runs.training import resumed_config

    typed = absolute_paths(typed_options(args))
    asked = vars(recipe(args.recipe, **typed)) if args.recipe else typed
    if args.resume and folder.holds_run:
        return resumed_config(asked, folder)
    config = TrainConfig()
    if args.resume and folder.config.exists():  # stopped in its first epoch
        config = folder.read_config()
    config = replace(config, **asked)
    if is_prepared(config.data):
        # `train` cannot tell an option that was typed at its default.
        check_prepared(config, typed)
    check_model_options(typed, config.model)
    return config
