"""Cells that training never saw."""
