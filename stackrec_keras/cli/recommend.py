"""`stackrec recommend`: what the model of a run recommends to someone."""

import json

from stackrec_keras.cli.options import add_trained_options, matching_id
from stackrec_keras.cli.trained_model import read_trained_model
from stackrec_keras.cli.typed_ids import (
    did_you_mean,
    listed,
    print_ranked,
    ranked_as_json,
    ranked_pairs,
    typed_items,
)
from stackrec_keras.errors import ArgumentError
from stackrec_keras.runs.folder import RunFolder
from stackrec_keras.runs.log_source import read_log

_SHOWN = 5


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "recommend",
        help="recommend items to a user, or after a list of items",
        description="Recommend items by their raw ids: to a user of the run's log, "
        "after all that is in it, or after a list of items.",
        epilog="Example: stackrec recommend runs/first --items 'Jaws (1975)' "
        "'Alien (1979)' --k 5",
    )
    add_trained_options(parser, "a run folder, or a .keras file for --items")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument(
        "--user",
        metavar="ID",
        help="a user's id, as in the log; --user=ID for one that begins with a dash",
    )
    whose.add_argument(
        "--items",
        nargs="+",
        action="extend",
        metavar="ID",
        help="items' ids, oldest first; --items=ID for one that begins with a dash",
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
        help="a file of these, one id per line",
    )
    parser.add_argument(
        "--data",
        metavar="NAME_OR_PATH",
        help="a newer log with the same columns, for --user (default: the run's own)",
    )
    parser.add_argument("--k", type=int, default=10, help="how many (default: 10)")
    parser.add_argument(
        "--include-seen",
        action="store_true",
        help="do not leave out the items that are in the history",
    )
    return parser


def run(args):
    """Runs the command."""
    if args.user is not None and args.folder.endswith(".keras"):
        raise ValueError(
            f"--user {args.user} needs the run folder of `stackrec train`, which says "
            f"where the log is; {args.folder} is a model alone. Give --items."
        )
    model = read_trained_model(args.folder)
    if args.user is None:
        history = typed_items("--items", args.items, model.vocabulary)
    else:
        config = RunFolder(args.folder).read_config()
        history = _history_of(args.user, config, args.data or config.data)
    x = [history]
    if "users" in model.features:
        x = {"items": x, "users": _user_index(args)}
    ids, scores = model.recommend(
        x, args.k, not args.include_seen, items=_candidates(args, model)
    )
    show = _print_json if args.json else _print
    show(args, history, ranked_pairs(ids[0], scores[0]))


def _user_index(args):
    """Returns the index of the user, -1 for none, as the model takes it."""
    if args.user is None:
        return [-1]
    return RunFolder(args.folder).user_indices([args.user])


def _candidates(args, model):
    option, typed = "--candidates", args.candidates
    if args.candidates_file is not None:
        option = f"--candidates-file {args.candidates_file}: the id"
        typed = _lines(args.candidates_file)
    if typed is None:
        return None
    return typed_items(option, typed, model.target_vocabulary)


def _lines(path):
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.rstrip("\n") for line in file]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"--candidates-file {path} is not a text file in UTF-8: {error}"
        ) from error
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise ValueError(f"--candidates-file {path} is empty. Give one id per line.")
    return lines


def _history_of(typed, config, data):
    if config.sequences:
        return _sequence_of(typed, config, data)
    log = _log_like_the_runs(config, data)
    user = _user(typed, log["user"].unique(), data)
    return log["item"][log["user"] == user].tolist()


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
    user = _user(typed, windows.user_ids, data)
    items = windows.items[windows.user_ids[windows.users] == user]
    return vocabulary.decode(items[items > 0]).tolist()


def _user(typed, ids, data):
    user = matching_id(typed, ids)
    if user is None:
        such = f"Its {len(ids):,} users have ids such as {listed(ids[:3])}."
        raise ValueError(
            f"--user {typed} is not in {data}. {did_you_mean(typed, ids) or such} "
            "Recommend to someone new with --items."
        )
    return user


def _print_json(args, history, best):
    output = {
        "user": args.user,
        "history": history,
        "recommendations": ranked_as_json(best),
    }
    print(json.dumps(output, indent=2, ensure_ascii=False, default=str))


def _print(args, history, best):
    whose = "The history" if args.user is None else f"User {args.user}"
    print(f"{whose}: {len(history)} items, the last ones")
    for item in history[-_SHOWN:]:
        print(f"      {item}")
    print("\nRecommended")
    print_ranked(best)
