"""Encoded held-out examples, for the figures of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import Latents, LatentSpec, identity_keys
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import sample
from latentloom.pipeline.evaluation.folds import check_classes


@dataclass(frozen=True)
class EncodedExamples:
    """Examples with their mean codes. Get one with `EncodedExamples.encode`.

    Attributes:
        codec: The codec of the measured bundle.
        examples: Examples that the model was not trained on, of two classes or more.
        latents: Their codes without noise.
        name: Name of the examples, `"test"` or `"validation"`.
        seed: Seed of every draw, together with the ids of the examples.
    """

    codec: Codec
    examples: Examples
    latents: Latents
    name: str
    seed: int

    @classmethod
    def encode(cls, codec: Codec, examples: Examples, name: str, seed: int) -> EncodedExamples:
        """Encodes examples in a fixed order, so the result does not depend on theirs.

        Takes only as many as fit into `SAMPLE_BYTES`.

        Raises:
            ValueError: All examples have one class, or no block of the model carries the label.
        """
        check_classes(examples, name)
        check_blocks(codec.spec, codec.bundle.model_name)
        examples = sample(examples, len(examples), seed, "held out")
        return cls(codec, examples, codec.encode(examples.observations), name, seed)

    @property
    def one(self) -> str:
        """Noun for one observation, such as "image"."""
        return self.codec.kind.one

    @property
    def many(self) -> str:
        """Noun for several observations, such as "images"."""
        return self.codec.kind.many

    @property
    def labels(self) -> np.ndarray:
        """Classes of the examples, `(n,)`."""
        return self.examples.labels

    @property
    def chance(self) -> float:
        """Share of the most frequent class."""
        return float(np.bincount(self.labels).max() / len(self.labels))

    @property
    def carriers(self) -> tuple[str, ...]:
        """Names of the blocks that carry the label."""
        return self.codec.spec.carriers("label")

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the blocks that do not carry the label."""
        return self.codec.spec.free_of("label")

    def keys(self, use: str) -> np.ndarray:
        """One random key per example, `(n,)` uint64, the same in any order of the examples."""
        return identity_keys(self.seed, use, self.examples.ids)

    def rows(self, blocks: Sequence[str], rows: np.ndarray | slice = slice(None)) -> Latents:
        """The mean codes of some blocks, at some rows."""
        return {name: self.latents[name][rows] for name in blocks}

    def from_prior(self, blocks: Sequence[str], use: str, temperature: float = 1.0) -> Latents:
        """Draws blocks from the exported prior, given the classes of the examples."""
        return {
            name: self.codec.spec[name].draw(
                self.keys(f"{use} {name}"), {"label": self.labels}, temperature
            )
            for name in blocks
        }

    def decode(self, *parts: Latents) -> np.ndarray:
        """Decodes codes, given block by block in any order, to observations as stored."""
        codes = {name: block for part in parts for name, block in part.items()}
        return self.codec.render({name: codes[name] for name in self.codec.spec.names})[0]

    def audit(self, images: np.ndarray) -> np.ndarray:
        """The class that the auditor predicts for each image, `(n,)`."""
        return np.argmax(self.codec.judge(images, "auditor"), axis=-1)


def check_blocks(spec: LatentSpec, model: str) -> None:
    """Rejects a model if no block of its code carries the label."""
    if not spec.carriers("label"):
        raise ValueError(
            f"The code of model '{model}' does not carry the class. Expected: a block that carries "
            f"the label. Received: blocks {list(spec.names)} without it. Train a model with one, "
            "such as zszu_vae."
        )
