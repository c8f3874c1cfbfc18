"""Writes the state of a training run after every epoch, and within long ones, to resume it."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from latentloom.model_zoo.backend.weights import load_weights, save_weights
from latentloom.model_zoo.contract import ShowsDivergence
from latentloom.model_zoo.untrusted_files import told_of_file

STATE_FILE = "state.json"
LAST_WEIGHTS = "last.weights.h5"
BEST_WEIGHTS = "best.weights.h5"
_SAVED = "the state that this training saved"
_FIX = "Start the training anew with --overwrite."


class Checkpoints(keras.callbacks.Callback):
    """Keeps the last and the best weights, the history and the best epoch.

    The last weights and `state.json` are written under a temporary name and renamed; the best
    weights are a copy. `state.json` names the weights that belong to it and is renamed last. The
    weights include the optimizer; `state.json` includes the random state, which Keras does not
    save.

    Args:
        folder: Folder of the checkpoints.
        monitor: Name of the figure to watch, smaller is better.
        patience: Integer, epochs without progress after which training stops, or 0 for never.
        minutes: Float, time of training after which it stops, resumed runs together; None for
            never. An epoch that is cut short counts as a whole one.
        minutes_between: Float, time after which the state is also written within an epoch.
        keeps_last: Whether every epoch is better than the ones before, whatever the figure.
    """

    def __init__(
        self,
        folder: Path,
        monitor: str,
        patience: int,
        minutes: float | None = None,
        minutes_between: float = 10.0,
        keeps_last: bool = False,
    ):
        super().__init__()
        self.folder, self.monitor, self.patience = folder, monitor, patience
        self.keeps_last = keeps_last
        self.limit = math.inf if minutes is None else 60 * minutes
        self.seconds, self._started = 0.0, time.monotonic()
        self.seconds_between, self._saved = 60 * minutes_between, 0.0
        self.next_step, self._figures = 0, []
        self.history: list[dict[str, float]] = []
        self.best, self.best_epoch = float("inf"), -1

    @property
    def next_epoch(self) -> int:
        """Number of the next epoch, or of the one to go on with at `next_step`."""
        return len(self.history)

    @property
    def is_finished(self) -> bool:
        """Whether patience or time has run out."""
        return (
            self.seconds >= self.limit or 0 < self.patience <= self.next_epoch - 1 - self.best_epoch
        )

    def restore(self, model: keras.Model) -> None:
        """Restores the model and this object to the last state that was written, if any."""
        state_file = self.folder / STATE_FILE
        if not state_file.exists():
            return
        with told_of_file(state_file, _SAVED, _FIX):
            state = json.loads(state_file.read_text())
            self.history, self.best = list(state["history"]), float(state["best"])
            self.best_epoch, last = int(state["best_epoch"]), state["last_weights"]
            self.seconds = float(state["seconds"])
            self.next_step, self._figures = int(state["next_step"]), list(state["figures"])
        model.optimizer.build(model.trainable_variables)
        load_weights(model, self.folder / Path(last).name, _FIX)
        with told_of_file(state_file, _SAVED, _FIX):
            for variable, value in zip(_random_state(model), state["random_state"], strict=True):
                variable.assign(value)

    def restore_best(self, model: keras.Model) -> None:
        """Loads the weights of the best epoch."""
        state_file = self.folder / STATE_FILE
        with told_of_file(state_file, _SAVED, _FIX):
            best = Path(json.loads(state_file.read_text())["best_weights"]).name
        load_weights(model, self.folder / best, _FIX)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Starts the clock."""
        self._started = time.monotonic() - self.seconds
        self._saved = self.seconds

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Takes up the figures of an epoch that goes on."""
        if self.next_step:
            for variable, value in zip(self.model.metrics_variables, self._figures, strict=True):
                variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Ends the epoch when time has run out; writes the state now and then."""
        self.seconds = time.monotonic() - self._started
        if self.seconds >= self.limit:
            self.model.stop_training = True
        elif self.seconds - self._saved >= self.seconds_between:
            self._write_within(batch + 1)

    def _write_within(self, done: int) -> None:
        """Writes the state after some steps of `fit` in this epoch, unless the epoch ends here."""
        if done == (self.params or {})["steps"]:
            return
        step, epoch = self.next_step + done, self.next_epoch
        figures = [np.asarray(v).tolist() for v in self.model.metrics_variables]
        self._write_state(f"{epoch:05d}-{step:07d}-{LAST_WEIGHTS}", step, figures)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Writes the state after an epoch; stops the run when patience has run out."""
        figures = {name: float(value) for name, value in sorted((logs or {}).items())}
        self._check(epoch, figures)
        self.history.append({"epoch": epoch, **figures})
        is_best = self.keeps_last or figures[self.monitor] < self.best
        if is_best:
            self.best, self.best_epoch = figures[self.monitor], epoch
        self._write_state(f"{epoch:05d}-{LAST_WEIGHTS}", is_best=is_best)
        # Keras has epochs of one length: after the rest of one, `fit` begins anew.
        if self.is_finished or self.next_step:
            self.model.stop_training = True
        self.next_step = 0

    def _check(self, epoch: int, figures: dict[str, float]) -> None:
        """Raises if training diverged, before the last good checkpoint is overwritten."""
        infinite = [name for name, value in figures.items() if not math.isfinite(value)]
        symptom = None
        if isinstance(self.model, ShowsDivergence):
            symptom = self.model.symptom_of_divergence(figures)
        if infinite:
            name = self.monitor if self.monitor in infinite else infinite[0]
            symptom = f"a finite '{name}'. Received: {name}={figures[name]}", "train.learning_rate"
        if symptom:
            raise FloatingPointError(
                f"Training diverged. Expected: {symptom[0]}, in epoch {epoch}. "
                f"Lower `{symptom[1]}`; the last good checkpoint is kept for --resume."
            )

    def _write_state(
        self, last_weights: str, next_step: int = 0, figures: Sequence = (), is_best: bool = False
    ) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        save_weights(self.model, self.folder / last_weights)
        best_weights = f"{self.best_epoch:05d}-{BEST_WEIGHTS}"
        if is_best:
            shutil.copyfile(self.folder / last_weights, self.folder / best_weights)
        state = {
            "history": self.history,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "last_weights": last_weights,
            "best_weights": best_weights,
            "seconds": self.seconds,
            "next_step": next_step,
            "figures": figures,
            "random_state": [np.asarray(v).tolist() for v in _random_state(self.model)],
        }
        self._saved = self.seconds
        partial = self.folder / f".{STATE_FILE}.tmp"
        partial.write_text(json.dumps(state))
        os.replace(partial, self.folder / STATE_FILE)
        for weights in self.folder.glob("*.weights.h5"):
            if weights.name not in (last_weights, best_weights):
                weights.unlink()


def _random_state(model: keras.Model) -> list[keras.Variable]:
    """Returns the variables of the seed generators of a model and of its layers."""
    return [v for v in model.non_trainable_variables if v.name == "seed_generator_state"]


def history_csv(history: list[dict[str, float]]) -> bytes:
    """Returns the history as CSV, one row an epoch."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(history[0]))
    writer.writeheader()
    writer.writerows(history)
    return file.getvalue().encode()


def read_history(path: Path) -> dict[str, list[float]]:
    """Reads a history in the form of `history_csv`, one list a column."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in rows[0]}
