"""Optimizers that Keras does not have."""

from model_zoo.optimizers.grouped import Grouped

__all__ = ["Grouped"]
