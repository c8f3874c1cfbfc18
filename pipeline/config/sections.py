"""The sections of a configuration: frozen models, each key with its meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from latentloom.augment import LatentSpec
from latentloom.augment.gate import QualityGate


class Section(BaseModel):
    """A part of a configuration: frozen, and without room for unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class HoldOutConfig(Section):
    """A group of cells of the factor grid whose examples are kept from training."""

    cells: list[dict[str, str]] = []
    """The cells, each a value of some factors, the same factors for all of them."""
    share: float | None = Field(default=None, gt=0, lt=1)
    """Instead: share of the cells with an example to draw, such that every value stays."""
    factors: list[str] | None = None
    """Factors of the cells that are drawn, or none for all."""
    seed: int = Field(default=0, ge=0)
    """Seed of the draw."""

    @model_validator(mode="after")
    def _one_way(self) -> HoldOutConfig:
        if bool(self.cells) == bool(self.share) or (self.cells and self.factors):
            raise ValueError("either `cells`, or a `share` of the cells of some `factors`")
        return self


class DeformConfig(Section):
    """How far training images are deformed at most, each time anew."""

    shift: float = Field(default=0.1, ge=0)
    """Share of height and of width."""
    rotation: float = Field(default=15.0, ge=0)
    """Degrees, either way."""
    zoom: float = Field(default=0.1, ge=0, lt=1)
    """Share of the size, either way; 0 where a factor is the size."""
    flip: bool = False
    """Whether to mirror half of them: not where that changes what they show."""


class DataConfig(Section):
    """Which examples are used for what."""

    validation_share: float = Field(default=0.05, gt=0, lt=1)
    """Share of the training split that only decides when training stops."""
    limit: int | None = Field(default=None, ge=1)
    """Most training examples to use, or none for all."""
    deform: DeformConfig | None = None
    """Shifts, turns and scales what model and judges learn from; for few images. None for not."""
    hold_out: dict[str, HoldOutConfig] = {}
    """Groups of cells, by name, that model and judge are not to see; the auditor does. A plain list
    of cells is the group `held_out`, and `held_out_2` and so on for cells of other factors."""

    @field_validator("hold_out", mode="before")
    @classmethod
    def _name_groups(cls, groups: Any) -> Any:
        """Makes a group of the listed cells of every grid."""
        if not isinstance(groups, list):
            return groups
        grids: dict[frozenset, list] = {}
        for cell in groups:
            grid = frozenset(cell) if isinstance(cell, dict) else frozenset()
            grids.setdefault(grid, []).append(cell)
        names = ["held_out", *(f"held_out_{number}" for number in range(2, len(grids) + 1))]
        return {name: {"cells": cells} for name, cells in zip(names, grids.values(), strict=False)}


class ModelConfig(Section):
    """Which model of the zoo, with its arguments."""

    name: str = "zszu_vae"
    args: dict[str, Any] = {}


