"""Runs a bundle: compiles its model and judges."""
