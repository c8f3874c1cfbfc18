"""Evaluates a bundle and generated data sets."""
