"""The hierarchically factorised VAE of Esmaeili et al., AISTATS 2019."""

from model_zoo.hfvae.hfvae import HFVAE

__all__ = ["HFVAE"]
