"""Sections on the control of single factors."""
