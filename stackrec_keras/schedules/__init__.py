"""Schedules of the learning rate."""

from stackrec_keras.schedules.warmup_stable_decay import WarmupStableDecay

__all__ = ["WarmupStableDecay"]
