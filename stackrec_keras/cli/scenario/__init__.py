"""`stackrec scenario`: the experiments of StackRec's release as single commands."""

from stackrec_keras.cli.scenario.command import add_parser, run

__all__ = ["add_parser", "run"]
