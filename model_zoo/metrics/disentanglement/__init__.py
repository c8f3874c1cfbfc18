"""Scores of latent codes whose factors are known."""
