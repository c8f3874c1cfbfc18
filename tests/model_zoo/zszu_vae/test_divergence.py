"""A code of zu that flees from the adversary stops the run, and what was good is kept."""

import json

import keras
import numpy as np
import pytest

from latentloom.model_zoo.training.checkpoints import STATE_FILE
from latentloom.model_zoo.training.fit import fit
from latentloom.model_zoo.training.schedule import Schedule
from latentloom.model_zoo.zszu_vae import ZsZuVAE
from latentloom.model_zoo.zszu_vae.zszu_vae import MOST_NATS_A_DIM

SCHEDULE = Schedule(epochs=3, batch_size=32, learning_rate=1e-3)
ZU_DIM = 2


class Flight(keras.callbacks.Callback):
    """Moves the means of zu far off when the second epoch begins."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            for weight in self.model.zu_encoder.trainable_variables:
                if weight.shape == (2 * ZU_DIM,):
                    weight.assign([100.0] * ZU_DIM + [0.0] * ZU_DIM)


def new_model() -> ZsZuVAE:
    keras.utils.set_random_seed(0)
    return ZsZuVAE((8, 8, 1), 10, zs_dim=3, zu_dim=ZU_DIM, hidden_dim=8, kl_weight=1e-6)


def test_a_run_that_diverges_stops_with_the_fix_and_goes_on_from_the_last_good_epoch(
    folds, tmp_path
):
    with pytest.raises(
        FloatingPointError,
        match=r"kl_zu of at most 40 nats.*epoch 1.*Lower `model\.args\.adversary_weight`.*--resume",
    ):
        fit(new_model(), *folds, SCHEDULE, tmp_path, [Flight()])
    (kept,) = json.loads((tmp_path / STATE_FILE).read_text())["history"]
    model = new_model()
    history = fit(model, *folds, SCHEDULE, tmp_path)
    assert [epoch["epoch"] for epoch in history] == [0, 1, 2]
    assert history[0] == kept
    assert all(epoch["kl_zu"] < MOST_NATS_A_DIM * ZU_DIM for epoch in history)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
