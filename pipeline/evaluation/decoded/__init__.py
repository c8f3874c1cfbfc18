"""Sections on decoded observations."""
