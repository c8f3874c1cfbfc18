"""PyTorch twins of the zoo's models, which `train_step.py` races the zoo against.

A twin has the parameters, the loss terms with their stop-gradients and the draws of noise of its
Keras model; `differences` in `torch_step.py` proves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn
from training_step.torch_classifier import ClassifierTwin
from training_step.torch_drit import DritTwin
from training_step.torch_elegant import ElegantTwin
from training_step.torch_gzs_net import GZSTwin
from training_step.torch_zszu_vae import ZsZuTwin

TWINS: dict[str, type[ZsZuTwin | GZSTwin | ElegantTwin | DritTwin | ClassifierTwin]] = {
    "zszu_vae": ZsZuTwin,
    "gzs_net": GZSTwin,
    "elegant": ElegantTwin,
    "drit": DritTwin,
    "classifier": ClassifierTwin,
}


def new_twin(config: Mapping[str, Any]) -> nn.Module:
    """The twin of the Keras model with some hyperparameters, `model`, its name, among them.

    Raises:
        ValueError: The twin knows one of them with another value only (`known_only_with`).
    """
    twin = TWINS[config["model"]]
    for name, known in twin.known_only_with.items():
        if config.get(name, known) != known:
            raise ValueError(
                f"The model has no PyTorch twin. Expected: {name}={known!r}. "
                f"Received: {name}={config[name]!r}. Add it to `{twin.__name__}`."
            )
    return twin(config)
