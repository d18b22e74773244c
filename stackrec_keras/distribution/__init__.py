"""Models on several devices."""

from stackrec_keras.distribution.layout import layout

__all__ = ["layout"]
