"""The class-conditional Gaussian mixture of `model_zoo.networks.gaussian_mixture` in PyTorch."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Mixture(nn.Module):
    """The parameters of `model_zoo.networks.gaussian_mixture.ClassMixture`."""

    def __init__(self, num_classes: int, dim: int, precision_range: tuple[float, float]):
        super().__init__()
        self.loc = nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_classes, dim)))
        self.raw_precision = nn.Parameter(torch.full((num_classes, dim), 0.54))
        self.precision_range = precision_range

    @property
    def precision(self) -> torch.Tensor:
        """Precision of every component, `(num_classes, dim)`."""
        return functional.softplus(self.raw_precision).clamp(*self.precision_range)


def mixture_losses(codes, labels, loc, precision, margin: float = 0.0):
    """Class loss, likelihood loss and scores, as `model_zoo.losses.mixture.mixture_losses`."""
    with torch.autocast(codes.device.type, enabled=False):
        squares, cross = codes.square() @ precision.T, codes @ (precision * loc).T
    distance = 0.5 * (squares - 2.0 * cross + (precision * loc.square()).sum(dim=-1))
    log_volume = 0.5 * precision.log().sum(dim=-1)
    one_hot = functional.one_hot(labels, len(loc)).to(codes.dtype)
    scores = log_volume - ((1.0 + margin * one_hot) * distance if margin else distance)
    likelihood_loss = (one_hot * (distance - log_volume)).sum(dim=-1).mean()
    return functional.cross_entropy(scores, labels), likelihood_loss, log_volume - distance
