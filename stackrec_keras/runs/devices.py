"""The devices of a run."""

import contextlib

import keras

from stackrec_keras.errors import ArgumentError


@contextlib.contextmanager
def on_devices(number):
    """Context manager in which models are made for several devices, which share each
    batch. It yields whether there are several.

    Args:
        number: Integer, or `None` for one device.

    Raises:
        ArgumentError: As in `check_devices`.
    """
    check_devices(number)
    are_several = number not in (None, 1)
    with _scope(number) if are_several else contextlib.nullcontext():
        yield are_several


def check_devices(number):
    """Checks that the backend has that many devices.

    Raises:
        ArgumentError: If it has fewer, or can use only one.
    """
    backend = keras.backend.backend()
    if number in (None, 1):
        return
    if backend == "torch":
        raise ArgumentError(
            "devices",
            "must be 1 on the torch backend, on which Keras uses only one device",
            "Set KERAS_BACKEND to jax or tensorflow.",
            number,
        )
    there = len(_devices())
    if number > there:
        raise ArgumentError(
            "devices",
            f"is more than the {there} that {backend} has here",
            f"Give at most {there}. To split a CPU into {number} devices, "
            f"{_HOST_DEVICES[backend].format(number)}.",
            number,
        )


_HOST_DEVICES = {
    "jax": "set XLA_FLAGS=--xla_force_host_platform_device_count={} before Python "
    "starts",
    "tensorflow": "call tf.config.set_logical_device_configuration("
    "tf.config.list_physical_devices('CPU')[0], "
    "[tf.config.LogicalDeviceConfiguration()] * {}) before anything else, and then "
    "train from Python",
}


def _devices():
    """Returns the names of the accelerators, or of the CPUs if there are none."""
    if keras.backend.backend() == "jax":
        return keras.distribution.list_devices()
    import tensorflow as tf

    kinds = map(tf.config.list_logical_devices, ("GPU", "CPU"))
    return [device.name for device in next(filter(None, kinds))]


def _scope(number):
    devices = _devices()[:number]
    if keras.backend.backend() == "jax":
        return keras.distribution.DataParallel(devices=devices).scope()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices).scope()
