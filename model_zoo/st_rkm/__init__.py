"""The Stiefel-Restricted Kernel Machine of Pandey et al., Neural Computation 2022."""

from latentloom.model_zoo.st_rkm.st_rkm import StRKM

__all__ = ["StRKM"]
