"""Exports programs for batches of any size with PyTorch's own exporter.

Keras' export does not suffice: for ONNX it traces with TorchScript, which cannot export
layer normalization, and its `torch.export` programs take only a batch of one row.
"""

import keras
import torch
from keras import ops

from stackrec_keras.models.ranker import Ranker


def export_onnx(program, filepath, verbose, input_signature, opset_version=None):
    """Writes an ONNX file.

    Args:
        program: A `Scorer` or a `Ranker`.
        filepath: Path of the file.
        verbose: As in `keras.Model.export`.
        input_signature: List of one `keras.InputSpec`, or of one dict of them.
        opset_version: Integer or `None`, the version of ONNX's operators. Defaults to
            `None`, which means the exporter's default version.
    """
    specs = keras.tree.flatten(input_signature)
    inputs = input_signature[0]
    flat = _FlatInputs(program, inputs).eval()
    exported = torch.onnx.export(
        flat,
        tuple(ops.ones([n or 2 for n in spec.shape], spec.dtype) for spec in specs),
        dynamo=True,
        dynamic_shapes=(tuple(map(_dynamic_axes, specs)),),
        input_names=sorted(inputs) if isinstance(inputs, dict) else ["items"],
        output_names=flat.output_names,
        opset_version=opset_version,
        verbose=False,
    )
    exported.save(filepath)
    if verbose is not False:
        print(f"Saved artifact at '{filepath}'.")


def dynamic_shapes(input_signature):
    """Returns the argument `dynamic_shapes` of `torch.export.export`."""
    return [(keras.tree.map_structure(_dynamic_axes, input_signature[0]),)]


def _dynamic_axes(spec):
    names = ("batch", "time")
    return {
        axis: torch.export.Dim(names[axis])
        for axis, size in enumerate(spec.shape)
        if size is None
    }


def top_k(scores, k):
    """Returns each row's `k` highest scores and their indices. Among equal scores the
    lower index comes first; `torch.topk` promises no order.

    Args:
        scores: Float32 tensor `(rows, n)`.
        k: Integer, at most `n`.
    """
    # If the bits of floats are read as integers, negative floats come in reverse order.
    # So all their bits but the sign are flipped. Adding 0 makes -0 equal to 0.
    bits = (scores + 0.0).view(torch.int32)
    ranks = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).long()
    places = torch.arange(scores.shape[1], device=scores.device)
    best = torch.topk((ranks << 32) - places, k).indices
    return torch.gather(scores, 1, best), best


class _FlatInputs(torch.nn.Module):
    """Takes each tensor of nested inputs as a separate argument, as ONNX does, and
    gives outputs as a tuple."""

    def __init__(self, program, inputs):
        super().__init__()
        self.program = program
        self.inputs = inputs
        is_ranker = isinstance(program, Ranker)
        self.output_names = ["ids", "scores"] if is_ranker else ["scores"]

    def forward(self, *tensors):
        inputs = keras.tree.pack_sequence_as(self.inputs, tensors)
        return tuple(keras.tree.flatten(self.program(inputs)))
