"""Generates a data set of variants from a data set and a bundle."""
