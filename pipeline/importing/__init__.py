"""Imports labelled observations into a data set directory."""
