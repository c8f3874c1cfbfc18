"""The PyTorch twin of the classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from training_step.torch_networks import Flatten, strided_convolution


class ClassifierTwin(nn.Module):
    """The twin of `model_zoo.networks.classifier.image_classifier`, trained on cross-entropy."""

    known_only_with: Mapping[str, Any] = {}

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        height, width, channels = config["observation_shape"]
        stack: list[nn.Module] = []
        for factor in (1, 2, 4) if min(height, width) >= 16 else ():
            filters = factor * config["width"]
            stack += strided_convolution((height, width), channels, filters, 3, bias=False)
            stack += [nn.BatchNorm2d(filters, eps=1e-3, momentum=0.1), nn.ReLU(inplace=True)]
            height, width, channels = -(-height // 2), -(-width // 2), filters
        stack += [Flatten((height, width), channels, config["channels_last"]), nn.Dropout(0.2)]
        stack += [nn.Linear(height * width * channels, 256), nn.ReLU(inplace=True)]
        stack += [nn.Dropout(0.4), nn.Linear(256, config["num_classes"])]
        self.network = nn.Sequential(*stack)

    def noise(self, batch_size: int, device: str) -> tuple[torch.Tensor, ...]:
        """What is drawn in a step, beside the dropout of the network itself."""
        return ()

    def forward(self, images, noise):
        return {"logits": self.network(images)}

    def loss_terms(self, images, labels, outputs, noise):
        """`loss`, which is minimised, and what training shows beside it."""
        logits = outputs["logits"].float()
        accuracy = (logits.detach().argmax(dim=-1) == labels).float().mean()
        return {"loss": functional.cross_entropy(logits, labels), "accuracy": accuracy}
