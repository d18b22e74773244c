"""The parser of the command line, whose errors say what one may have meant."""

import argparse
import difflib
import re
import sys


class Parser(argparse.ArgumentParser):
    """As `ArgumentParser`, but an unknown option is an error of the command that it
    was given to. Misspelt options, commands and choices get a question, and a value
    that looks like an option the form that it must have."""

    _typed: list[str] = []

    def parse_args(self, args=None, namespace=None):
        args, unknown = self.parse_known_args(args, namespace)
        if unknown:
            given = getattr(args, "parser", self)
            given.error(f"unrecognized arguments: {' '.join(unknown)}")
        return args

    def parse_known_args(self, args=None, namespace=None):
        self._typed = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message):
        close = [*self._close_options(message), *_close_choices(message)]
        if close:
            message += f". Did you mean {', '.join(close)}?"
        else:
            message += self._value_with_dash(message)
        super().error(message)

    def _close_options(self, message):
        if not message.startswith("unrecognized arguments: "):
            return []
        known = re.findall(r"--[a-z-]+", self.format_usage())
        typed = re.findall(r" (--[^ =]+)", message)
        return _close(typed, known, cutoff=0.75)

    def _value_with_dash(self, message):
        """How to write a value that begins with a dash, which looks like an option."""
        usage = " ".join(self.format_usage().split())
        lacking = re.match(r"argument .*?(--[a-z-]+): expected .* argument$", message)
        if lacking:
            options = re.findall(r"--?[a-z-]+", usage)
            for name, value in zip(self._typed, self._typed[1:]):
                is_value = value.startswith("-") and value not in options
                if lacking[1].startswith(name) and is_value:
                    return f". What begins with a dash is written {lacking[1]}={value}"
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        for option in re.findall(r"(--[a-z-]+) \S+ \[\S+ \.\.\.\]", usage):
            follows = any(typed.startswith(f"{option}=-") for typed in self._typed)
            if unknown and (follows or option in self._typed and unknown[1][0] == "-"):
                return (
                    f". If one value of {option} begins with a dash, write "
                    f"{option}=VALUE for each"
                )
        return ""


def _close_choices(message):
    found = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
    if found is None:
        return []
    return _close([found[1]], re.findall(r"[\w-]+", found[2]), cutoff=0.6)


def _close(typed, known, cutoff):
    """Returns for each string the closest one known, where one is close."""
    close = [difflib.get_close_matches(t, known, 1, cutoff) for t in typed]
    return [match for matches in close for match in matches]
