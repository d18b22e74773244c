"""`stackrec data`: what is in a log, and what would come of it."""

from stackrec_keras.runs.config import SPLITS, TrainConfig
from stackrec_keras.runs.log_source import read_log
from stackrec_keras.runs.split_recipe import make_split, split_arguments, split_log

NAMED = {
    "ml-1m": "MovieLens 1M: 1,000,209 ratings of 3,706 films by 6,040 users; fetched "
    "once, or taken from ml-1m/ in the folder that STACKREC_DATA_DIR names",
    "synthetic": "120,000 generated events in which deeper nets see more; made in a "
    "second",
}
_FORMS = {
    ".csv .tsv": "a header and the columns user, item, timestamp (or user_id, ...); "
    "other names with --user, --item, --timestamp; without a header these are the "
    "columns' numbers, from 0; may be compressed (.csv.gz)",
    ".inter": "RecBole: as .tsv, with name:type in the header",
    ".dat": "MovieLens: user::item::rating::timestamp, no header",
    ".parquet": "the same columns; needs pyarrow",
    "--sequences": "a row of comma-separated items each, padded with 0, no header; "
    "with the user's id before them: --user-column",
}


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "data",
        help="list the data sets, or describe one",
        description="Without an argument: the named data sets and the forms of "
        "files. With one: what is in it, and what rows would come of it.",
        epilog="Example: stackrec data clicks.csv --user session --length 50",
    )
    parser.add_argument(
        "data", nargs="?", metavar="NAME_OR_PATH", help="a data set or a file"
    )
    for name in ("user", "item", "timestamp"):
        parser.add_argument(
            f"--{name}",
            default=name,
            metavar="COLUMN",
            help="column of the log (default: %(default)s)",
        )
    parser.add_argument(
        "--sequences", action="store_true", help="the file has a sequence a row"
    )
    parser.add_argument(
        "--user-column",
        action="store_true",
        help="the rows of --sequences begin with the user's id",
    )
    parser.add_argument(
        "--length",
        type=int,
        default=TrainConfig.length,
        metavar="N",
        help="items a row (default: %(default)s)",
    )
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default=TrainConfig.split,
        help="(default: %(default)s)",
    )
    parser.add_argument(
        "--split-seed",
        type=int,
        default=TrainConfig.split_seed,
        metavar="N",
        help="(default: %(default)s)",
    )
    return parser


def run(args):
    """Runs the command."""
    if args.data is None:
        _list()
        return
    names = ("data", "sequences", "user_column", "user", "item", "timestamp")
    names += ("length", "split", "split_seed")
    config = TrainConfig(**{name: getattr(args, name) for name in names})
    if config.sequences:
        split = make_split(config)
        lines = []
    else:
        log = read_log(config)
        lines = _describe(log)
        arguments = split_arguments(config)
        split = split_log(log, config.split, config.length, arguments)
    lines.append(("rows", f"{split.train.length} items each, {config.split} split"))
    for part in ("train", "validation", "test"):
        lines.append((f"  {part}", f"{len(getattr(split, part)):,}"))
    lines.append(("  hash", split.hash))
    _print_pairs(lines)


def _list():
    print("Named data sets (--data NAME)")
    _print_pairs(NAMED.items(), indent="  ")
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
            "{:,.0f} least, {:,.0f} quartile, {:,.0f} median, {:,.0f} quartile, "
            "{:,.0f} most".format(*quantiles),
        ),
        ("time", f"{_time(log['timestamp'].min())} to {_time(log['timestamp'].max())}"),
    ]


def _time(value):
    """A time as it is, with its date if it looks like seconds since 1970."""
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