class TrainConfig(Section):
    """How the generative model is trained."""

    epochs: int = Field(default=20, ge=1)
    batch_size: int = Field(default=128, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    warmup_steps: int = Field(default=0, ge=0)
    """Steps over which the learning rate first rises from zero."""
    patience: int = Field(default=0, ge=0)
    """Epochs without progress on the validation examples after which to stop; 0 for never."""
    seed: int = Field(default=0, ge=0)
    dtype_policy: Literal["float32", "mixed_bfloat16"] = "float32"
    """mixed_bfloat16: layers compute in bfloat16, variables and losses stay float32; for GPUs."""
    devices: int = Field(default=1, ge=0)
    """Devices that share each batch; 0 for all there are."""
    steps_per_execution: int | None = Field(default=None, ge=1)
    """Batches that one call to the device goes through; raise it where steps take under 1 ms."""
    gradient_accumulation_steps: int = Field(default=1, ge=1)
    """Batches whose gradients are averaged for one update, for batches larger than memory."""


class JudgeConfig(Section):
    """How the judge, which gates, and the auditor, which scores, are trained."""

    epochs: int = Field(default=6, ge=1)
    batch_size: int = Field(default=128, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    width: int = Field(default=32, ge=1)
    factors: list[str] | None = None
    """What they read besides the label, or none for all that a block of the code carries."""


class GateConfig(Section):
    """When a variant is good enough to be written."""

    enabled: bool = True
    min_confidence: float = Field(default=0.9, ge=0, le=1)
    """Least probability that the judge gives the expected class, and every other factor."""
    min_confidence_of: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """Another least probability for some factors."""
    ignored: list[str] = []
    """Factors that no variant is rejected for: of tied data the label, which the judge misreads."""
    attempts: int = Field(default=3, ge=1)
    """How often a rejected variant is drawn anew before it is given up."""

    def build(self, *, enabled: bool | None = None) -> QualityGate:
        """The gate that these settings describe, or one that is on or off whatever they say."""
        is_on = self.enabled if enabled is None else enabled
        return QualityGate(self.min_confidence, is_on, self.min_confidence_of, self.ignored)


class GenerateConfig(Section):
    """What the pipeline makes of every example."""

    recipe: str = "class_preserving"
    options: dict[str, float | str] = {}
    split: str = "train"
    variants_per_example: int = Field(default=1, ge=1)
    sampling_strategy: Literal["auto", "minority"] | dict[str, int] | None = None
    """None: `variants_per_example` of each; auto: every class up to the largest; minority: the
    smallest class up to the largest; {class: n}: exactly n variants of these classes."""
    cells: Literal["unseen", "rare", "balanced"] | list[dict[str, str]] = "unseen"
    """Cells of the factor grid that `recombine_factors` fills. unseen: those without an example;
    rare: those with some but fewer than `per_cell`; balanced: both; or a list of cells."""
    per_cell: int = Field(default=10, ge=1)
    """Examples that a cell is brought up to; variants of each cell of a list."""
    factors: list[str] | None = None
    """The grid: factors whose combination is planned, or none for all that a block carries."""
    differ: list[tuple[str, str]] = []
    """Pairs of factors whose values must not have the same name, such as ink and background."""
    seed: int = Field(default=0, ge=0)
    gate: GateConfig = GateConfig()
    donors_per_class: int = Field(default=64, ge=1)
    """Examples of each class, and of each value of another factor, that donors are taken from."""
    slice_records: int = Field(default=8192, ge=1)
    """Most input records that become one output shard, and lie in a worker's memory as codes."""
    failure_budget: float = Field(default=0.01, ge=0, le=1)
    """Share of the examples that may be unreadable before the run fails."""
    threads: int = Field(default=1, ge=1)
    """TensorFlow threads of a worker; part of what makes the bytes reproducible."""

    def changed(self, changes: dict[str, Any]) -> GenerateConfig:
        """The same with some settings changed, checked again."""
        return GenerateConfig.model_validate(self.model_dump() | changes)

    def preserving_class(self, spec: LatentSpec) -> GenerateConfig:
        """The same with the recipe that the figures of variants are measured on.

        `class_preserving`, or `sample_class` for a code whose blocks all carry the label.
        """
        recipe = "class_preserving" if spec.free_of("label") else "sample_class"
        return self.model_copy(update={"recipe": recipe, "options": {}})


class EvaluateConfig(Section):
    """How many examples the figures of a report or an evaluation are measured on."""

    anchors: int = Field(default=1000, ge=2)
    """Most examples whose variants are measured."""
    variants: int = Field(default=5, ge=2)
    """Variants of each of them."""
    probe_examples: int = Field(default=10000, ge=2)
    """Most training examples for a probe, and most held-out examples for `evaluate`."""
    disentanglement_examples: int = Field(default=3000, ge=2)
    """Most held-out examples whose codes are compared with their factors, axis by axis."""
    information_examples: int = Field(default=5000, ge=2)
    """Most held-out examples whose codes are compared with the posteriors of all of them; four
    times as long for twice as many, and mutual information is at most the log of their number."""


PoolName = Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")]


RESIDUAL = {"width": 16, "learning_rate": 3e-3, "label_smoothing": 0.1}
"""What was best for the residual network on MNIST.

50 real digits a class with classical augmentation, 600 steps, seed 0: of 3,000 other training
digits a rate of 1e-3 read 0.964, 3e-3 0.971, and 3e-3 with label smoothing 0.975.
"""


class StudyConfig(Section):
    """What a study compares, and how its classifiers are trained."""

    sizes: list[Annotated[int, Field(ge=2)]] = [10, 50, 200]
    """Real examples of every class, one after another."""
    seeds: list[Annotated[int, Field(ge=0)]] = [0, 1, 2]
    """Each draws other real examples and trains another generator and other classifiers."""
    ratios: list[Annotated[float, Field(gt=0)]] = [1.0]
    """Mixed examples per real one in a batch."""
    pools: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_-]*$")], dict[str, Any]] = {
        "variants": {}
    }
    """Generated examples that arms mix in, by name: what each changes in `generate`."""
    arms: list[str] = [
        *("real", "repeated", "classical", "randaugment", "mixup", "cutmix"),
        *("variants", "variants + classical", "oracle"),
    ]
    """Names of arms: `real`; a pool, `repeated` or `oracle` to mix in; a transform; or both."""
    ties: dict[str, Annotated[float, Field(gt=0, lt=1)]] = {}
    """Factors that the label is tied to in the real examples, with the share that follows."""
    generator_steps: int = Field(default=3000, ge=1)
    """Batches that the generator learns from, however few examples there are."""
    judge_steps: int = Field(default=600, ge=1)
    """The same of judge and auditor, each of which has half of the real examples."""
    auditor_steps: int = Field(default=3000, ge=1)
    """The same of the auditor that reads what is off the ties."""
    steps: int = Field(default=1000, ge=1)
    """Batches that every classifier learns from."""
    classifiers: int = Field(default=1, ge=1)
    """Classifiers of each arm, size and seed, from other weights each, whose mean figures count."""
    batch_size: int = Field(default=64, ge=2)
    learning_rate: float = Field(default=1e-3, gt=0)
    network: Literal["small", "residual"] = "small"
    """The classifier: three convolutions, or a residual network, which is stronger, slower and has
    other defaults of `width`, `learning_rate` and `label_smoothing`."""
    width: int = Field(default=32, ge=1)
    """Channels of its first convolution."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of every target that is spread over all classes."""
    flip: bool = False
    """Whether transforms may mirror an image: not where that changes what it is, as with digits."""
    test_examples: int | None = Field(default=None, ge=1)
    """Most test examples to score on, or none for all."""

    @model_validator(mode="before")
    @classmethod
    def _of_network(cls, tree: Any) -> Any:
        """Fills in what was best for the network."""
        if isinstance(tree, dict) and tree.get("network") == "residual":
            return RESIDUAL | tree
        return tree
