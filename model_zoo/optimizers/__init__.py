"""Optimizers that Keras lacks."""

from latentloom.model_zoo.optimizers.cayley_adam import CayleyAdam
from latentloom.model_zoo.optimizers.fused_adam import FusedAdam
from latentloom.model_zoo.optimizers.grouped import Grouped

__all__ = ["CayleyAdam", "FusedAdam", "Grouped"]
