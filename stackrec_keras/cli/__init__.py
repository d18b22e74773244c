"""The `stackrec` command. The environment variable KERAS_BACKEND sets the backend."""

import os
import sys
from collections.abc import Sequence

from stackrec_keras.backend import load_keras, without_start_lines
from stackrec_keras.cli import (
    convert,
    data,
    evaluate,
    export,
    grow,
    methods,
    prepare,
    publish,
    recipes,
    recommend,
    scenario,
    similar,
    train,
    tune,
)
from stackrec_keras.cli.messages import error_text, warnings_as_notes
from stackrec_keras.cli.parser import Parser
from stackrec_keras.version import __version__

# To add a command, list a module here. Its `add_parser` adds the command's parser, and
# its `run` runs the command with the parsed arguments.
COMMANDS = (
    train,
    grow,
    tune,
    evaluate,
    recommend,
    similar,
    export,
    publish,
    scenario,
    convert,
    methods,
    recipes,
    data,
    prepare,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the `stackrec` command.

    Args:
        argv: List of strings. Defaults to `None`: the process's own arguments.

    Returns:
        Integer, the exit code: 0 for success, 2 for an error, 130 for an interruption.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    try:
        if args.needs_backend:
            _load_backend()
        with warnings_as_notes():
            args.run(args)
    except (ValueError, OSError, ImportError) as error:
        if args.traceback:
            raise
        print(f"stackrec: error: {error_text(error, args)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = ". To continue, run the same command with --resume"
        hint = hint if hasattr(args, "resume") else ""
        print(f"\nstackrec: stopped{hint}", file=sys.stderr)
        return 130
    return 0


def _load_backend():
    if "keras" in sys.modules:
        return
    # Problems that stop a run raise an exception; TensorFlow's log only distracts.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with without_start_lines():
        load_keras()


def build_parser():
    """Returns the parser of the whole command line."""
    parser = Parser(
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
        "--traceback", action="store_true", help="show the Python traceback of an error"
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command_parser = command.add_parser(subparsers)
        command_parser.set_defaults(
            run=command.run,
            parser=command_parser,
            needs_backend=command not in (methods, recipes),
        )
    return parser
