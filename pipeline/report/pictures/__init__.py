"""Observations as pictures, one class a kind."""
