"""`stackrec evaluate`: evaluates the model of a run again."""

import json

from stackrec_keras.cli.options import add_options, add_trained_options, typed_options

_COLUMNS = ("user", "item", "timestamp")


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "evaluate",
        help="evaluate the model of a run folder",
        description="Rank all items for each held-out row of a run, and compare "
        "the results with the popularity baseline. With --data, use the last item of "
        "each user of another log instead of the held-out rows.",
        epilog="Example: stackrec evaluate runs/first --data today.csv",
    )
    add_trained_options(parser)
    parser.add_argument(
        "--data", metavar="NAME_OR_PATH", help="another log (default: the run's own)"
    )
    add_options(parser, (*_COLUMNS, "exclude_seen"), of_run=True)
    return parser


def run(args):
    from stackrec_keras.runs import evaluate

    typed = typed_options(args)
    found = evaluate(
        args.folder,
        args.data,
        typed.get("exclude_seen"),
        **{name: typed[name] for name in _COLUMNS if name in typed},
    )
    if args.json:
        print(json.dumps({"rows": found.num_rows, "results": found.results}, indent=2))
    else:
        print(found)
