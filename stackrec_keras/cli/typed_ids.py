"""Raw ids as typed and as printed."""

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean, examples


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
        did_you_mean(unknown[0], by_text) or f"Items are {examples(by_text)}.",
        unknown[0] if file is None else file,
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
