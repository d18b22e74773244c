"""`stackrec grow`: grows a trained model and trains it on a newer log."""

import argparse

from stackrec_keras.cli.options import add_options, add_out_options, typed_options
from stackrec_keras.runs.config import GROW_OPTIONS

_DESCRIPTION = """\
Load a trained model, add the new items of a newer log to it (and the new users, if it
knows users), grow it, continue training, and write a run folder as `stackrec train`
does. OLD is not changed.

Give the whole log up to now, since histories are read from it. Of the events that OLD
was not trained on (of all events, if OLD does not record what it was trained on), the
newest tenth is held out for the test, and the tenth before it for validation. New items
are taken only from events before the held-out ones. The table compares the new model
with OLD on the same rows. For that, a copy of OLD also gets the new items, each of
which starts at the mean of all items. The copy is start.keras."""


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "grow",
        help="grow a trained model and train it on a newer log",
        description=_DESCRIPTION,
        epilog="Example: stackrec grow runs/monday --data log.csv --out runs/tuesday "
        "--method stackC --epochs 2. Options default to those of OLD's run.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", metavar="OLD", help="a run folder or a .keras file")
    add_out_options(parser)
    parser.add_argument(
        "--num-blocks",
        default=argparse.SUPPRESS,
        type=int,
        metavar="N",
        help="number of blocks to grow to; give OLD's depth to train without growing "
        "(default: twice OLD's depth, or OLD's depth plus --top-blocks)",
    )
    add_options(parser, GROW_OPTIONS, of_run=True)
    return parser


def run(args):
    from stackrec_keras.runs.growing import grow

    again = {"resume": args.resume, "overwrite": args.overwrite}
    print(f"\n{grow(args.old, args.out, **again, **typed_options(args))}")
