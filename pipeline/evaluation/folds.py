"""Reads the examples of an evaluation: those to score and those to train probes on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from latentloom.augment import HoldOut
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.folds import divide
from latentloom.pipeline.dataset.held_out_cells import divide_off, split_by_group, unseen_halves
from latentloom.pipeline.dataset.sampling import choose


@dataclass(frozen=True)
class EvaluationFolds:
    """Examples of an evaluation. Get them with `read_folds`.

    Attributes:
        train: Examples that the model was trained on.
        scored: Examples to score: the split `test`, else `validation` or the validation share.
        name: Name of the scored examples, `"test"` or `"validation"`.
        unseen: Examples of the split `train` whose cells were held out, by group.
        of_seen_cells: The scored examples whose cells were not held out.
        of_unseen_cells: All examples of the same split or share whose cells were held out. No
            model was trained on them, not even one that held out no cells.
        whole_factors: Value indices of the training examples before cells were held out.
        halves: Training examples that each judge was not trained on, by its name.
    """

    train: Examples
    scored: Examples
    name: str
    unseen: dict[str, Examples]
    of_seen_cells: Examples
    of_unseen_cells: Examples
    whole_factors: dict[str, np.ndarray]
    halves: dict[str, Examples] = field(default_factory=dict)


def read_folds(
    dataset: DatasetDir, config: Config, hold_out: HoldOut | None = None
) -> EvaluationFolds:
    """Reads the examples to train probes on, to score, and of held-out cells."""
    hold_out = hold_out or HoldOut()
    examples = dataset.read("train", config.data.limit)
    check_classes(examples, "training")
    validation = dataset.read_validation()
    whole = divide(examples, config.data.validation_share, config.train.seed, validation)
    folds = divide_off(whole, hold_out, dataset.manifest.factors)
    name = dataset.scored_split
    apart = dataset.read("test") if name == "test" else whole.validation
    most, seed = config.evaluate.probe_examples, config.generate.seed
    scored = apart if name == "test" else folds.validation
    scored = choose(scored, most, seed, "evaluate")
    return EvaluationFolds(
        train=folds.train,
        scored=scored,
        name=name,
        unseen=split_by_group(examples, hold_out),
        of_seen_cells=scored.take(hold_out.keeps(scored.factors)),
        of_unseen_cells=apart.take(~hold_out.keeps(apart.factors)),
        whole_factors=whole.train.factors,
        halves=unseen_halves(folds, hold_out),
    )


def check_classes(examples: Examples, name: str) -> None:
    """Rejects examples of fewer than two classes."""
    if (found := len(np.unique(examples.labels))) < 2:
        raise ValueError(
            f"The {name} examples have too few classes. Expected: examples of two classes or "
            f"more. Received: {len(examples)} examples of {found} classes. Import more classes."
        )
