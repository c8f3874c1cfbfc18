"""Verifies, compares and describes data set directories."""
