"""What tests say of errors: the fields, not the wording."""

import contextlib

import pytest

from stackrec_keras.errors import ArgumentError


@contextlib.contextmanager
def refused(argument, received=..., says=None):
    """Asserts that an `ArgumentError` is raised.

    Args:
        argument: String, the argument that it names.
        received: The value that it shows; by default any.
        says: String, a regular expression for the message, where there is more than
            one reason to refuse the argument. Defaults to `None`.
    """
    with pytest.raises(ArgumentError, match=says) as caught:
        yield caught
    assert caught.value.argument == argument
    if received is not ...:
        assert caught.value.received == received
