"""Figures that say what a latent code holds and what decoded images are like."""
