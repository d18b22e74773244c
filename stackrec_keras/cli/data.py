"""`stackrec data`: describes a log and the rows that it would become."""

from stackrec_keras.cli.options import add_options, typed_options
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.data_checks import LEAVE_ONE_OUT_OPTIONS
from stackrec_keras.runs.log_source import read_log
from stackrec_keras.runs.split_recipe import make_split, split_arguments, split_log

_OPTIONS = (
    *("sequences", "user_column", "user", "item", "timestamp"),
    *("length", "split", "split_seed", *LEAVE_ONE_OUT_OPTIONS),
)
_FORMS = {
    ".csv .tsv": "a header and the columns user, item, timestamp (or user_id, ...); "
    "name other columns with --user, --item, --timestamp, or, if there is no header, "
    "give their numbers from 0; may be compressed (.csv.gz)",
    ".inter": "RecBole: like .tsv, with name:type in the header",
    ".dat": "MovieLens: user::item::rating::timestamp, no header",
    ".parquet": "the same columns as .csv; needs pyarrow",
    "--sequences": "one sequence of comma-separated items per row, padded with 0, no "
    "header; with --user-column, each row begins with the user's id",
}


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "data",
        help="list the data sets, or describe one",
        description="Without an argument, list the named data sets and the formats "
        "of files. With one, describe it and the rows that it would become.",
        epilog="Example: stackrec data clicks.csv --user session --length 50",
    )
    parser.add_argument(
        "data", nargs="?", metavar="NAME_OR_PATH", help="a data set or a file"
    )
    add_options(parser, _OPTIONS)
    return parser


def run(args):
    """Runs the command."""
    from stackrec_keras.data.splits import TIE_RULE

    if args.data is None:
        _list()
        return
    config = TrainConfig(**typed_options(args))
    if config.sequences:
        split = make_split(config)
        lines = []
    else:
        log = read_log(config)
        lines = _describe(log)
        arguments = split_arguments(config)
        split = split_log(log, config.split, config.length, arguments)
    lines.append(("rows", f"{split.train.length} items each, {config.split} split"))
    if config.min_count > 1:
        lines.append(("  items", f"{split.num_items:,}"))
    for part in ("train", "validation", "test"):
        lines.append((f"  {part}", f"{len(getattr(split, part)):,}"))
    lines.append(("  hash", split.hash))
    if not config.sequences:
        lines.append(("  ties", TIE_RULE))
    if split.tied_targets:
        tied = f"{split.tied_targets:,} have the same time as the event before"
        lines.append(("  test targets", tied))
    _print_pairs(lines)


def _list():
    from stackrec_keras.data.named import DATA_SETS

    print("Named data sets (--data NAME)")
    named = [(name, found.description) for name, found in DATA_SETS.items()]
    _print_pairs(named, indent="  ")
    print("\nFiles (--data PATH)")
    _print_pairs(_FORMS.items(), indent="  ")


def _describe(log):
    import numpy as np

    users, items = log["user"].nunique(), log["item"].nunique()
    sizes = log["user"].value_counts(sort=False).to_numpy()
    quantiles = np.quantile(sizes, [0, 0.25, 0.5, 0.75, 1])
    pairs = len(log[["user", "item"]].drop_duplicates())
    return [
        ("users", f"{users:,}"),
        ("items", f"{items:,}"),
        ("events", f"{len(log):,}"),
        ("density", f"{pairs / (users * items):.3%} of all pairs of user and item"),
        (
            "events a user",
            "minimum {:,.0f}, lower quartile {:,.0f}, median {:,.0f}, upper quartile "
            "{:,.0f}, maximum {:,.0f}".format(*quantiles),
        ),
        ("time", f"{_time(log['timestamp'].min())} to {_time(log['timestamp'].max())}"),
    ]


def _time(value):
    """Returns a time as text, with its date if it looks like seconds since 1970."""
    import datetime

    if not isinstance(value, (int, float)) and not hasattr(value, "dtype"):
        return str(value)
    if not 1e8 <= float(value) <= 4e9:
        return str(value)
    date = datetime.datetime.fromtimestamp(float(value), datetime.UTC)
    return f"{value} ({date:%Y-%m-%d})"


def _print_pairs(pairs, indent=""):
    pairs = list(pairs)
    width = max(len(name) for name, _ in pairs)
    for name, text in pairs:
        print(f"{indent}{name:<{width}}  {text}")
