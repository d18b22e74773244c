import pickle
import re
from os import PathLike
from pathlib import Path

import numpy as np

from stackrec_keras.errors import ArgumentError


def read_checkpoint(path: str | PathLike) -> dict[str, np.ndarray]:
    """Reads a checkpoint file of StackRec's reference implementation.

    Args:
        path: Path of a torch file that holds a state_dict, or the prefix of a
            TensorFlow 1 checkpoint (`model.ckpt`, with `model.ckpt.index` beside it).

    Returns:
        Dict from variable name to NumPy array.

    Raises:
        FileNotFoundError: If there is no such file or checkpoint.
        ImportError: If the package that reads the file, TensorFlow or torch, is not
            installed.
        ArgumentError: If the path names a single file of a TensorFlow checkpoint
            instead of the prefix, if a torch file holds anything but tensors, or if the
            checkpoint is damaged. Code in a torch file is never run.

    Example:

    ```python
    weights = sr.convert.read_checkpoint("sasrec.pt")
    model = sr.convert.build_stackrec_model("sasrec", weights)
    ```

    Reference:
        [StackRec, SIGIR 2021](https://arxiv.org/abs/2012.07598)
    """
    if Path(f"{path}.index").is_file():
        return _read_tensorflow(path)
    prefix = re.sub(r"(\.index|\.data-\d+-of-\d+)$", "", str(path))
    if prefix != str(path):
        reason = "is one file of a TensorFlow checkpoint"
        raise ArgumentError("path", reason, f"Give its prefix: {prefix}", path)
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path} is not a file, and neither is {path}.index. Give a torch file, or "
            "the prefix of a TensorFlow checkpoint: model.ckpt for model.ckpt.index."
        )
    return _read_torch(path)


def _read_tensorflow(prefix):
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            f"Reading {prefix}, a TensorFlow checkpoint, needs TensorFlow: pip install "
            "tensorflow"
        ) from error
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        names = reader.get_variable_to_shape_map()
        return {name: reader.get_tensor(name) for name in names}
    except Exception as error:
        raise ArgumentError(
            "path",
            "is a TensorFlow checkpoint that is damaged, or lacks a file",
            f"Copy {prefix}.index and all of {prefix}.data-* again. TensorFlow says: "
            f"{error}",
            prefix,
        ) from error


def _read_torch(path):
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"Reading {path}, a torch checkpoint, needs torch: pip install torch"
        ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ArgumentError(
            "path",
            "is not a torch file that holds only tensors. Other contents are not "
            "loaded, because a pickle can run code",
            "If you trust the file, load it yourself and save it again with "
            f"torch.save(model.state_dict(), path). torch says: {error}",
            path,
        ) from error
    except Exception as error:
        raise ArgumentError(
            "path",
            "is damaged, or is not a torch file",
            f"Copy or download it again. torch says: {type(error).__name__}: {error}",
            path,
        ) from error
    if not isinstance(state, dict) or not all(map(torch.is_tensor, state.values())):
        raise ArgumentError(
            "path",
            f"holds a {type(state).__name__} that is not a state_dict",
            "Save model.state_dict().",
            path,
        )
    return {name: tensor.detach().float().numpy() for name, tensor in state.items()}
