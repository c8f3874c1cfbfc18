"""Observations as pictures, one class per kind."""
