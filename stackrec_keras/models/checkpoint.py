import json
import os
import warnings
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from keras import ops

from stackrec_keras.data import Vocabulary
from stackrec_keras.models.extension import with_own_rows
from stackrec_keras.models.freezing import set_frozen
from stackrec_keras.stacking.growable import Growable
from stackrec_keras.stacking.growth import depth, set_depth, stacked_variables
from stackrec_keras.stacking.in_place import optimizer_chain
from stackrec_keras.stacking.optimizer_state import (
    begin_averages,
    optimizers_of_one_depth,
    schedule_starts,
    set_schedule_starts,
)
from stackrec_keras.stacking.schedules import GrowthRecord

VOCABULARY_FILE = "vocabulary.json"
RECORD = "growth_record."
SEED = "seed."


class GrowableCheckpoint(Growable):
    """What a model adds to Keras' saving so that a file may have any depth.

    Keras restores a parent before its children. So the model reads the depth of
    the file first and takes it on, optimizer included, before any block is read.

    Attributes:
        trained_length: Integer or `None`, the length of the training sequences.
        frozen: `Frozen` while the output table alone is trained, or `None`.
    """

    trained_length: int | None = None
    _file_blocks: int | None = None
    _file_arguments: dict[str, Any] = {}
    frozen = None

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        store["num_blocks"] = np.array(depth(self))
        store["initial_blocks"] = np.array(self.initial_blocks)
        store["trained_length"] = np.array(self.trained_length or 0)
        store["frozen"] = np.array(self.frozen is not None)
        if self.compiled:
            store["schedule_starts"] = np.array(schedule_starts(self))
        store["arguments"] = np.frombuffer(_arguments(self).encode(), "uint8")
        for i, variable in enumerate(_seed_states(self)):
            store[f"{SEED}{i}"] = variable
        if self.growth_record is not None:
            for name, array in self.growth_record.arrays.items():
                store[RECORD + name] = array

    def load_own_variables(self, store: Any) -> None:
        state = {name: np.asarray(store[name]) for name in store.keys()}
        if "num_blocks" not in state:
            raise ValueError(
                f"The file has no depth: it was not saved by a {type(self).__name__}."
            )
        self._file_blocks = int(state["num_blocks"])
        if "arguments" in state:
            self._file_arguments = json.loads(state["arguments"].tobytes())
        set_depth(self, self._file_blocks)
        # The optimizer comes later, and holds what is trained alone.
        set_frozen(self, bool(state.get("frozen", False)))
        if "schedule_starts" in state:
            set_schedule_starts(self, state["schedule_starts"].tolist())
        self.initial_blocks = int(state["initial_blocks"])
        self.trained_length = int(state["trained_length"]) or None
        for i, variable in enumerate(_seed_states(self)):
            variable.assign(state[f"{SEED}{i}"])
        record = _with_prefix(state, RECORD)
        self.growth_record = GrowthRecord(record) if record else None
        super().load_own_variables({k: v for k, v in state.items() if k.isdigit()})

    def save_assets(self, path: str | PathLike) -> None:
        if self.target_vocabulary is not None:
            path = os.path.join(path, VOCABULARY_FILE)
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.target_vocabulary.to_json())

    def load_assets(self, path: str | PathLike) -> None:
        path = os.path.join(path, VOCABULARY_FILE)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.target_vocabulary = Vocabulary.from_json(file.read())

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Sets all weights, taking on the depth of those given.

        Args:
            weights: List of arrays, as `get_weights` of this model gave them at
                any depth. If it was extended since, the rows of the items and users
                that came stay as they are, with a warning.
        """
        with self.lock.writing():
            weights, lacking = with_own_rows(self, weights)
            depth_before, depth_of_weights = depth(self), _common_depth(self, weights)
            if depth_of_weights is not None:
                set_depth(self, depth_of_weights)
            super().set_weights(weights)
            if depth(self) != depth_before:
                begin_averages(self)
        if lacking:
            came = ", ".join(f"{n} {name}" for name, n in lacking.items())
            warnings.warn(
                f"The weights lack {came} that the model has. Those stay as they are.",
                stacklevel=2,
            )

    def load_weights(
        self, filepath: str | PathLike, skip_mismatch: bool = False, **kwargs
    ) -> None:
        """Loads weights from a file of any depth; the model takes that depth.

        Args:
            filepath: Path of a `.weights.h5` or `.keras` file.
            skip_mismatch: As in `keras.Model.load_weights`.
            **kwargs: As in `keras.Model.load_weights`.

        Raises:
            ValueError: If the file does not fit. The model is as it was then.
        """
        with self.lock.writing():
            self._load_weights(filepath, skip_mismatch, **kwargs)

    def _load_weights(self, filepath, skip_mismatch, **kwargs):
        before = _Snapshot(self)
        self._file_blocks, self._file_arguments = None, {}
        try:
            super().load_weights(filepath, skip_mismatch, **kwargs)
        except Exception as error:
            held = self._file_blocks
            before.restore()
            if not isinstance(error, (ValueError, KeyError)):
                raise
            holds = "no depth" if held is None else f"{held} blocks"
            holds += "".join(
                f", {name}={theirs!r} where this has {ours!r}"
                for name, theirs, ours in _differences(self)
            )
            number = "any num_blocks will do"
            if optimizers_of_one_depth(self):
                number = "num_blocks too"
            raise ValueError(
                f"{filepath} does not fit this {type(self).__name__} of "
                f"{before.num_blocks} blocks and {self.num_items} items: the file "
                f"holds {holds}. Build the model with the arguments of the saved one "
                f"({number}). Keras says: {error}"
            ) from error


def of_any_backend(config):
    """A config in which optimizers go by their public names: a file that was saved on
    torch has classes that are of that backend alone."""
    if not isinstance(config, dict):
        return config
    config = {name: of_any_backend(part) for name, part in config.items()}
    if str(config.get("module")).startswith("keras.src.backend.torch.optimizers"):
        config["module"] = "keras.optimizers"
    return config


def _arguments(model):
    """What a model was built with, as JSON."""
    config = {"class": type(model).__name__, **model.get_config()}
    return json.dumps(config, default=str)


def _differences(model):
    """Yields name, value in the file that was read, and value here, of arguments that
    differ, but for those that a file may differ in."""
    own = json.loads(_arguments(model))
    for name, theirs in model._file_arguments.items():
        if name not in ("name", "num_blocks", "dtype") and own.get(name) != theirs:
            yield name, theirs, own.get(name)


class _Snapshot:
    """A model's weights, optimizer and random states at one moment."""

    def __init__(self, model):
        self.model = model
        self.num_blocks = depth(model)
        self.frozen = model.frozen is not None
        self.about = (model.initial_blocks, model.trained_length, model.growth_record)
        self.schedule_starts = schedule_starts(model)
        self.weights = model.get_weights()
        self.state = [ops.convert_to_numpy(v) for v in _other_variables(model)]

    def restore(self):
        model = self.model
        set_frozen(model, self.frozen)
        set_schedule_starts(model, self.schedule_starts)
        model.set_weights(self.weights)
        model.initial_blocks, model.trained_length, model.growth_record = self.about
        for variable, value in zip(_other_variables(model), self.state):
            variable.assign(value)


def _common_depth(model, weights):
    """The depth at which the weights would fit the model, `None` if at none."""
    stacked = {id(variable) for variable in stacked_variables(model)}
    if len(weights) != len(model.weights):
        return None
    depths = set()
    for variable, weight in zip(model.weights, weights):
        shape, expected = np.shape(weight), tuple(variable.shape)
        if id(variable) in stacked and shape:
            depths.add(shape[0])
            shape, expected = shape[1:], expected[1:]
        if shape != expected:
            return None
    return depths.pop() if len(depths) == 1 else None


def _seed_states(model):
    """The states of all random generators, which Keras itself does not save."""
    weights = {id(variable) for variable in model.weights}
    return [v for v in model.variables if id(v) not in weights]


def _other_variables(model):
    of_optimizer = [v for o in optimizer_chain(model)[:1] for v in o.variables]
    return of_optimizer + _seed_states(model)


def _with_prefix(state, prefix):
    return {
        name.removeprefix(prefix): value
        for name, value in state.items()
        if name.startswith(prefix)
    }
