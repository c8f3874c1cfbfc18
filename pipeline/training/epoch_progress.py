"""Shows the epochs of a training."""

from __future__ import annotations

import keras

from latentloom.pipeline.terminal.progress import Advance


class EpochProgress(keras.callbacks.Callback):
    """Shows the epochs of a training on a progress display, and the steps of long ones.

    Args:
        advance: The function of the stage.
        figures: Names of the logged figures to show.
    """

    def __init__(self, advance: Advance, figures: tuple[str, ...] = ()):
        super().__init__()
        self.advance, self.figures, self._epoch = advance, figures, 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Shows the step, which a display does now and then."""
        step = f"step {batch + 1}/{self._planned('steps')}"
        self.advance(self._epoch, self._planned("epochs"), step)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Shows the epoch and its figures."""
        self.advance(epoch + 1, self._planned("epochs"), "  ".join(self.remarks(epoch, logs)))

    def remarks(self, epoch: int, logs: dict | None) -> list[str]:
        """What to show at the end of an epoch: the logged figures."""
        return [f"{name} {logs[name]:.4g}" for name in self.figures if logs and name in logs]

    def _planned(self, what: str) -> int:
        """Returns the number of epochs, or of steps of an epoch, that Keras was told."""
        return (self.params or {})[what]
