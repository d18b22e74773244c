"""The `stackrec` command. The environment's KERAS_BACKEND says what it runs on."""

import argparse
import re
import sys
from collections.abc import Sequence

from stackrec_keras.cli import (
    convert,
    data,
    evaluate,
    grow,
    methods,
    recommend,
    scenario,
    train,
    tune,
)
from stackrec_keras.version import __version__

# One more command is one more file with `add_parser` and `run`, named here.
COMMANDS = (train, grow, tune, evaluate, recommend, scenario, convert, methods, data)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the `stackrec` command.

    Args:
        argv: List of strings; by default the process' own arguments.

    Returns:
        Integer, the exit code: 0, or 2 after an error in the input.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    try:
        args.run(args)
    except (ValueError, OSError, ImportError) as error:
        if args.traceback:
            raise
        print(f"stackrec: error: {_as_typed(error, args.parser)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = ". To go on: the same command with --resume"
        hint = hint if hasattr(args, "resume") else ""
        print(f"\nstackrec: stopped{hint}", file=sys.stderr)
        return 130
    return 0


def build_parser():
    """Returns the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="stackrec",
        description="Train very deep next-item recommenders that grow inside one "
        "fit, and use them.",
        epilog="Example: stackrec train --data ml-1m --out runs/first, then "
        "stackrec recommend runs/first --user 1",
    )
    parser.add_argument(
        "--version", action="version", version=f"stackrec {__version__}"
    )
    parser.add_argument(
        "--traceback", action="store_true", help="show Python's traceback of an error"
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command_parser = command.add_parser(subparsers)
        command_parser.set_defaults(run=command.run, parser=command_parser)
    return parser


def _as_typed(error, parser):
    """One line of an error's text, with options for the arguments that they set."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = re.sub(r" \(path(_or_frame)?\)", "", text)
    options = re.findall(r"--([a-z-]+)", parser.format_usage())
    names = {option.replace("-", "_"): f"--{option}" for option in options}
    names.pop("num_blocks", None)  # a growth's is what it leads to, not what one typed

    def typed(found):
        name, equals = found.groups()
        # Without an underscore it may be a word of English.
        if name not in names or not (equals or "_" in name):
            return found[0]
        return names[name] + (" " if equals else "")

    return re.sub(r"(?<![\w./'\"-])([a-z_]+)\b(?:(=)(?!None|\.)|(?!=))", typed, text)
