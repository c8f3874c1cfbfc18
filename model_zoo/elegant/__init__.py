"""ELEGANT: attributes exchanged between two images, Xiao et al., ECCV 2018."""

from latentloom.model_zoo.elegant.elegant import Elegant
from latentloom.model_zoo.elegant.pairs import PairBatches

__all__ = ["Elegant", "PairBatches"]
