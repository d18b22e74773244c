import functools

from stackrec_keras.models import SequentialRecommender


def run_eagerly(monkeypatch):
    """Models run their few steps eagerly: compiling them takes longer."""
    compile = SequentialRecommender.compile
    eager = functools.partialmethod(compile, run_eagerly=True)
    monkeypatch.setattr(SequentialRecommender, "compile", eager)
