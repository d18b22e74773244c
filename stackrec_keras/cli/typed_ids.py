"""Raw ids: as someone typed them, and as they are printed."""

import difflib


def typed_items(option, typed, vocabulary):
    """Returns the raw ids that are written like those that were typed.

    Args:
        option: String, the option that they were typed after.
        typed: List of strings.
        vocabulary: `Vocabulary` of the items.

    Raises:
        ValueError: If the vocabulary does not have one of them.
    """
    by_text = {str(raw): raw for raw in vocabulary.ids.tolist()}
    unknown = [text for text in typed if text not in by_text]
    if not unknown:
        return [by_text[text] for text in typed]
    such = f"Its items are such as {listed(vocabulary.ids[:3])}."
    others = f", nor are {len(unknown) - 1} more" if len(unknown) > 1 else ""
    raise ValueError(
        f"{option} {unknown[0]!r} is no item of the model{others}. "
        f"{did_you_mean(unknown[0], vocabulary.ids) or such}"
    )


def did_you_mean(typed, ids):
    """Returns a question with the ids that are most like what was typed, whatever the
    case of letters; `""` if none is like it."""
    names = {str(raw).casefold(): str(raw) for raw in ids}
    close = difflib.get_close_matches(typed.casefold(), names, n=3, cutoff=0.5)
    return f"Did you mean {listed(names[c] for c in close)}?" if close else ""


def listed(ids):
    """Returns ids in quotes, with commas between them."""
    return ", ".join(repr(str(raw)) for raw in ids)


def print_ranked(ranked):
    """Prints a table of (raw id, score) pairs, the best first."""
    width = max((len(str(item)) for item, _ in ranked), default=0)
    for place, (item, score) in enumerate(ranked, start=1):
        print(f"{place:4}  {item!s:<{width}}  {score:8.3f}")


def ranked_as_json(ranked):
    """Returns (raw id, score) pairs as JSON has them."""
    return [{"item": item, "score": score} for item, score in ranked]


def ranked_pairs(ids, scores):
    """Returns the (raw id, score) pairs of a row that a model returned. Places that no
    item takes are left out."""
    pairs = zip(ids.tolist(), scores.tolist(), strict=True)
    return [(item, score) for item, score in pairs if item is not None]
