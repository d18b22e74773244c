"""Adds options to a parser of the command line, and reads those that were typed."""

import argparse
from dataclasses import fields

from stackrec_keras.models.registry import ARCHITECTURES
from stackrec_keras.runs.config import TrainConfig, option_name
from stackrec_keras.runs.option_kinds import integers, number
from stackrec_keras.wording import listed

_METAVARS = {int: "N", float: "X", number: "X", integers: "N,N,..."}


def add_options(parser, names=None, without=(), of_run=False):
    """Adds an option for each field of `TrainConfig`.

    The parsed arguments have only the options that were typed (see `typed_options`).

    Args:
        parser: The `ArgumentParser` of a command.
        names: The names of the fields to add. Defaults to `None`: all.
        without: The names of the fields to leave out. Defaults to `()`.
        of_run: Boolean, whether the defaults come from an earlier run instead of
            `TrainConfig`. Defaults to `False`.
    """
    groups = {}
    for f in fields(TrainConfig):
        if f.name in without or (names is not None and f.name not in names):
            continue
        arguments = dict(f.metadata)
        name = arguments.pop("group")
        arguments.pop("also", None)
        models, losses = arguments.pop("models", ()), arguments.pop("losses", ())
        having = models or losses
        if having and len(having) < len(ARCHITECTURES) - 1:
            arguments["help"] = f"{listed(having)}: {arguments['help']}"
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        help = arguments["help"]
        if not of_run:
            arguments["help"] += _default_text(f.default)
        if arguments["type"] is bool:
            arguments = {"help": help, "action": argparse.BooleanOptionalAction}
        elif "choices" not in arguments:
            arguments.setdefault("metavar", _METAVARS.get(arguments["type"], "NAME"))
        groups[name].add_argument(
            option_name(f.name), default=argparse.SUPPRESS, **arguments
        )


def add_out_options(parser, what="run"):
    """Adds the options for where to write and whether to replace an earlier run."""
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="the run folder to write"
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume",
        action="store_true",
        help=f"continue the {what} in --out, with the options it was started with; "
        "start one if there is none",
    )
    again.add_argument(
        "--overwrite", action="store_true", help=f"replace the {what} that is in --out"
    )


def add_trained_options(parser, help="a run folder"):
    """Adds the options of a command that uses a trained model."""
    parser.add_argument("folder", metavar="FOLDER", help=help)
    parser.add_argument("--json", action="store_true", help="print JSON")


def typed_options(args):
    """Returns a dict of the `TrainConfig` fields whose options were typed."""
    names = [f.name for f in fields(TrainConfig)]
    return {name: getattr(args, name) for name in names if hasattr(args, name)}


def _default_text(default):
    if default is None:
        return ""
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    return f" (default: {default})"
