"""Raw ids, as they are typed and as they are printed."""

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean


def typed_items(typed, vocabulary, argument="items", file=None):
    """Returns the raw ids of a vocabulary that the typed strings stand for.

    Args:
        typed: List of strings.
        vocabulary: `Vocabulary` of the items.
        argument: String, the name of the argument that holds them. Defaults to
            `"items"`.
        file: String, the path of the file that they were read from. Defaults to
            `None`: they were typed.

    Raises:
        ArgumentError: If the vocabulary lacks one of them.
    """
    by_text = {str(raw): raw for raw in vocabulary.ids.tolist()}
    unknown = [text for text in typed if text not in by_text]
    if not unknown:
        return [by_text[text] for text in typed]
    others = f", nor are {len(unknown) - 1} more" if len(unknown) > 1 else ""
    wrong = "" if file is None else f"has {unknown[0]!r}, which "
    raise ArgumentError(
        argument,
        f"{wrong}is not an item of the model{others}",
        did_you_mean(unknown[0], by_text) or f"Items are {_examples(by_text)}.",
        unknown[0] if file is None else file,
    )


def typed_user(typed, ids, data):
    """Returns the raw id that a typed string stands for.

    Args:
        typed: String.
        ids: Array of the raw ids of users.
        data: String, the log that they are from.

    Raises:
        ArgumentError: If there is no such id.
    """
    by_text = {str(raw): raw for raw in ids}
    if typed in by_text:
        return by_text[typed]
    users = f"Its {len(ids):,} users have ids {_examples(by_text)}."
    raise ArgumentError(
        "user",
        f"is not in {data}",
        f"{did_you_mean(typed, by_text) or users} Recommend to someone new with "
        "--items.",
        typed,
    )


def print_ranked(ranked):
    """Prints a table of (raw id, score) pairs, the best first."""
    width = max((len(str(item)) for item, _ in ranked), default=0)
    for place, (item, score) in enumerate(ranked, start=1):
        print(f"{place:4}  {item!s:<{width}}  {score:8.3f}")


def ranked_as_json(ranked):
    """Returns (raw id, score) pairs as a list of dicts."""
    return [{"item": item, "score": score} for item, score in ranked]


def ranked_pairs(ids, scores):
    """Returns the (raw id, score) pairs of a row that a model returned, without the
    unfilled entries at its end."""
    pairs = zip(ids.tolist(), scores.tolist(), strict=True)
    return [(item, score) for item, score in pairs if item is not None]


def _examples(texts):
    return "such as " + ", ".join(map(repr, list(texts)[:3]))
