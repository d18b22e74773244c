import json
import os
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from stackrec_keras.data import Vocabulary
from stackrec_keras.errors import ArgumentError, warn
from stackrec_keras.layers.split_rows import used_shape, with_unused_rows
from stackrec_keras.models.extension import complete_weights
from stackrec_keras.models.freezing import set_frozen
from stackrec_keras.models.weights_checksum import add_checksum, check_undamaged
from stackrec_keras.stacking.growable import Growable
from stackrec_keras.stacking.growth import depth, set_depth, stacked_variables
from stackrec_keras.stacking.growth_record import GrowthRecord
from stackrec_keras.stacking.optimizer_state import (
    begin_averages,
    optimizers_of_one_depth,
    schedule_starts,
    set_schedule_starts,
)
from stackrec_keras.stacking.snapshot import Snapshot, seed_states
from stackrec_keras.wording import counted

_VOCABULARY_FILE = "vocabulary.json"
_RECORD_PREFIX = "growth_record."
_SEED_PREFIX = "seed."
_RECORDED = ("initial_blocks", "trained_length", "trained_features", "growth_record")


class GrowableCheckpoint(Growable):
    """Lets a model load weights of any depth.

    Keras restores a parent before its children. The model therefore reads the file's
    depth first, and changes itself and its optimizer to that depth before any block is
    read.

    Attributes:
        trained_length: Integer or `None`, the length of the training sequences.
        trained_features: Tuple of the name, dtype and rank of each training feature.
        frozen: `Frozen` while only the output embedding is trained, or `None`.
    """

    trained_length: int | None = None
    trained_features: tuple[tuple[str, str, int], ...] = ()
    _file_blocks: int | None = None
    _file_arguments: dict[str, Any] = {}
    frozen = None
    tied: bool

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["num_blocks"] = np.array(depth(self))
        store["initial_blocks"] = np.array(self.initial_blocks)
        store["trained_length"] = np.array(self.trained_length or 0)
        features = json.dumps(self.trained_features)
        store["trained_features"] = np.frombuffer(features.encode(), "uint8")
        store["frozen"] = np.array(self.frozen is not None)
        if self.compiled:
            store["schedule_starts"] = np.array(schedule_starts(self))
        store["arguments"] = np.frombuffer(_arguments(self).encode(), "uint8")
        for i, variable in enumerate(seed_states(self)):
            store[f"{_SEED_PREFIX}{i}"] = variable
        if self.growth_record is not None:
            for name, array in self.growth_record.arrays.items():
                store[_RECORD_PREFIX + name] = array

    def load_own_variables(self, store: Any) -> None:
        state = {name: np.asarray(store[name]) for name in store.keys()}
        if "num_blocks" not in state:
            raise ValueError(
                "The file does not contain a depth, so it was not saved by a "
                f"{type(self).__name__}."
            )
        self._file_blocks = int(state["num_blocks"])
        if "arguments" in state:
            self._file_arguments = json.loads(state["arguments"].tobytes())
        if bool(self._file_arguments.get("tied", False)) != self.tied:
            # Keras does not notice this, because the output layer of a tied model has
            # no weights.
            raise ValueError("Either the file or the model has no output embedding.")
        set_depth(self, self._file_blocks)
        # Freeze before the optimizer is read, since that has state only for variables
        # that are trained.
        set_frozen(self, bool(state.get("frozen", False)))
        if "schedule_starts" in state:
            set_schedule_starts(self, state["schedule_starts"].tolist())
        self.initial_blocks = int(state["initial_blocks"])
        self.trained_length = int(state["trained_length"]) or None
        if "trained_features" in state:
            features = json.loads(state["trained_features"].tobytes())
            self.trained_features = tuple(map(tuple, features))
        for i, variable in enumerate(seed_states(self)):
            variable.assign(state[f"{_SEED_PREFIX}{i}"])
        record = _with_prefix(state, _RECORD_PREFIX)
        self.growth_record = GrowthRecord(record) if record else None
        super().load_own_variables({k: v for k, v in state.items() if k.isdigit()})

    def save_assets(self, path: str | PathLike) -> None:
        if self.target_vocabulary is not None:
            path = os.path.join(path, _VOCABULARY_FILE)
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.target_vocabulary.to_json())

    def load_assets(self, path: str | PathLike) -> None:
        path = os.path.join(path, _VOCABULARY_FILE)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.target_vocabulary = Vocabulary.from_json(file.read())

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Sets all weights, and changes the model to their depth.

        Args:
            weights: List of arrays that `get_weights` of this model returned at any
                depth. If the model was extended since then, the weights of the new
                items and users stay as they are, with a warning.
        """
        with self.lock.writing():
            weights, missing = complete_weights(self, weights)
            depth_before, depth_of_weights = depth(self), _common_depth(self, weights)
            if depth_of_weights is not None:
                set_depth(self, depth_of_weights)
            super().set_weights(with_unused_rows(self.weights, weights))
            if depth(self) != depth_before:
                begin_averages(self)
        if missing:
            numbers = ", ".join(counted(n, name[:-1]) for name, n in missing.items())
            warn(
                f"The model was extended by {numbers} after these weights were stored. "
                "What was added keeps its current weights.",
            )

    def save_weights(
        self,
        filepath: str | PathLike,
        overwrite: bool = True,
        max_shard_size: float | None = None,
    ) -> None:
        """Saves the weights, with a checksum by which `load_weights` notices damage.

        Args:
            filepath: Path of a `.weights.h5` file.
            overwrite: Boolean, whether to replace an existing file. Defaults to `True`.
            max_shard_size: As in `keras.Model.save_weights`. Shards have no checksum.
                Defaults to `None`, one file.
        """
        super().save_weights(filepath, overwrite, max_shard_size)
        if max_shard_size is None and os.path.isfile(filepath):  # not a remote one
            add_checksum(filepath)

    def load_weights(
        self, filepath: str | PathLike, skip_mismatch: bool = False, **kwargs
    ) -> None:
        """Loads weights from a file of any depth, and changes the model to that depth.

        Args:
            filepath: Path of a `.weights.h5` or `.keras` file.
            skip_mismatch: Boolean, as in `keras.Model.load_weights`. Defaults to
                `False`.
            **kwargs: The other arguments of `keras.Model.load_weights`.

        Raises:
            ArgumentError: If the file is damaged or does not fit the model, which is
                then unchanged.
        """
        check_undamaged(filepath)
        with self.lock.writing():
            self._load_weights(filepath, skip_mismatch, **kwargs)

    def _load_weights(self, filepath, skip_mismatch, **kwargs):
        before = _Before(self)
        self._file_blocks, self._file_arguments = None, {}
        try:
            super().load_weights(filepath, skip_mismatch, **kwargs)
        except Exception as error:
            file_blocks = self._file_blocks
            before.restore()
            if not isinstance(error, (ValueError, KeyError)):
                raise
            holds = "no depth" if file_blocks is None else counted(file_blocks, "block")
            holds += "".join(
                f", {name}={theirs!r} instead of {ours!r}"
                for name, theirs, ours in _differences(self)
            )
            depth_too = optimizers_of_one_depth(self)
            but = "including num_blocks" if depth_too else "with any num_blocks"
            raise ArgumentError(
                "filepath",
                f"does not fit this {type(self).__name__} of "
                f"{counted(before.num_blocks, 'block')} and "
                f"{counted(self.num_items, 'item')}: the file holds {holds}",
                f"Build the model with the arguments of the saved one, {but}. Keras "
                f"says: {error}",
                os.fspath(filepath),
            ) from error


def make_portable(config):
    """Replaces PyTorch's optimizer classes in a config with Keras' public ones, so that
    a file saved on PyTorch loads on every backend."""
    if not isinstance(config, dict):
        return config
    config = {name: make_portable(part) for name, part in config.items()}
    if str(config.get("module")).startswith("keras.src.backend.torch.optimizers"):
        config["module"] = "keras.optimizers"
    return config


def _arguments(model):
    """Returns a model's constructor arguments, as JSON."""
    config = {"class": type(model).__name__, **model.get_config()}
    return json.dumps(config, default=str)


