"""Layers of Keras. Register them for `keras.saving.load_model` by importing this module."""

from latentloom.pipeline.api.latent_augmentation import LatentAugmentation

__all__ = ["LatentAugmentation"]
