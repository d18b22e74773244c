"""The parser of the command line, whose errors suggest what may have been meant."""

import argparse
import re
import sys

from stackrec_keras.wording import did_you_mean


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` with more helpful errors.

    An unknown option is reported by the command it was given to. Errors suggest what a
    misspelt option, command or choice may have meant, and say how to write a value that
    looks like an option.
    """

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
        meant = self._meant_option(message) or _meant_choice(message)
        hint = f". {meant}" if meant else self._value_with_dash(message)
        hint = hint or f". See {self.prog} --help"
        # The usage is left out: its 40 lines would hide the error.
        self.exit(2, f"{self.prog}: error: {message}{hint}\n")

    def _meant_option(self, message):
        if not message.startswith("unrecognized arguments: "):
            return ""
        known = re.findall(r"--[a-z-]+", self.format_usage())
        typed = re.findall(r" (--[^ =]+)", message)
        return did_you_mean(typed, known, cutoff=0.75)

    def _value_with_dash(self, message):
        """Returns a hint on writing a value that begins with a dash, or `""`."""
        usage = " ".join(self.format_usage().split())
        lacking = re.match(r"argument .*?(--[a-z-]+): expected .* argument$", message)
        if lacking:
            options = re.findall(r"--?[a-z-]+", usage)
            for name, value in zip(self._typed, self._typed[1:]):
                is_value = value.startswith("-") and value not in options
                if lacking[1].startswith(name) and is_value:
                    return (
                        ". Write a value that begins with a dash as "
                        f"{lacking[1]}={value}"
                    )
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        for option in re.findall(r"(--[a-z-]+) \S+ \[\S+ \.\.\.\]", usage):
            follows = any(typed.startswith(f"{option}=-") for typed in self._typed)
            if unknown and (follows or option in self._typed and unknown[1][0] == "-"):
                return (
                    f". If any value of {option} begins with a dash, write each "
                    f"value as {option}=VALUE"
                )
        return ""


def _meant_choice(message):
    found = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)$", message)
    return did_you_mean(found[1], re.findall(r"[\w-]+", found[2])) if found else ""
