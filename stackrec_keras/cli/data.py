"""`stackrec data`: describes a log and the rows that `train` would make from it."""

from stackrec_keras.cli.options import add_options, typed_options
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.data_checks import LEAVE_ONE_OUT_OPTIONS
from stackrec_keras.runs.log_description import describe_log, describe_rows
from stackrec_keras.runs.log_source import read_log
from stackrec_keras.runs.split_recipe import make_split, split_arguments, split_log

_OPTIONS = (
    *("sequences", "user_column", "user", "item", "timestamp"),
    *("length", "split", "split_seed", *LEAVE_ONE_OUT_OPTIONS),
)
_FORMS = {
    ".csv .tsv": "a header and the columns user, item, timestamp (or user_id, ...); "
    "if yours have other names, give them with --user, --item, --timestamp; if there "
    "is no header, give column numbers, which start at 0; may be compressed (.csv.gz)",
    ".inter": "RecBole: like .tsv, with name:type in the header",
    ".dat": "MovieLens: user::item::rating::timestamp, no header",
    ".parquet": "the same columns as .csv; needs pyarrow",
    "--sequences": "one sequence of comma-separated items per row, padded with 0, no "
    "header; with --user-column, each row begins with the user's id",
}


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "data",
        help="list the data sets, or describe one",
        description="Without an argument, list the named data sets and the formats "
        "of files. Otherwise, describe the data and the rows that train would make.",
        epilog="Example: stackrec data clicks.csv --user session --length 50",
    )
    parser.add_argument(
        "data", nargs="?", metavar="NAME_OR_PATH", help="a data set or a file"
    )
    add_options(parser, _OPTIONS)
    return parser


def run(args):
    if args.data is None:
        _list()
        return
    config = TrainConfig(**typed_options(args))
    if config.sequences:
        split = make_split(config)
        lines = []
    else:
        log = read_log(config)
        lines = describe_log(log)
        arguments = split_arguments(config)
        split = split_log(log, config.split, config.length, arguments)
    _print_pairs([*lines, *describe_rows(split, config)])


def _list():
    from stackrec_keras.data.named import DATA_SETS

    print("Named data sets (--data NAME)")
    named = [(name, found.description) for name, found in DATA_SETS.items()]
    _print_pairs(named, indent="  ")
    print("\nFiles (--data PATH)")
    _print_pairs(_FORMS.items(), indent="  ")


def _print_pairs(pairs, indent=""):
    pairs = list(pairs)
    width = max(len(name) for name, _ in pairs)
    for name, text in pairs:
        print(f"{indent}{name:<{width}}  {text}")
