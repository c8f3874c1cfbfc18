"""Sections on the code and its blocks."""
