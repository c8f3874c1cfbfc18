"""The sections of a configuration: frozen models, with the meaning of each key."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from latentloom.augment import LatentSpec
from latentloom.augment.gate import QualityGate
from latentloom.pipeline.config.ranges import (
    LARGEST_BATCH,
    MOST_EPOCHS,
    MOST_EXAMPLES,
    MOST_STEPS,
    WIDEST,
    Count,
    Flag,
    Minutes,
    Number,
    Probability,
    Quota,
    Rate,
    Ratio,
    Seed,
    Share,
    Text,
    as_switch,
)
from latentloom.pipeline.config.strategies import SamplingStrategy


class Section(BaseModel):
    """A part of a configuration: frozen; rejects unknown keys.

    Numbers are strict: neither `true` nor "3" is one, and 3.0 is no integer. They are finite.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False
    )


class HoldOutConfig(Section):
    """A group of cells of the factor grid that is held out of training."""

    cells: list[dict[str, str]] = []
    """The cells: a value per factor, with the same factors in every cell."""
    share: Number | None = Field(default=None, gt=0, lt=1)
    """Instead of `cells`: share of the cells with an example to draw; every value keeps a cell."""
    factors: list[str] | None = None
    """Factors of the drawn cells; none for all."""
    seed: Seed = 0
    """Seed of the draw."""

    @model_validator(mode="after")
    def _one_way(self) -> HoldOutConfig:
        if bool(self.cells) == bool(self.share) or (self.cells and self.factors):
            raise ValueError("either `cells`, or a `share` of the cells of some `factors`")
        return self


class DeformConfig(Section):
    """Limits of the random deformation of training images, drawn anew each time."""

    shift: Number = Field(default=0.1, ge=0, le=1)
    """Largest shift, as a share of height and of width."""
    rotation: Number = Field(default=15.0, ge=0, le=180)
    """Largest rotation in degrees, in either direction."""
    zoom: Number = Field(default=0.1, ge=0, lt=1)
    """Largest change of size, as a share, in either direction; set 0 if a factor is the size."""
    flip: Flag = False
    """Whether to mirror half of the images; leave off where mirroring changes their meaning."""


class DataConfig(Section):
    """Settings of the examples: validation, limit, deformation and held-out cells."""

    validation_share: Number = Field(default=0.05, gt=0, lt=1)
    """Share of the training split for validation, which decides when training stops; unused if the
    data have a split `validation`."""
    limit: Count | None = Field(default=None, ge=1, le=MOST_EXAMPLES)
    """Largest number of training examples; none for all."""
    deform: DeformConfig | None = None
    """Deforms the images that train model and judges; for few images. None for off."""
    hold_out: dict[str, HoldOutConfig] = {}
    """Groups of cells, by name, held out of training model and judge; the auditor still sees them.
    A plain list of cells makes the group `held_out`; cells of other factors make `held_out_2` and
    so on."""

    @field_validator("hold_out", mode="before")
    @classmethod
    def _name_groups(cls, groups: Any) -> Any:
        """Makes one group per grid from a plain list of cells."""
        if not isinstance(groups, list):
            return groups
        grids: dict[frozenset, list] = {}
        for cell in groups:
            grid = frozenset(cell) if isinstance(cell, dict) else frozenset()
            grids.setdefault(grid, []).append(cell)
        names = ["held_out", *(f"held_out_{number}" for number in range(2, len(grids) + 1))]
        return {name: {"cells": cells} for name, cells in zip(names, grids.values(), strict=False)}


class ModelConfig(Section):
    """A model of the zoo, with its arguments."""

    name: str = "zszu_vae"
    args: dict[str, Any] = {}

    @field_validator("args")
    @classmethod
    def _switch(cls, args: dict[str, Any]) -> dict[str, Any]:
        return {name: as_switch(value) for name, value in args.items()}


class TrainConfig(Section):
    """Settings for training the generative model."""

    epochs: Count = Field(default=20, ge=1, le=MOST_EPOCHS)
    steps: Count | None = Field(default=None, ge=1, le=MOST_STEPS)
    """Batches of the whole training, instead of `epochs`; more than a pass over the data are
    rounded up to whole passes."""
    minutes: Minutes | None = None
    """Time after which training stops wherever it is, resumed runs together; the result depends on
    the machine. The learning rate falls with the steps, not with the time."""
    checkpoint_minutes: Minutes = 10.0
    """Time after which the state is saved within an epoch too, for `--resume`."""
    batch_size: Count = Field(default=128, ge=1, le=LARGEST_BATCH)
    learning_rate: Rate = 1e-3
    beta_1: Share = 0.9
    """Decay of the averaged gradient of Adam; 0.5 is usual against discriminators."""
    warmup_steps: Count = Field(default=0, ge=0, le=MOST_STEPS)
    """First steps, over which the learning rate rises from zero."""
    patience: Count = Field(default=0, ge=0, le=MOST_EPOCHS)
    """Epochs without progress on the validation examples before training stops; 0 for never."""
    seed: Seed = 0
    dtype_policy: Literal["float32", "mixed_bfloat16"] = "float32"
    """mixed_bfloat16: layers compute in bfloat16, variables and losses stay float32; for GPUs."""
    devices: Count = Field(default=1, ge=0, le=1024)
    """Number of devices that share each batch; 0 for all."""
    steps_per_execution: Count | None = Field(default=None, ge=1, le=10_000)
    """Batches per call to the device; raise it if steps take under 1 ms."""
    gradient_accumulation_steps: Count = Field(default=1, ge=1, le=10_000)
    """Batches per update, with averaged gradients; for batches larger than memory."""


