"""Layers and networks that several models use."""
