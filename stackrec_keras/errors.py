"""The errors and warnings of this package."""

import sys
import warnings
from typing import Any

from stackrec_keras.wording import shown

# Warnings point to the user's line, which is outside these packages.
_INNER = ("stackrec_keras", "keras", "tensorflow", "jax", "torch")


class ArgumentError(ValueError):
    """An argument that cannot be used, and what to give instead.

    Its message reads `argument=received reason. fix`. Code that words the error
    differently, such as the command line, reads the fields below.

    Args:
        argument: String, the name of the argument.
        reason: String, what is wrong, as the end of a sentence that begins with the
            argument: `"must be at least 1"`. No full stop.
        fix: String, what to do instead, in whole sentences. Defaults to `""`, for a
            reason that already says what to do.
        received: The value. Defaults to `...`, which means that no value is shown.
        option_fix: String, `fix` for someone who typed options on the command line.
            Defaults to `None`, the same as `fix`.

    Example:

    ```python
    raise ArgumentError("num_heads", "must divide dim=64", received=3)
    # num_heads=3 must divide dim=64.
    ```
    """

    # A private mark of Keras (keras.src.utils.traceback_utils). Without it, Keras turns
    # an error in a layer's call into a RuntimeError that names `argument` but gives no
    # `reason`.
    _keras_call_info_injected = True

    def __init__(
        self,
        argument: str,
        reason: str,
        fix: str = "",
        received: Any = ...,
        option_fix: str | None = None,
    ) -> None:
        super().__init__(argument, reason, fix, received, option_fix)
        self.argument = argument
        self.reason = reason
        self.fix = fix
        self.received = received
        self.option_fix = fix if option_fix is None else option_fix

    @property
    def has_received(self) -> bool:
        """Boolean, whether there is a value to show."""
        return self.received is not ...

    def __str__(self) -> str:
        value = f"={shown(self.received)}" if self.has_received else ""
        fix = f" {self.fix}" if self.fix else ""
        return f"{self.argument}{value} {self.reason}.{fix}"


class StackRecWarning(UserWarning):
    """A warning of this package."""


def warn(message: str) -> None:
    """Warns with a `StackRecWarning` at the user's line that called this package, even
    if the call went through Keras or a backend, as in `fit`."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_inner(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, StackRecWarning, stacklevel=level)


def _is_inner(frame):
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package in _INNER