class JudgeConfig(Section):
    """Settings for training the judge, which gates, and the auditor, which scores."""

    epochs: Count = Field(default=6, ge=1, le=MOST_EPOCHS)
    steps: Count | None = Field(default=None, ge=1, le=MOST_STEPS)
    """Batches of the whole training, instead of `epochs`."""
    minutes: Minutes | None = None
    """Time after which the training of each of the two stops at the end of a step; a resumed run
    trains them anew. The result depends on the machine."""
    batch_size: Count = Field(default=128, ge=1, le=LARGEST_BATCH)
    learning_rate: Rate = 1e-3
    width: Count = Field(default=32, ge=1, le=WIDEST)
    auditor: Literal["convolutional", "residual"] = "convolutional"
    """Architecture of the auditor. convolutional: that of the judge; residual: another one, which
    errs in other ways; for images of 16 pixels or more."""
    factors: list[str] | None = None
    """Factors that they read besides the label; none for all that a block of the code carries."""


class GateConfig(Section):
    """The gate that accepts or rejects variants."""

    enabled: Flag = True
    min_confidence: Probability = 0.9
    """Least probability by the judge of the expected class, and of every other factor's value."""
    min_confidence_of: dict[str, Probability] = {}
    """Least probability by factor; other factors use `min_confidence`."""
    ignored: list[str] = []
    """Factors that never cause a rejection, such as a label that is tied to another factor."""
    attempts: Count = Field(default=3, ge=1, le=100)
    """Largest number of draws of a variant; after that it is given up."""
    realism: Flag = False
    """Whether to reject what is unlike real examples, too: too far from those of the class, of too
    little or too much detail, or of an unlikely code."""
    false_refusals: Number = Field(default=0.05, ge=0, le=0.5)
    """Share of held-out real examples that `realism` rejects: the larger, the stricter it is."""

    def build(self, *, enabled: bool | None = None) -> QualityGate:
        """Builds the gate; `enabled` overrides the setting."""
        is_on = self.enabled if enabled is None else enabled
        false_refusals = self.false_refusals if is_on and self.realism else None
        return QualityGate(
            self.min_confidence, is_on, self.min_confidence_of, self.ignored, false_refusals
        )


class GenerateConfig(Section):
    """Settings for generating variants."""

    recipe: str = "class_preserving"
    options: dict[str, Flag | Number | Text] = {}
    split: str = "train"
    variants_per_example: Count = Field(default=1, ge=1, le=10_000)
    sampling_strategy: SamplingStrategy | None = None
    """None: `variants_per_example` of each example. auto, not majority or all: fill every class up
    to the largest; minority: fill the smallest class; not minority: fill all but the smallest.
    {total: {class: n}}: up to n examples and variants of these classes; {new: {class: n}}: exactly
    n variants of these classes. {class: n} is deprecated and means `new`."""
    cells: Literal["unseen", "rare", "balanced"] | list[dict[str, str]] = "unseen"
    """Cells of the factor grid that `recombine_factors` fills. unseen: cells without an example;
    rare: cells with some but fewer than `per_cell`; balanced: both; or a list of cells."""
    per_cell: Count = Field(default=10, ge=1, le=MOST_EXAMPLES)
    """Examples to fill a cell up to; for a list of cells, variants of each."""
    factors: list[str] | None = None
    """The factors of the grid; none for all that a block carries."""
    differ: list[tuple[str, str]] = []
    """Pairs of factors whose values must not have the same name, such as ink and background."""
    detail: Probability = 0.0
    """Share of the anchor's own detail, which its reconstruction lacks, that goes into each of its
    variants; for images and vectors. 0: variants are decoded codes, as smooth as reconstructions.
    """
    seed: Seed = 0
    gate: GateConfig = GateConfig()
    donors_per_class: Count = Field(default=64, ge=1, le=100_000)
    """Donors in the bank for each class, and for each value of another factor."""
    donor_memory: Count = Field(default=1024, ge=1, le=1_000_000)
    """Most MiB of the donor bank, which every worker holds."""
    slice_records: Count = Field(default=8192, ge=1, le=1_000_000)
    """Largest number of input records per output shard; a worker holds their codes in memory."""
    failure_budget: Probability = 0.01
    """Share of the examples that may be unreadable before the run fails."""
    threads: Count = Field(default=1, ge=1, le=256)
    """TensorFlow threads of a worker; the bytes of the output depend on it."""

    def changed(self, changes: dict[str, Any]) -> GenerateConfig:
        """Returns a copy with some settings changed, checked again."""
        return GenerateConfig.model_validate(self.model_dump() | changes)

    def preserving_class(self, spec: LatentSpec) -> GenerateConfig:
        """Returns these settings with the recipe for the figures of variants.

        The recipe is `class_preserving`, or `sample_class` if every block of the code carries the
        label. It keeps its options if it is the recipe already.
        """
        recipe = "class_preserving" if spec.free_of("label") else "sample_class"
        if self.recipe == recipe:
            return self
        return self.model_copy(update={"recipe": recipe, "options": {}})


