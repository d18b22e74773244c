"""Reads raw ids that a user typed, and prints raw ids."""

from stackrec_keras.errors import ArgumentError
from stackrec_keras.wording import did_you_mean, examples


def typed_items(typed, vocabulary, argument="items", file=None):
    """Returns the raw ids of a vocabulary for strings that a user typed.

    Args:
        typed: List of strings.
        vocabulary: `Vocabulary` of the items.
        argument: String, the name of the argument that holds the strings. Defaults to
            `"items"`.
        file: String, the path of the file that the strings come from. Defaults to
            `None`: the command line.

    Raises:
        ArgumentError: If the vocabulary lacks one of the ids.
    """
    by_text = {str(raw): raw for raw in vocabulary.ids.tolist()}
    unknown = [text for text in typed if text not in by_text]
    if not unknown:
        return [by_text[text] for text in typed]
    others = (
        f" ({len(unknown):,} of {len(typed):,} ids are unknown)" if unknown[1:] else ""
    )
    wrong = "" if file is None else f"has {unknown[0]!r}, which "
    raise ArgumentError(
        argument,
        f"{wrong}is not an item of the model{others}",
        did_you_mean(unknown[0], by_text) or f"Give ids {examples(by_text)}.",
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
    """Returns one row of recommendations as (raw id, score) pairs, without the
    unfilled entries at the end."""
    pairs = zip(ids.tolist(), scores.tolist(), strict=True)
    return [(item, score) for item, score in pairs if item is not None]
