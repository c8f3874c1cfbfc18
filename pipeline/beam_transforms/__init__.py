"""Beam transforms for other people's pipelines; `latentloom.beam` hands them on."""

from latentloom.pipeline.beam_transforms.augment import Augment
from latentloom.pipeline.beam_transforms.donor_bank import DonorBank

__all__ = ["Augment", "DonorBank"]
