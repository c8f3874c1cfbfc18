"""Configuration files: YAML checked against frozen models, with overrides by `--set`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from augment.gate import QualityGate
from augment.spelling import nearest


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


class DataConfig(Section):
    """Which examples are used for what."""

    validation_share: float = Field(default=0.05, gt=0, lt=1)
    """Share of the training split that only decides when training stops."""
    limit: int | None = Field(default=None, ge=1)
    """Most training examples to use, or none for all."""
    hold_out: dict[str, HoldOutConfig] = {}
    """Groups of cells, by name, that model and judge are not to see; the auditor does."""


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
    attempts: int = Field(default=3, ge=1)
    """How often a rejected variant is drawn anew before it is given up."""

    def build(self, *, enabled: bool | None = None) -> QualityGate:
        """The gate that these settings describe, or one that is on or off whatever they say."""
        is_on = self.enabled if enabled is None else enabled
        return QualityGate(self.min_confidence, is_on, self.min_confidence_of)


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
    failure_budget: float = Field(default=0.01, ge=0, le=1)
    """Share of the examples that may be unreadable before the run fails."""
    threads: int = Field(default=1, ge=1)
    """TensorFlow threads of a worker; part of what makes the bytes reproducible."""

    def preserving_class(self) -> GenerateConfig:
        """The same with the recipe that the figures of variants are measured on."""
        return self.model_copy(update={"recipe": "class_preserving", "options": {}})


class EvaluateConfig(Section):
    """How many examples the figures of a report or an evaluation are measured on."""

    anchors: int = Field(default=1000, ge=2)
    """Most examples whose variants are measured."""
    variants: int = Field(default=5, ge=2)
    """Variants of each of them."""
    probe_examples: int = Field(default=10000, ge=2)
    """Most training examples for a probe, and most held-out examples for `evaluate`."""


class Config(Section):
    """A whole configuration file."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    train: TrainConfig = TrainConfig()
    judge: JudgeConfig = JudgeConfig()
    generate: GenerateConfig = GenerateConfig()
    evaluate: EvaluateConfig = EvaluateConfig()

    def to_yaml(self) -> str:
        """The resolved configuration as YAML, defaults written out."""
        return yaml.safe_dump(self.model_dump(), sort_keys=False)


def load_config(path: Path, overrides: Sequence[str] = (), *, smoke: bool = False) -> Config:
    """Reads a configuration file.

    Args:
        path: YAML file. Its optional section `smoke` holds dotted overrides that shrink the
            configuration to seconds.
        overrides: `section.key=value` settings, values in YAML, applied last.
        smoke: Whether to apply the section `smoke`.

    Returns:
        The checked configuration.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no YAML mapping, or a key or a value is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"The configuration '{path}' is missing. Expected: a YAML file. "
            f"Received: CONFIG={path}. Name an existing file, such as configs/zszu_digits.yaml."
        )
    try:
        tree = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"'{path}' is no YAML file: {error}. Mend its syntax.") from error
    if not isinstance(tree, dict):
        raise ValueError(
            f"'{path}' holds no configuration. Expected: a mapping of sections. "
            f"Received: {type(tree).__name__}. Start it with `data:` or `model:`."
        )
    shrinking = tree.pop("smoke", None) or {}
    settings = [f"{key}={yaml.safe_dump(value).strip()}" for key, value in shrinking.items()]
    return parse_config(tree, str(path), [*(settings if smoke else []), *overrides])


def parse_config(tree: dict[str, Any], origin: str, overrides: Sequence[str] = ()) -> Config:
    """Checks a tree of settings with overrides put into it.

    Errors name the origin, the key, the value and the nearest known key.
    """
    tree = copy.deepcopy(tree)
    for setting in overrides:
        _override(tree, setting)
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise ValueError(f"In {origin}: {_explain(error.errors())}") from None


def _override(tree: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    if not equals or not key:
        raise ValueError(
            "An override is malformed. Expected: section.key=value. "
            f"Received: --set {setting!r}. Write for example --set train.epochs=5."
        )
    *sections, last = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise ValueError(
                f"The override '{key}' goes into a plain value. Expected: a section before each "
                f"dot. Received: --set {setting!r}. Drop what follows '{section}'."
            )
    tree[last] = yaml.safe_load(value)


def _explain(problems: Sequence[Any]) -> str:
    """One sentence group a key: what was expected, what was received, and the nearest key."""
    expected: dict[str, list[str]] = {}
    received: dict[str, Any] = {}
    for problem in problems:
        location = [str(part) for part in problem["loc"] if "[" not in str(part)]
        if problem["type"] == "extra_forbidden":
            return _explain_unknown(location)
        key = ".".join(location)
        expected.setdefault(key, []).append(problem["msg"])
        received[key] = problem["input"]
    return " ".join(
        f"'{key}' is wrong. Expected: {' or '.join(rules)}. "
        f"Received: {key}={received[key]!r}. Correct this value."
        for key, rules in expected.items()
    )


def _explain_unknown(location: list[str]) -> str:
    key, known = ".".join(location), _keys_of(location[:-1])
    return (
        f"Unknown key '{key}'. Expected: one of {', '.join(known)}. "
        f"Received: {key}. {nearest(location[-1], known)}"
    )


def _keys_of(sections: Sequence[str]) -> list[str]:
    section: Any = Config
    for name in sections:
        fields = getattr(section, "model_fields", None)
        section = fields[name].annotation if fields else get_args(section)[1]
    return sorted(section.model_fields)
