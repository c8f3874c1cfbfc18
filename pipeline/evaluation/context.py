"""The input of the sections of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

from latentloom.augment import HoldOut
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.dataset.terciles import Terciles
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.folds import EvaluationFolds


@dataclass(frozen=True)
class EvaluationContext:
    """Models, data and settings of an evaluation: the one argument of every section.

    Attributes:
        encoded: The scored examples with their codes and the codec of the evaluated bundle.
        folds: All examples, including the training examples of the model.
        manifest: The manifest of the data set.
        config: The configuration; its sections `evaluate` and `generate` apply.
        hold_out: The cells that were held out of training.
        full: Codec of the full model: the same recipe, trained on the held-out cells too; or None.
    """

    encoded: EncodedExamples
    folds: EvaluationFolds
    manifest: Manifest
    config: Config
    hold_out: HoldOut = field(default_factory=HoldOut)
    full: Codec | None = None

    @property
    def codec(self) -> Codec:
        """The codec of the evaluated bundle."""
        return self.encoded.codec

    @property
    def train(self) -> Examples:
        """The examples that the model was trained on."""
        return self.folds.train

    @property
    def terciles(self) -> Terciles:
        """Limits of the factors measured from pixels."""
        return Terciles.from_details(self.manifest.details)
