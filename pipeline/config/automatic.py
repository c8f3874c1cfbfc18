"""A configuration chosen from the data, `--config auto`: the rules, as a table and short functions.

Sizes and steps follow from the longer side of the images; batches, deformations and the gate from
their number. The table's times for 8 and 64 pixels were measured with 32 grey images a step on two
busy cores of an AMD EPYC virtual machine, 2026-11-30; the others are estimates. The model is
`zszu_vae`, which needs nothing but the label. Two exceptions: bags of words, which only `hfvae`
reads, and images of a grid of named factors. There the factors tell nearly all that differs among
the images of a class, and `gzs_net` learns a block for each; `zszu_vae` has to find it all in `zu`,
and keeps the class of letters in 0.671.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

AUTO = "auto"
FEW = 5000
"""Examples up to which batches are small and images are deformed."""
ENOUGH = 1000
"""Examples below which a budget shrinks, with the root of their number."""
SMALLEST_CONVOLUTIONAL = 16
"""Pixels from which networks are convolutional; smaller images are neither deformed nor audited by
a residual network."""
LARGEST_PLAIN = 32
"""Pixels of the longer side up to which grey images, such as digits, are drawn well enough."""
CONFIDENCES = ((1000, 0.9), (0, 0.4))
"""Least confidence of the gate, by the examples of the smallest class: with few, the judge is
unsure of real ones, too."""
CELLS_PER_IMAGE = (0.5, 20)
"""Bounds within which images come from a grid of named factors."""
GRID_BATCH, GRID_STRETCH = 18, 2
"""Batch of `gzs_net`, as measured on letters, and the factor on all steps for several factors."""
USUAL_MINUTES = 30.0
"""Expected time above which there are fewer steps, unless `--minutes` asks for another."""
LONGEST_STRETCH = 4.0
"""Largest factor by which the time changes the steps, up or down."""
STEP = 0.8
"""How far the codes of photographs move towards a draw."""
NOISE_A_FEATURE = 0.0016
"""Variance of the noise of dense networks over the number of features: 0.1 for 8 x 8 digits."""
START_MINUTES = 1.0
"""Compiling, probes and reading."""


class Size(NamedTuple):
    """Sizes and budgets for one size of images."""

    side: int
    """Largest longer side, in pixels; 0 for vectors and bags of words."""
    width: int
    hidden_dim: int
    zu_dim: int
    steps: int
    judge_steps: int
    step_ms: float
    """Milliseconds of a step with 32 images."""
    judge_ms: float


SIZES = (
    Size(0, 32, 128, 16, 4000, 1000, 4, 2),
    Size(15, 32, 128, 16, 4000, 1500, 15, 6),
    Size(32, 32, 256, 32, 5000, 3000, 60, 15),
    Size(64, 32, 256, 64, 4500, 3000, 210, 40),
    Size(128, 16, 256, 64, 4500, 2500, 300, 80),
    Size(1 << 16, 8, 256, 64, 4500, 1500, 600, 150),
)


@dataclass(frozen=True)
class Seen:
    """What a configuration is chosen from, of the training examples.

    Args:
        observation: Kind of observation: image, vector or counts.
        shape: Event shape of an observation.
        examples: Their number.
        smallest_class: Number of examples of the smallest class.
        factors: Number of values of every factor, `"label"` among them.
    """

    observation: str
    shape: tuple[int, ...]
    examples: int
    smallest_class: int
    factors: Mapping[str, int]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.factors["label"]

    @property
    def others(self) -> list[str]:
        """Names of the factors besides the label."""
        return [name for name in self.factors if name != "label"]

    @property
    def is_convolutional(self) -> bool:
        """Whether these are images that are large enough for convolutions."""
        return self.observation == "image" and min(self.shape[:2]) >= SMALLEST_CONVOLUTIONAL

    @property
    def is_grid(self) -> bool:
        """Whether these are images of a grid of named factors."""
        cells = math.prod(self.factors.values()) / max(self.examples, 1)
        is_named = self.observation == "image" and len(self.others) > 1
        return is_named and CELLS_PER_IMAGE[0] <= cells <= CELLS_PER_IMAGE[1]

    @property
    def is_photograph(self) -> bool:
        """Whether these are images of which a decoder leaves out much: large or coloured ones."""
        is_rich = max(self.shape[:2]) > LARGEST_PLAIN or self.shape[-1] > 1
        return self.is_convolutional and not self.is_grid and is_rich

    @property
    def size(self) -> Size:
        """The row of the table."""
        side = max(self.shape[:2]) if self.observation == "image" else 0
        return next(size for size in SIZES if side <= size.side)


def automatic_tree(seen: Seen, stretch: float = 1.0) -> dict[str, Any]:
    """Chooses a configuration.

    Args:
        seen: The data.
        stretch: Factor on the steps of model and judges, for more or less time.

    Returns:
        The sections of a configuration file.
    """
    model = _words(seen) if seen.observation == "counts" else _zszu(seen)
    model = _grid(seen) if seen.is_grid else model
    is_few, size, batch = seen.examples <= FEW, seen.size, batch_size(seen)
    share = stretch * min(1.0, max(0.4, math.sqrt(seen.examples / ENOUGH)))
    share *= GRID_STRETCH if seen.is_grid else 1
    steps = max(1, round(share * size.steps))
    tree = {
        "model": model,
        "train": {
            "steps": steps,
            "batch_size": GRID_BATCH if seen.is_grid else batch,
            "learning_rate": 0.002 if batch >= 128 or seen.is_grid else 0.001,
            "warmup_steps": min(300, steps // 10),
        },
        "judge": {"steps": max(1, round(share * size.judge_steps)), "batch_size": min(batch, 128)},
        "generate": _recipe(seen)
        | {
            "variants_per_example": 4 if is_few else 1,
            "gate": {"min_confidence": _confidence(seen), "realism": seen.is_photograph},
        },
    }
    if seen.is_convolutional:
        tree["judge"] |= {"width": size.width, "auditor": "residual"}
        tree["data"] = {"deform": {}} if is_few and not seen.is_grid else {}
    return tree


def batch_size(seen: Seen) -> int:
    """Examples a step: more where there are many, and one of each class where possible."""
    if seen.observation == "counts":
        return 128 if seen.examples <= FEW else 512
    least = 32 if seen.examples <= FEW else 128
    return min(max(least, 32 * math.ceil(seen.classes / 32)), 512)


def _recipe(seen: Seen) -> dict[str, Any]:
    """What variants are made of.

    Photographs move a step from their own code towards a draw, with their detail. This keeps the
    class and passes as real more often than what is as diverse, and what is drawn outright does
    neither: see `tests/benchmarks/detail.md`, which also has the choice of the step.
    """
    if seen.is_photograph:
        return {"recipe": "class_preserving", "options": {"step": STEP}, "detail": 1.0}
    return {"recipe": "sample_class" if seen.observation == "counts" else "class_preserving"}


def _confidence(seen: Seen) -> float:
    return next(confidence for least, confidence in CONFIDENCES if seen.smallest_class >= least)


def _zszu(seen: Seen) -> dict[str, Any]:
    """The zs/zu model: a code of the class and one of the rest."""
    size, most = seen.size, math.prod(seen.shape)
    args: dict[str, Any] = {
        "zs_dim": min(most, max(16, min(64, seen.classes))),
        "zu_dim": min(most, size.zu_dim),
        "hidden_dim": size.hidden_dim,
    }
    if seen.is_convolutional:
        args |= {"width": size.width, "dropout": 0.3 if seen.examples <= FEW else 0.1}
        args |= {"zu_prior": "fitted"} if seen.is_photograph else {}
    else:
        noise = max(0.02, round(NOISE_A_FEATURE * most, 2))
        args |= {"network": "dense", "noise_variance": noise, "likelihood_weight": 1.0}
    if seen.observation == "vector":  # else the class's code holds all, and variants are copies
        args |= {"code_weight": 100.0, "dropout": 0.3}
    return {"name": "zszu_vae", "args": args}


def _grid(seen: Seen) -> dict[str, Any]:
    """A block for every named factor, the larger the more values the factor has."""
    dims = {name: 4 if values < 4 else 6 for name, values in seen.factors.items()}
    args = {"network": "dense", "block_dims": dims | {"label": 16}, "sharing_weight": 0.1}
    return {"name": "gzs_net", "args": args}


def _words(seen: Seen) -> dict[str, Any]:
    """Two blocks of topics that learn from the words alone, with the weights of a plain VAE."""
    blocks = {"first": {"dim": 25}, "second": {"dim": 25}}
    return {"name": "hfvae", "args": {"blocks": blocks, "hidden_dim": [500]}}


def limited(seen: Seen, limit: int | None) -> Seen:
    """Returns what is left to see of the data under `data.limit`."""
    if limit is None or limit >= seen.examples:
        return seen
    smallest = max(1, seen.smallest_class * limit // seen.examples)
    return replace(seen, examples=limit, smallest_class=smallest)
