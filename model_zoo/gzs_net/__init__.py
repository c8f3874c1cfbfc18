"""The group-supervised zero-shot synthesis network of Ge et al., ICLR 2021."""

from latentloom.model_zoo.gzs_net.groups import GroupBatches
from latentloom.model_zoo.gzs_net.gzs_net import GZSNet
from latentloom.model_zoo.training.sharers import Sharers

__all__ = ["GZSNet", "GroupBatches", "Sharers"]
