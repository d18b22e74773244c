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
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.user_histories import user_history
from stackrec_keras.wording import counted

_SHOWN = 5  # the number of history items to print


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "recommend",
        help="recommend items for a user or for a list of items",
        description="Recommend items for a user, from the user's whole history in the "
        "run's log, or for a history that you give. Ids are the raw ids of the log.",
        epilog="Example: stackrec recommend runs/first --items 'Jaws (1975)' "
        "'Alien (1979)' --k 5",
    )
    add_trained_options(
        parser, "a run folder or, with --items, a .keras file or preset"
    )
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
        help="the time of each of --items, for a model that uses times: in seconds or "
        "as a date, such as 2020-01-05 or 2020-01-05T12:30",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="the time of the request, in the same form (default: the time of the "
        "last event plus the median gap between the events of the history)",
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
    from stackrec_keras.runs.presets import is_preset

    is_model = args.folder.endswith(".keras") or is_preset(args.folder)
    if args.user is not None and is_model:
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
        history, times = user_history(args.folder, args.user, args.data)
    x = {"items": [history]}
    if "users" in model.features:
        x["users"] = [-1]  # a user that the model does not know
        if args.user is not None:
            x["users"] = RunFolder(args.folder).user_indices([args.user])
    if reads_times:
        x["timestamps"] = [times]
    ids, scores = model.recommend(
        x,
        args.k,
        not args.include_seen,
        items=_candidates(args, model),
        at=None if args.at is None else _number_or_date(args.at),
    )
    best = ranked_pairs(ids[0], scores[0])
    if args.json:
        found = ranked_as_json(best)
        output = {"user": args.user, "history": history, "recommendations": found}
        print(json.dumps(output, indent=2, ensure_ascii=False, default=str))
    else:
        _print(args, history, best)


def _typed_times(args, number, reads_times):
    """Returns the `--times` in seconds, or `None` if the model does not use times."""
    from stackrec_keras.models.request_times import as_seconds

    if args.times is None and not reads_times:
        return None
    if not reads_times:
        reason = "says when events happened, which this model does not read"
        raise ArgumentError("times", reason, "Leave it out.", args.times)
    if args.times is None or len(args.times) != number:
        raise ArgumentError(
            "times",
            f"must have {counted(number, 'time')}, one for each item, because this "
            "model uses the times of events",
            "Or give --user, whose times are in the log.",
            args.times,
        )
    return [as_seconds("times", _number_or_date(text)) for text in args.times]


def _number_or_date(text):
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


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


def _print(args, history, best):
    whose = "The history" if args.user is None else f"User {args.user}"
    last = f". The last {_SHOWN}:" if len(history) > _SHOWN else ""
    print(f"{whose}: {counted(len(history), 'item')}{last}")
    for item in history[-_SHOWN:]:
        print(f"      {item}")
    print("\nRecommended")
    print_ranked(best)
