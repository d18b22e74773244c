"""Exports programs for batches of any size with PyTorch's own exporter.

Keras' export does not suffice: for ONNX it traces with TorchScript, which cannot export
layer normalization, and its `torch.export` programs take only a batch of one row.
"""

import keras
import torch
from keras import ops


def export_onnx(scorer, filepath, verbose, input_signature, opset_version=None):
    """Writes an ONNX file.

    Args:
        scorer: A `Scorer`.
        filepath: Path of the file.
        verbose: As in `keras.Model.export`.
        input_signature: List of one `keras.InputSpec`, or of one dict of them.
        opset_version: Integer or `None`, the version of ONNX's operators. Defaults to
            `None`, which means the exporter's own.
    """
    specs = keras.tree.flatten(input_signature)
    inputs = input_signature[0]
    program = torch.onnx.export(
        _FlatInputs(scorer, inputs).eval(),
        tuple(ops.ones([n or 2 for n in spec.shape], spec.dtype) for spec in specs),
        dynamo=True,
        dynamic_shapes=(tuple(map(_dynamic_axes, specs)),),
        input_names=sorted(inputs) if isinstance(inputs, dict) else ["items"],
        output_names=["scores"],
        opset_version=opset_version,
        verbose=False,
    )
    program.save(filepath)
    if verbose is not False:
        print(f"Saved artifact at '{filepath}'.")


def dynamic_shapes(input_signature):
    """Returns the argument `dynamic_shapes` of `torch.export.export`."""
    return [(keras.tree.map_structure(_dynamic_axes, input_signature[0]),)]


def _dynamic_axes(spec):
    return {0: torch.export.Dim("batch")} if spec.shape[0] is None else {}


class _FlatInputs(torch.nn.Module):
    """Takes each tensor of nested inputs as a separate argument, as ONNX does."""

    def __init__(self, scorer, inputs):
        super().__init__()
        self.scorer = scorer
        self.inputs = inputs

    def forward(self, *tensors):
        return self.scorer(keras.tree.pack_sequence_as(self.inputs, tensors))
