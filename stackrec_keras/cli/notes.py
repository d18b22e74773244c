"""Warnings of the library, as notes to whoever typed the command."""

import contextlib
import sys
import warnings

from stackrec_keras.cli.wording import as_typed


@contextlib.contextmanager
def warnings_as_notes(parser):
    """While it lasts, this package's warnings are a line each on stderr, without the
    code they come from; those of other packages are as ever.

    Args:
        parser: The `ArgumentParser` of the command.
    """
    with warnings.catch_warnings():
        show = warnings.showwarning

        def note(message, *where, **more):
            if _is_ours(sys._getframe(1)):
                print(f"Note: {as_typed(message, parser)}", file=sys.stderr)
            else:
                show(message, *where, **more)

        warnings.showwarning = note
        yield


def _is_ours(frame):
    """Whether what called `warnings.warn` belongs to this package. The file that a
    warning names does not tell: it may be the one that called us."""
    while frame.f_globals["__name__"].endswith("warnings"):
        frame = frame.f_back
    return frame.f_globals["__name__"].split(".")[0] == "stackrec_keras"