def _differences(model):
    """Yields (name, value in the file, value of the model) for each argument that
    should be equal in both but differs."""
    own = json.loads(_arguments(model))
    for name, theirs in model._file_arguments.items():
        if name not in ("name", "num_blocks", "dtype") and own.get(name) != theirs:
            yield name, theirs, own.get(name)


class _Before:
    """What a model was before weights were loaded into it."""

    def __init__(self, model):
        self.model = model
        self.num_blocks = depth(model)
        self.frozen = model.frozen is not None
        self.recorded = {name: getattr(model, name) for name in _RECORDED}
        self.snapshot = Snapshot.of(model)

    def restore(self):
        set_frozen(self.model, self.frozen)
        self.snapshot.restore(self.model)
        for name, value in self.recorded.items():
            setattr(self.model, name, value)


def _common_depth(model, weights):
    """Returns the depth at which weights would fit the model, or `None`."""
    stacked = {id(variable) for variable in stacked_variables(model)}
    if len(weights) != len(model.weights):
        return None
    depths = set()
    for variable, weight in zip(model.weights, weights):
        shape, expected = np.shape(weight), used_shape(variable)
        if id(variable) in stacked and shape:
            depths.add(shape[0])
            shape, expected = shape[1:], expected[1:]
        if shape != expected:
            return None
    return depths.pop() if len(depths) == 1 else None


def _with_prefix(state, prefix):
    return {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix)
    }
