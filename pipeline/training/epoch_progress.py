"""Shows the epochs of a training."""

from __future__ import annotations

import keras

from latentloom.pipeline.terminal.progress import Advance


class EpochProgress(keras.callbacks.Callback):
    """Shows the epochs of a training on a progress display.

    Args:
        advance: The function of the stage.
        epochs: Number of epochs of the whole training.
        figures: Names of the logged figures to show.
    """

    def __init__(self, advance: Advance, epochs: int, figures: tuple[str, ...] = ()):
        super().__init__()
        self.advance, self.epochs, self.figures = advance, epochs, figures

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Shows the epoch and its figures."""
        shown = [f"{name} {logs[name]:.4g}" for name in self.figures if logs and name in logs]
        self.advance(epoch + 1, self.epochs, "  ".join(shown))
