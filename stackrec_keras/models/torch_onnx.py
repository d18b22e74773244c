"""ONNX files on PyTorch, the only backend whose exporter Keras calls in a way that no
layer normalization survives: with a batch of any size, by tracing TorchScript."""

import keras
import torch
from keras import ops


def export_onnx(scorer, filepath, verbose, input_signature, opset_version=None):
    """Writes an ONNX file that takes a batch of any size.

    Args:
        scorer: A `Scorer`.
        filepath: Path of the file.
        verbose: As in `keras.Model.export`.
        input_signature: List of one spec, or of a dict of them.
        opset_version: Integer or `None`, the version of ONNX' operators.
    """
    specs = keras.tree.flatten(input_signature)
    given = input_signature[0]
    program = torch.onnx.export(
        _OfTensors(scorer, given).eval(),
        tuple(ops.ones([n or 2 for n in spec.shape], spec.dtype) for spec in specs),
        dynamo=True,
        dynamic_shapes=(tuple(map(_dynamic_axes, specs)),),
        input_names=sorted(given) if isinstance(given, dict) else ["items"],
        output_names=["scores"],
        opset_version=opset_version,
        verbose=False,
    )
    program.save(filepath)
    if verbose is not False:
        print(f"Saved artifact at '{filepath}'.")


class _OfTensors(torch.nn.Module):
    """Takes each tensor of nested inputs by itself."""

    def __init__(self, scorer, structure):
        super().__init__()
        self.scorer = scorer
        self.structure = structure

    def forward(self, *tensors):
        return self.scorer(keras.tree.pack_sequence_as(self.structure, tensors))


def _dynamic_axes(spec):
    return {0: torch.export.Dim("batch")} if spec.shape[0] is None else {}