class EvaluateConfig(Section):
    """Numbers of examples for the figures of a report or an evaluation."""

    anchors: Count = Field(default=1000, ge=2, le=1_000_000)
    """Largest number of examples to make variants of."""
    variants: Count = Field(default=5, ge=2, le=1000)
    """Variants of each of these examples."""
    probe_examples: Count = Field(default=10000, ge=2, le=MOST_EXAMPLES)
    """Largest number of training examples for a probe, and of held-out examples for `evaluate`,
    which holds fewer in memory where images are large."""
    disentanglement_examples: Count = Field(default=3000, ge=2, le=MOST_EXAMPLES)
    """Largest number of held-out examples for measures of disentanglement, axis by axis."""
    information_examples: Count = Field(default=5000, ge=2, le=100_000)
    """Largest number of held-out examples for mutual information. Time grows with its square;
    mutual information is at most its logarithm."""
    accuracy_steps: Count = Field(default=300, ge=0, le=MOST_STEPS)
    """Training batches of 32 for each of the two classifiers that `generate` compares on real test
    examples, one trained on accepted variants alone, one on real examples; 0 for off."""
    accuracy_examples: Count = Field(default=5000, ge=2, le=100_000)
    """Largest number of examples that each of the two is trained on, and scored on."""


PoolName = Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")]


RESIDUAL = {"width": 16, "learning_rate": 3e-3, "label_smoothing": 0.1}
"""Best settings found for the residual network on MNIST.

Measured with 50 real digits per class, classical augmentation, 600 steps, seed 0. Accuracy on 3,000
other training digits: 0.964 at a rate of 1e-3, 0.971 at 3e-3, 0.975 at 3e-3 with label smoothing.
"""


class StudyConfig(Section):
    """Settings of a study: the arms, and the training of its classifiers."""

    sizes: list[Annotated[Quota, Field(ge=2)]] = [10, 50, 200]
    """Numbers of real examples per class; the study runs each."""
    seeds: list[Seed] = [0, 1, 2]
    """Seeds; each draws other real examples and trains its own generator and classifiers."""
    ratios: list[Annotated[Ratio, Field(gt=0)]] = [1.0]
    """Mixed-in examples per real example in a batch."""
    pools: dict[PoolName, dict[str, Any]] = {"variants": {}}
    """Pools of generated examples for the arms, by name: the changes of each to `generate`."""
    arms: list[str] = [
        *("real", "repeated", "classical", "randaugment", "mixup", "cutmix"),
        *("variants", "variants + classical", "oracle"),
    ]
    """Names of arms: `real`; a pool, `repeated` or `oracle` to mix in; a transform; or both."""
    ties: dict[str, Annotated[Number, Field(gt=0, lt=1)]] = {}
    """Factors that the label is tied to in the real examples, with the share that follows the
    tie."""
    generator_steps: Count = Field(default=3000, ge=1, le=MOST_STEPS)
    """Training batches of the generator, for any number of examples."""
    judge_steps: Count = Field(default=600, ge=1, le=MOST_STEPS)
    """Training batches of judge and auditor; each has half of the real examples."""
    auditor_steps: Count = Field(default=3000, ge=1, le=MOST_STEPS)
    """Training batches of the auditor for examples off the ties."""
    steps: Count = Field(default=1000, ge=1, le=MOST_STEPS)
    """Training batches of every classifier."""
    classifiers: Count = Field(default=1, ge=1, le=100)
    """Classifiers per arm, size and seed, each with other initial weights; their mean counts."""
    batch_size: Count = Field(default=64, ge=2, le=LARGEST_BATCH)
    learning_rate: Rate = 1e-3
    network: Literal["small", "residual"] = "small"
    """The classifier: three convolutions, or a residual network. The latter is stronger and slower,
    and changes the defaults of `width`, `learning_rate` and `label_smoothing`."""
    width: Count = Field(default=32, ge=1, le=WIDEST)
    """Channels of its first convolution."""
    label_smoothing: Number = Field(default=0.0, ge=0, lt=1)
    """Share of every target that is spread over all classes."""
    flip: Flag = False
    """Whether transforms may mirror an image; leave off where mirroring changes the class, as for
    digits."""
    test_examples: Count | None = Field(default=None, ge=1, le=MOST_EXAMPLES)
    """Largest number of test examples to score on; none for all."""

    @model_validator(mode="before")
    @classmethod
    def _of_network(cls, tree: Any) -> Any:
        """Fills in the best settings found for the network."""
        if isinstance(tree, dict) and tree.get("network") == "residual":
            return RESIDUAL | tree
        return tree
