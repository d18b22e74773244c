"""`stackrec recommend`: what the model of a run recommends to someone."""

import difflib
import json

from stackrec_keras.cli.options import add_trained_options, matching_id
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
    whose.add_argument("--user", metavar="ID", help="a user's id, as in the log")
    whose.add_argument(
        "--items", nargs="+", metavar="ID", help="items' ids, oldest first"
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
    if args.folder.endswith(".keras"):
        model, history, users = _read_file(args)
    else:
        model, history, users = _read_folder(args)
    x = [history] if users is None else {"items": [history], "users": users}
    ids, scores = model.recommend(x, args.k, not args.include_seen)
    best = [
        (_plain(item), float(score))
        for item, score in zip(ids[0], scores[0], strict=True)
        if item is not None
    ]
    history = [_plain(item) for item in history]
    show = _print_json if args.json else _print
    show(args, history, best)


def _read_folder(args):
    """Returns the model, the history and, where the model knows users, the user."""
    folder = RunFolder(args.folder)
    config = folder.read_config()
    model = folder.read_model()
    if args.user is None:
        history = _typed_items(args.items, model.vocabulary)
    else:
        history = _history_of(args.user, config, args.data or config.data)
    users = folder.user_indices([args.user]) if model.num_users is not None else None
    return model, history, users


def _read_file(args):
    import keras
    import numpy as np

    import stackrec_keras.models  # noqa: F401 (registers the classes)

    if args.user is not None:
        raise ValueError(
            f"--user {args.user} needs the run folder of `stackrec train`, which says "
            f"where the log is; {args.folder} is a model alone. Give --items."
        )
    model = keras.saving.load_model(args.folder)
    if model.vocabulary is None:
        raise ValueError(
            f"The model in {args.folder} has no vocabulary, so it knows no ids. Set "
            "model.vocabulary and save it, or convert it with --sequences."
        )
    users = None if model.num_users is None else np.array([-1])
    return model, _typed_items(args.items, model.vocabulary), users


def _typed_items(typed, vocabulary):
    return [_item(text, vocabulary) for text in typed]


def _item(typed, vocabulary):
    item = matching_id(typed, vocabulary.ids)
    if item is not None:
        return item
    such = f"Its items are such as {_listed(vocabulary.ids[:3])}."
    raise ValueError(
        f"--items {typed!r} is no item of the model. "
        f"{_did_you_mean(typed, vocabulary.ids) or such}"
    )


def _history_of(typed, config, data):
    if config.sequences:
        return _sequence_of(typed, config, data)
    log = _log_like_the_runs(config, data)
    user = _user(typed, log["user"].unique(), data)
    return log["item"][log["user"] == user].tolist()


def _log_like_the_runs(config, data):
    try:
        return read_log(config, data)
    except ValueError as error:
        # Other columns cannot be named here, where --user is someone's id.
        problem, named, _ = str(error).partition(" Name the right ones:")
        if not named:
            raise
        raise ValueError(
            f"{problem} It is read by the names of the columns of the run's own log, "
            f"{config.data}."
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
        such = f"Its {len(ids):,} users have ids such as {_listed(ids[:3])}."
        raise ValueError(
            f"--user {typed} is not in {data}. {_did_you_mean(typed, ids) or such} "
            "Recommend to someone new with --items."
        )
    return user


def _did_you_mean(typed, ids):
    """A question after the ids that are closest to what was typed, upper and lower
    case being the same; `""` if none is close."""
    names = {str(raw).casefold(): str(raw) for raw in ids}
    close = difflib.get_close_matches(typed.casefold(), names, n=3, cutoff=0.5)
    return f"Did you mean {_listed(names[c] for c in close)}?" if close else ""


def _listed(values):
    return ", ".join(repr(str(value)) for value in values)


def _plain(item):
    return item.item() if hasattr(item, "item") else item


def _print_json(args, history, best):
    found = [{"item": item, "score": score} for item, score in best]
    output = {"user": args.user, "history": history, "recommendations": found}
    print(json.dumps(output, indent=2, ensure_ascii=False))


def _print(args, history, best):
    whose = "The history" if args.user is None else f"User {args.user}"
    print(f"{whose}: {len(history)} items, the last ones")
    for item in history[-_SHOWN:]:
        print(f"      {item}")
    print("\nRecommended")
    width = max((len(str(item)) for item, _ in best), default=0)
    for place, (item, score) in enumerate(best, start=1):
        print(f"{place:4}  {item!s:<{width}}  {score:8.3f}")
