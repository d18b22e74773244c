"""The parser of the command line, whose errors say what one may have meant."""

import argparse
import difflib
import re


class Parser(argparse.ArgumentParser):
    """As `ArgumentParser`, but an unknown option is an error of the command that it
    was given to, and misspelt options, commands and choices get a question."""

    def parse_args(self, args=None, namespace=None):
        args, unknown = self.parse_known_args(args, namespace)
        if unknown:
            given = getattr(args, "parser", self)
            given.error(f"unrecognized arguments: {' '.join(unknown)}")
        return args

    def error(self, message):
        close = [*self._close_options(message), *_close_choices(message)]
        question = f". Did you mean {', '.join(close)}?" if close else ""
        super().error(message + question)

    def _close_options(self, message):
        if not message.startswith("unrecognized arguments: "):
            return []
        known = re.findall(r"--[a-z-]+", self.format_usage())
        typed = re.findall(r" (--[^ =]+)", message)
        return _close(typed, known, cutoff=0.75)


def _close_choices(message):
    found = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
    if found is None:
        return []
    return _close([found[1]], re.findall(r"[\w-]+", found[2]), cutoff=0.6)


def _close(typed, known, cutoff):
    """Returns for each string the closest one known, where one is close."""
    close = [difflib.get_close_matches(t, known, 1, cutoff) for t in typed]
    return [match for matches in close for match in matches]
