"""Sections on cells that were held out of training."""
