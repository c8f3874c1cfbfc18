"""Generative models in Keras 3: how to encode observations into named latent blocks and back."""
