"""Beam transforms for your own pipelines: `Augment` and `DonorBank`."""

from latentloom.pipeline.api.arguments import prepare

prepare()  # before Keras is imported

from latentloom.pipeline.beam_transforms import Augment, DonorBank  # noqa: E402

__all__ = ["Augment", "DonorBank"]
