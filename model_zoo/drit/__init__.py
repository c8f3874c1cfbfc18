"""DRIT: images translated between domains, with drawn styles, Lee et al., ECCV 2018."""

from latentloom.model_zoo.drit.domains import DomainBatches
from latentloom.model_zoo.drit.drit import Drit

__all__ = ["DomainBatches", "Drit"]
