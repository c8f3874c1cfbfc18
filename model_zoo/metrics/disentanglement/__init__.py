"""Disentanglement scores of latent codes with known factors."""
