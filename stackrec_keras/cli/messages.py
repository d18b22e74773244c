"""Shows the library's errors and warnings on the command line."""

import contextlib
import shlex
import sys
import warnings

from stackrec_keras.errors import ArgumentError, StackRecWarning
from stackrec_keras.wording import plain, shown


def error_text(error, args):
    """Returns an exception as one line, which names the option at fault.

    Args:
        error: The exception.
        args: The parsed arguments, with the command's `parser`.
    """
    if not isinstance(error, ArgumentError):
        return _one_line(error) or type(error).__name__
    action = _action(error, args)
    if action is None:
        return _one_line(error)
    names = [name for name in action.option_strings if not name.startswith("--no-")]
    option = max(names, key=len, default="")
    value = _typed(error.received, action) if error.has_received else ""
    sentence = " ".join(part for part in (option, value, error.reason) if part)
    return _one_line(f"{sentence}. {error.option_fix}")


@contextlib.contextmanager
def warnings_as_notes():
    """Shows this package's warnings as one line on stderr, without the source line.
    Warnings of other packages are shown as usual."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def show_note(message, category, *where, **more):
            if issubclass(category, StackRecWarning):
                print(f"Note: {_one_line(message)}", file=sys.stderr)
            else:
                show(message, category, *where, **more)

        warnings.showwarning = show_note
        yield


def _action(error, args):
    """Returns the option or positional that an error is about, or `None`."""
    name = error.argument
    # An error about the depth after growing also names num_blocks, but then the
    # option --num-blocks is not at fault.
    if name == "num_blocks" and getattr(args, name, None) != error.received:
        return None
    return next((a for a in args.parser._actions if a.dest == name), None)


def _typed(value, action):
    """Returns a value as a user would type it."""
    value = plain(value)
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, (tuple, list)):
        return ("," if action.nargs is None else " ").join(map(_word, value))
    if isinstance(value, dict):
        return ",".join(f"{key}:{one}" for key, one in value.items())
    return _word(value)


def _word(value):
    if hasattr(value, "__fspath__"):
        value = value.__fspath__()
    return shlex.quote(value) if isinstance(value, str) else shown(value)


def _one_line(message):
    return " ".join(str(message).split())
