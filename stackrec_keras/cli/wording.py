"""Messages of the library, in the words of the command line."""

import re

# What a message tells those who write Python, and what to say in its place.
_PHRASES = (
    (r" \(path(_or_frame)?\)", ""),
    (r"'(\w+)' \(\1\)", r"'\1'"),  # a column that is called what it is
    (r"\S+=\.\.\.(?:, \S+=\.\.\.)* \(on the command line (.*?)\)", r"\1"),
    (r", timestamp=None\b", "; --timestamp none"),
    (r": schedule=\{[^}]*\} grows", " grows"),  # --schedule was named before it
    (r", or StackingSchedule\(\.\.\., partial=True\)[^.]*", ""),
    (r"\{\d+: \d+(?:, \d+: \d+)*\}", lambda found: re.sub("[{} ]", "", found[0])),
)


def as_typed(message, parser):
    """Returns a message as one line, with options for the arguments that they set.

    Args:
        message: An exception, a warning or a string.
        parser: The `ArgumentParser` of the command.
    """
    text = " ".join(str(message).split()) or type(message).__name__
    for written, said in _PHRASES:
        text = re.sub(written, said, text)
    options = re.findall(r"--([a-z-]+)", parser.format_usage())
    names = {option.replace("-", "_"): f"--{option}" for option in options}
    names.pop("num_blocks", None)  # a growth's is what it leads to, not what one typed

    def typed(found):
        name, equals = found.groups()
        # Without an underscore it may be a word of English.
        if name not in names or not (equals or "_" in name):
            return found[0]
        return names[name] + (" " if equals else "")

    return re.sub(r"(?<![\w./'\"-])([a-z_]+)\b(?:(=)(?!None|\.)|(?!=))", typed, text)
