"""A codec whose codes are known: the class is one number, the style another, nothing is learnt."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from latentloom.augment import Block, BlockPrior, Latents, LatentSpec
from latentloom.pipeline.examples import Examples
from latentloom.pipeline.observations import KINDS

CLASSES = 4
STEP = 50  # pixel levels between classes


class KnownCodec:
    """Images of two pixels, class and style; `zs` is the class, `zu` style and class again.

    Args:
        reads: Block that the decoder takes the class from.
        shows_style: Whether the decoder draws the style.
        learnt_shift: By how much the draws of the model's own prior miss the class.
    """

    def __init__(self, reads: str = "zs", shows_style: bool = True, learnt_shift: float = 0.0):
        self.reads, self.shows_style, self.learnt_shift = reads, shows_style, learnt_shift
        self.bundle = SimpleNamespace(
            model=SimpleNamespace(value_range=(-1.0, 1.0)),
            model_name="known",
            vocabulary=[],
            class_names=[f"c{label}" for label in range(CLASSES)],
            factors={"label": [f"c{label}" for label in range(CLASSES)]},
        )
        centres = np.arange(CLASSES, dtype=np.float32)[:, None, None]
        by_class = BlockPrior(np.ones((CLASSES, 1)), centres, np.full_like(centres, 0.01))
        self.spec = LatentSpec(
            (
                Block("zs", 1, ("label",), by_class),
                Block("zu", 2, (), BlockPrior.standard_normal(2)),
            )
        )

    has_prior = True
    kind = KINDS["image"]

    def encode(self, images: np.ndarray) -> Latents:
        label = images[:, 0, :1, 0].astype(np.float32) / STEP
        style = (images[:, 0, 1:, 0].astype(np.float32) - 128) / 20
        return {"zs": label, "zu": np.concatenate([style, label], axis=1)}

    def sample_posterior(self, images: np.ndarray, seed: int) -> Latents:
        noise = np.random.default_rng(seed).normal(size=(len(images), 1))
        return {name: block + 0.1 * noise for name, block in self.encode(images).items()}

    def posterior_moments(self, images: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        latents = self.encode(images)
        zeros = np.zeros_like(latents["zs"])
        return {"zs": (latents["zs"], zeros), "zu": (latents["zu"], np.ones_like(latents["zu"]))}

    def class_scores(self, latents: Latents) -> np.ndarray:
        return -1000.0 * np.abs(latents["zs"] - np.arange(CLASSES))

    def classify(self, latents: Latents) -> np.ndarray:
        return self.class_scores(latents).argmax(axis=-1)

    def render(self, latents: Latents) -> tuple[np.ndarray, np.ndarray]:
        label = latents["zs"][:, 0] if self.reads == "zs" else latents["zu"][:, 1]
        style = 20.0 * latents["zu"][:, 0] * self.shows_style
        images = images_of(np.round(label), style)
        return images, self.judge(images)

    def judge(self, images: np.ndarray, judge: str = "auditor") -> np.ndarray:
        return np.eye(CLASSES, dtype=np.float32)[np.round(images[:, 0, 0, 0] / STEP).astype(int)]

    def features(self, images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1).astype(np.float32)

    def judge_factors(self, images: np.ndarray, judge: str = "auditor") -> dict[str, np.ndarray]:
        return {"label": self.judge(images, judge)}

    def render_factors(self, latents: Latents) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        images, probabilities = self.render(latents)
        return images, {"label": probabilities}

    def sample_prior(self, labels: np.ndarray, seed: int) -> Latents:
        return {"zs": np.float32((labels[:, None] + self.learnt_shift) % CLASSES)}


def images_of(labels: np.ndarray, styles: np.ndarray) -> np.ndarray:
    """uint8 images `(n, 1, 2, 1)` of a class and a style."""
    pixels = np.stack([labels * STEP, 128 + styles], axis=1)
    return np.clip(np.round(pixels), 0, 255).astype(np.uint8)[:, None, :, None]


def known_examples(count: int = 400, style: float = 20.0) -> Examples:
    """Examples of all classes; the style has this standard deviation in pixel levels."""
    labels = np.arange(count) % CLASSES
    styles = np.random.default_rng(0).normal(size=count) * style
    return Examples(images_of(labels, styles), {"label": labels}, [f"e{i}" for i in range(count)])
