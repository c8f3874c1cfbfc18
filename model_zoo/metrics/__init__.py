"""Metrics of latent codes and of decoded images."""
