import re
from os import PathLike
from pathlib import Path

import numpy as np


def read_checkpoint(path: str | PathLike) -> dict[str, np.ndarray]:
    """Reads a checkpoint file of StackRec's release.

    Args:
        path: Path of a torch file that holds a state_dict, or the prefix of a
            TensorFlow 1 checkpoint (`model.ckpt`, with `model.ckpt.index` beside it).

    Returns:
        Dict from variable name to NumPy array.

    Raises:
        FileNotFoundError: If there is neither.
        ImportError: If TensorFlow, or torch, is needed and not installed.
        ValueError: If a torch file holds anything but tensors; it is never executed.
            If the path is a part of a TensorFlow checkpoint.
    """
    if Path(f"{path}.index").is_file():
        return _read_tensorflow(path)
    prefix = re.sub(r"(\.index|\.data-\d+-of-\d+)$", "", str(path))
    if prefix != str(path):
        raise ValueError(
            f"{path} is a part of a TensorFlow checkpoint. Give its prefix: {prefix}"
        )
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path} is no file, and there is no {path}.index. Give a torch file, or "
            "a TensorFlow checkpoint's prefix: model.ckpt for model.ckpt.index."
        )
    return _read_torch(path)


def _read_tensorflow(prefix):
    try:
        import tensorflow as tf
    except ImportError as error:
        raise ImportError(
            f"{prefix} is a TensorFlow checkpoint: pip install tensorflow"
        ) from error
    reader = tf.train.load_checkpoint(str(prefix))
    return {
        name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
    }


def _read_torch(path):
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"{path} is read as a torch checkpoint: pip install torch"
        ) from error
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path} is no state_dict of tensors alone, and nothing else is loaded, "
            "since a pickle can run code. Save it anew where you trust it: "
            f"torch.save(model.state_dict(), path). torch says: {error}"
        ) from error
    if not isinstance(held, dict) or not all(map(torch.is_tensor, held.values())):
        raise ValueError(
            f"{path} holds a {type(held).__name__} that is no state_dict. Save "
            "model.state_dict()."
        )
    return {name: tensor.detach().float().numpy() for name, tensor in held.items()}
