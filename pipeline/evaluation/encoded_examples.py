"""Encoded examples that a model was not trained on, for the figures of an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentloom.augment import Latents, LatentSpec, identity_keys
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.evaluation.folds import check_classes


@dataclass(frozen=True)
class EncodedExamples:
    """Examples with their mean codes. Get one with `EncodedExamples.encode`.

    Attributes:
        codec: The codec of the bundle that is measured.
        examples: Examples that the model was not trained on, of two classes or more.
        latents: Their codes without noise.
        name: What they are, `"test"` or `"validation"`.
        seed: Seed of every draw, together with the ids of the examples.
    """

    codec: Codec
    examples: Examples
    latents: Latents
    name: str
    seed: int

    @classmethod
    def encode(cls, codec: Codec, examples: Examples, name: str, seed: int) -> EncodedExamples:
        """Encodes examples, in an order of its own, so that theirs makes no difference.

        Raises:
            ValueError: They are of one class, or no block of the model carries the label.
        """
        check_classes(examples, name)
        check_blocks(codec.spec, codec.bundle.model_name)
        examples = choose(examples, len(examples), seed, "held out")
        return cls(codec, examples, codec.encode(examples.images), name, seed)

    @property
    def one(self) -> str:
        """What people call one of them."""
        return self.codec.kind.one

    @property
    def many(self) -> str:
        """What people call several of them."""
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
        """One random key an example, `(n,)` uint64, the same in any order of the examples."""
        return identity_keys(self.seed, use, self.examples.ids)

    def rows(self, blocks: Sequence[str], rows: np.ndarray | slice = slice(None)) -> Latents:
        """The mean codes of some blocks, at some rows."""
        return {name: self.latents[name][rows] for name in blocks}

    def from_prior(self, blocks: Sequence[str], use: str, temperature: float = 1.0) -> Latents:
        """Draws blocks from the exported prior, given the classes of the examples."""
        return {
            name: self.codec.spec[name].prior.sample(
                self.keys(f"{use} {name}"), self.labels, temperature
            )
            for name in blocks
        }

    def decode(self, *parts: Latents) -> np.ndarray:
        """Decodes codes, given block by block in any order, to observations as stored."""
        codes = {name: block for part in parts for name, block in part.items()}
        return self.codec.render({name: codes[name] for name in self.codec.spec.names})[0]

    def audit(self, images: np.ndarray) -> np.ndarray:
        """The class that the auditor reads in each image, `(n,)`."""
        return np.argmax(self.codec.judge(images, "auditor"), axis=-1)


def check_blocks(spec: LatentSpec, model: str) -> None:
    """Refuses a model of whose code no block carries the label."""
    if not spec.carriers("label"):
        raise ValueError(
            f"The code of model '{model}' does not know the class. Expected: a block that carries "
            f"the label. Received: blocks {list(spec.names)} without it. Train a model with one, "
            "such as zszu_vae."
        )
