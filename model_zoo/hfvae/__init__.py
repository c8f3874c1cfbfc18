"""The hierarchically factorised VAE of Esmaeili et al., AISTATS 2019."""

from latentloom.model_zoo.hfvae.hfvae import HFVAE

__all__ = ["HFVAE"]
