"""Programs that PyTorch's exporter writes, for a batch of any size.

For one, Keras traces an ONNX file by TorchScript, which has no layer normalization in
it, and writes a program of `torch.export` for a batch of one row.
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
        input_signature: List of one spec, or of a dict of them.
        opset_version: Integer or `None`, the version of ONNX's operators.
    """
    specs = keras.tree.flatten(input_signature)
    inputs = input_signature[0]
    program = torch.onnx.export(
        _OfTensors(scorer, inputs).eval(),
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
    """Returns that argument of `torch.export.export`, for a Keras model."""
    return [(keras.tree.map_structure(_dynamic_axes, input_signature[0]),)]


def _dynamic_axes(spec):
    return {0: torch.export.Dim("batch")} if spec.shape[0] is None else {}


class _OfTensors(torch.nn.Module):
    """Takes each tensor of nested inputs by itself, as an ONNX file does."""

    def __init__(self, scorer, inputs):
        super().__init__()
        self.scorer = scorer
        self.inputs = inputs

    def forward(self, *tensors):
        return self.scorer(keras.tree.pack_sequence_as(self.inputs, tensors))
