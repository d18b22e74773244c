"""`stackrec recommend`: recommends items with the model of a run."""

import contextlib
import json

from stackrec_keras.cli.options import add_trained_options
from stackrec_keras.cli.trained_model import read_trained_model
from stackrec_keras.cli.typed_ids import (
    print_ranked,
    ranked_as_json,
    ranked_pairs,
    typed_items,
    typed_user,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.log_source import read_log
from stackrec_keras.wording import counted

_SHOWN = 5  # items of the history


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "recommend",
        help="recommend items to a user, or after a list of items",
        description="Recommend items by their raw ids: to a user of the run's log, "
        "from the user's whole history in it, or after a list of items.",
        epilog="Example: stackrec recommend runs/first --items 'Jaws (1975)' "
        "'Alien (1979)' --k 5",
    )
    add_trained_options(parser, "a run folder, or a .keras file for --items")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument(
        "--user",
        metavar="ID",
        help="a user's id, as in the log; write --user=ID if it begins with a dash",
    )
    whose.add_argument(
        "--items",
        nargs="+",
        action="extend",
        metavar="ID",
        help="ids of items, oldest first; write --items=ID if one begins with a dash",
    )
    parser.add_argument(
        "--times",
        nargs="+",
        action="extend",
        metavar="TIME",
        help="when each of --items happened, for a model that reads times: seconds or "
        "dates, such as 2020-01-05 or 2020-01-05T12:30",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="the time of the request, in the same form (default: the last event's, "
        "plus the median gap between the events of the history)",
    )
    among = parser.add_mutually_exclusive_group()
    among.add_argument(
        "--candidates",
        nargs="+",
        action="extend",
        metavar="ID",
        help="the only items to choose from (default: all)",
    )
    among.add_argument(
        "--candidates-file",
        metavar="FILE.txt",
        help="a file with the only items to choose from, one id per line",
    )
    parser.add_argument(
        "--data",
        metavar="NAME_OR_PATH",
        help="a newer log with the same columns, for --user (default: the run's own)",
    )
    parser.add_argument(
        "--k", type=int, default=10, help="how many items (default: 10)"
    )
    parser.add_argument(
        "--include-seen",
        action="store_true",
        help="also recommend items that are in the history",
    )
    return parser


def run(args):
    """Runs the command."""
    if args.user is not None and args.folder.endswith(".keras"):
        raise ArgumentError(
            "user",
            f"needs a run folder, which records where the log is, but {args.folder} is "
            "only a model",
            "Give --items.",
            args.user,
        )
    model = read_trained_model(args.folder)
    reads_times = "timestamps" in model.features
    if args.user is None:
        history = typed_items(args.items, model.vocabulary)
        times = _typed_times(args, len(history), reads_times)
    else:
        config = RunFolder(args.folder).read_config()
        history, times = _history_of(args.user, config, args.data or config.data)
    x = {"items": [history]}
    if "users" in model.features:
        x["users"] = _user_index(args)
    if reads_times:
        x["timestamps"] = [times]
    ids, scores = model.recommend(
        x,
        args.k,
        not args.include_seen,
        items=_candidates(args, model),
        at=None if args.at is None else _number_or_date(args.at),
    )
    show = _print_json if args.json else _print
    show(args, history, ranked_pairs(ids[0], scores[0]))


def _typed_times(args, number, reads_times):
    """Returns the seconds of `--times`, which a model that reads times needs."""
    from stackrec_keras.models.request_times import as_seconds

    if args.times is None and not reads_times:
        return None
    if not reads_times:
        reason = "says when events happened, which this model does not read"
        raise ArgumentError("times", reason, "Leave it out.", args.times)
    if args.times is None or len(args.times) != number:
        raise ArgumentError(
            "times",
            f"must have one time for each item, {number}: this model reads when events "
            "happened",
            "Or give --user, whose times are in the log.",
            args.times,
        )
    return [as_seconds("times", _number_or_date(text)) for text in args.times]


def _number_or_date(text):
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def _user_index(args):
    """Returns the model's index of the user, or -1 if there is no user."""
    if args.user is None:
        return [-1]
    return RunFolder(args.folder).user_indices([args.user])


def _candidates(args, model):
    vocabulary, path = model.target_vocabulary, args.candidates_file
    if path is not None:
        return typed_items(_lines(path), vocabulary, "candidates_file", path)
    if args.candidates is not None:
        return typed_items(args.candidates, vocabulary, "candidates")
    return None


def _lines(path):
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.rstrip("\n") for line in file]
    except UnicodeDecodeError as error:
        reason = f"is not a text file in UTF-8: {error}"
        raise ArgumentError("candidates_file", reason, received=path) from error
    lines = [line for line in lines if line.strip()]
    if not lines:
        fix = "Give one id per line."
        raise ArgumentError("candidates_file", "is empty", fix, path)
    return lines


def _history_of(typed, config, data):
    """Returns the items of a user, and their times in seconds."""
    from stackrec_keras.data.further_columns import whole_seconds

    if config.sequences:
        return _sequence_of(typed, config, data), None
    log = _log_like_the_runs(config, data)
    user = typed_user(typed, log["user"].unique(), data)
    events = log[log["user"] == user]
    times = whole_seconds(events["timestamp"].to_numpy())
    return events["item"].tolist(), times.tolist()


def _log_like_the_runs(config, data):
    try:
        return read_log(config, data)
    except ArgumentError as error:
        # Columns cannot be named here: --user is someone's id.
        if error.argument not in ("user", "item", "timestamp"):
            raise
        raise ArgumentError(
            "data",
            f"must have the columns of the run's own log, {config.data}: the "
            f"{error.argument} column {error.received!r} {error.reason}",
            received=data,
        ) from error


def _sequence_of(typed, config, data):
    from stackrec_keras.data import read_sequences

    windows, vocabulary = read_sequences(data, config.user_column)
    user = typed_user(typed, windows.user_ids, data)
    items = windows.items[windows.user_ids[windows.users] == user]
    return vocabulary.decode(items[items > 0]).tolist()


def _print_json(args, history, best):
    output = {
        "user": args.user,
        "history": history,
        "recommendations": ranked_as_json(best),
    }
    print(json.dumps(output, indent=2, ensure_ascii=False, default=str))


def _print(args, history, best):
    whose = "The history" if args.user is None else f"User {args.user}"
    last = f", the last {_SHOWN} of them" if len(history) > _SHOWN else ""
    print(f"{whose}: {counted(len(history), 'item')}{last}")
    for item in history[-_SHOWN:]:
        print(f"      {item}")
    print("\nRecommended")
    print_ranked(best)
