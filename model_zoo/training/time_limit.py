"""Ends a training of a network without checkpoints when its time has run out."""

from __future__ import annotations

import time

import keras


class TimeLimit(keras.callbacks.Callback):
    """Ends a training at the end of the step in which its time runs out.

    Args:
        minutes: Float, the time.
    """

    def __init__(self, minutes: float):
        super().__init__()
        self.seconds, self._started = 60 * minutes, time.monotonic()

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts the clock."""
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Stops the training when time has run out."""
        if time.monotonic() - self._started >= self.seconds:
            self.model.stop_training = True
