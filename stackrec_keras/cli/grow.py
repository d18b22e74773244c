"""`stackrec grow`: yesterday's model, trained on today's log."""

import argparse
from pathlib import Path

from stackrec_keras.cli.options import add_options, add_out_options, typed_options
from stackrec_keras.cli.train import print_finished
from stackrec_keras.runs.config import GROW_OPTIONS
from stackrec_keras.runs.folder import RunFolder

_DESCRIPTION = """\
Load a trained model, add the new items of a newer log to it (and the new users, where
it knows users), grow it, train on, and write a run folder as `stackrec train` does.
OLD is left as it is.

The log is the whole log up to now, as histories begin with it. Held out are the newest
events among those that OLD was not trained on (among all, where OLD does not tell): the
last tenth is the test, the tenth before it validation, and new items are those of the
events before these. The table has OLD, with the new items at the mean of all, and the
new model on the same rows; start.keras is that OLD."""


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "grow",
        help="grow a trained model, with a newer log",
        description=_DESCRIPTION,
        epilog="Example: stackrec grow runs/monday --data log.csv --out runs/tuesday "
        "--method stackC --epochs 2. An option that is left out is as in OLD's run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", metavar="OLD", help="a run folder or a .keras file")
    add_out_options(parser)
    parser.add_argument(
        "--num-blocks",
        dest="depth",
        type=int,
        metavar="N",
        help="blocks to grow to (default: twice as many as OLD has, or --top-blocks "
        "more; as many as it has: no growth)",
    )
    add_options(parser, GROW_OPTIONS)
    return parser


def run(args):
    """Runs the command."""
    from stackrec_keras.runs.growing import check_grown_out, grow

    folder = RunFolder(args.out)
    again = args.resume, args.overwrite
    check_grown_out(Path(args.old), folder, *again)
    if args.resume and folder.start.exists() and folder.is_finished:
        print_finished(folder)
    else:
        print(
            f"\n{grow(args.old, args.out, args.depth, *again, **typed_options(args))}"
        )
