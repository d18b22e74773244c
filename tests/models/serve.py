"""What a server does with a program, which needs nothing of this package.

python serve.py FORMAT PATH HISTORIES OUT
"""

import sys

import numpy as np


def serve(format, path, x):
    """Returns a dict of what a program gives for a dict of arrays."""
    if format == "torch":
        import torch

        program = torch.export.load(path).module()
        x = {name: torch.tensor(values) for name, values in x.items()}
        return _as_arrays(program(x if len(x) > 1 else x["items"]))
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, x)))
    import tensorflow as tf

    program = tf.saved_model.load(path)
    return _as_arrays(program.serve(x if len(x) > 1 else x["items"]))


def _as_arrays(served):
    return {name: np.asarray(values) for name, values in served.items()}


if __name__ == "__main__":
    format, path, histories, out = sys.argv[1:]
    np.savez(out, **serve(format, path, dict(np.load(histories))))
    assert "stackrec_keras" not in sys.modules
