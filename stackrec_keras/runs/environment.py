"""The software and the machine that a run used."""

import datetime
import os
import platform
from importlib import metadata

from stackrec_keras.version import __version__


def environment():
    """Returns a dict of versions, machine and date."""
    import keras
    import numpy as np

    backend = keras.backend.backend()
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "stackrec_keras": __version__,
        "python": platform.python_version(),
        "os": platform.platform(),
        "cpu_count": os.cpu_count(),
        "keras": keras.__version__,
        "backend": backend,
        "backend_version": _version(backend),
        "numpy": np.__version__,
    }


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # installed as tensorflow-cpu
        return None
