"""Measures the quality of recombinations: whether the auditor confirms all their factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.augment import (
    Cells,
    Coverage,
    LatentSpec,
    VariantPlan,
    Verdicts,
    allot_cells,
    anchors_among,
    choose_cells,
    derive,
    find_clashes,
)
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.detail import detail_of
from latentloom.pipeline.codec.variants import make_variants, plan_attempt
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import one_per_class
from latentloom.pipeline.evaluation.decoded.variants import (
    donors_among,
    measure_passed,
    measure_rejected,
)
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.pictures.sheets.donor_sheet import donor_sheet
from latentloom.pipeline.report.schema import Picture

SHEET_ROWS = 10
SHEET = (
    "Right, a recombination before the gate; left of it, the real images that gave its factors, "
    "each with the value it gave. A red frame marks a rejected recombination."
)


@dataclass(frozen=True)
class Recombinations:
    """A sample of recombinations before the gate, to show and to measure.

    Attributes:
        plan: The plan of the `V` recombinations.
        observations: uint8 of shape `(V, height, width, channels)`.
        donors: Image of the donor of each factor of the grid, `(V, factors, height, width,
            channels)`; the first is the anchor.
        verdicts: The gate's verdicts.
        read: The auditor's prediction, int64 of shape `(V,)` per factor.
    """

    plan: VariantPlan
    observations: np.ndarray
    donors: np.ndarray
    verdicts: Verdicts
    read: dict[str, np.ndarray]


def draw_recombinations(
    codec: Codec, examples: Examples, config: Config, coverage: Coverage
) -> Recombinations:
    """Draws recombinations as the pipeline would on its first attempt.

    Args:
        codec: The codec of a bundle.
        examples: Real examples, from which anchors and donors come.
        config: The configuration that the data set was generated with.
        coverage: The cells before.
    """
    generate, spec = config.generate, codec.spec
    factors = codec.bundle.factors
    carried = spec.carried(examples.factors)
    clashes = find_clashes({name: factors[name] for name in carried}, generate.differ)
    bank = donors_among(codec, examples, generate, carried)
    cells = choose_cells(coverage, generate.cells, generate.per_cell, clashes)
    cells = _within(cells, bank.factors)
    rows, targets = allot_cells(cells, bank, seed=generate.seed, clashes=clashes)
    order = np.argsort(derive(targets.keys, targets.steps), kind="stable")
    some = np.sort(order[: config.evaluate.anchors])
    anchors = anchors_among(bank.ids.tolist(), bank.factors, bank, rows[some], targets.take(some))
    plan = plan_attempt(generate, anchors, spec, bank, clashes)
    gate = generate.gate.build(enabled=True)
    row_of = {example_id: row for row, example_id in enumerate(examples.ids)}
    real = examples.observations[[row_of[example_id] for example_id in bank.ids]]
    detail = detail_of(generate.detail, real)
    made = make_variants(codec, bank.latents, bank.latents, plan, gate, detail)
    return Recombinations(
        plan=plan,
        observations=made.observations,
        donors=np.stack([real[_donors_of(plan, spec, name)] for name in cells.factors], axis=1),
        verdicts=made.verdicts,
        read={f: np.argmax(p, axis=-1) for f, p in codec.judge_factors(made.observations).items()},
    )


def _within(cells: Cells, factors: dict[str, np.ndarray]) -> Cells:
    """The cells for which every value has an example; a sample may lack rare values."""
    columns = zip(cells.factors, cells.values.T, strict=True)
    there = np.logical_and.reduce([np.isin(column, factors[name]) for name, column in columns])
    return Cells(cells.factors, cells.values[there], cells.numbers[there])


def _donors_of(plan: VariantPlan, spec: LatentSpec, factor: str) -> np.ndarray:
    rows = plan.donors[spec.carriers(factor)[0]]
    return np.where(rows < 0, plan.anchor, rows)


def measure_recombinations(drawn: Recombinations) -> list[Measure]:
    """Measures how many recombinations match their cell, before and after the gate."""
    expected, passed, anchor = drawn.plan.factors, drawn.verdicts.accepted, drawn.plan.anchor
    right = {name: drawn.read[name] == expected[name] for name in expected if name in drawn.read}
    whole = np.logical_and.reduce(list(right.values()))
    names = {name: f"Factor {name} kept" for name in right} | {"label": "Class kept"}
    shares = {"cell": ("Cell read back", whole, None)}
    shares |= {
        f"kept/{name}": (names[name], column, expected[name]) for name, column in right.items()
    }
    measures = [
        Measure.of_share(
            column[rows],
            None if values is None else values[rows],
            anchor[rows],
            name=f"{name}, {when} the gate",
            key=f"variants/{key}/{when}",
            meaning="Share of recombinations that the auditor classifies as planned.",
        )
        for key, (name, column, values) in shares.items()
        for when, rows in (("before", np.ones(len(passed), bool)), ("after", passed))
    ]
    rejected = measure_rejected(drawn.verdicts, anchor)
    return [*measure_passed(drawn.verdicts, anchor), *measures, rejected]


def sheet_of(drawn: Recombinations, grid: Coverage) -> Picture:
    """Shows recombinations beside their donors, one of each class first."""
    label = drawn.plan.label
    first = one_per_class(label)
    others = np.setdiff1d(np.arange(len(label)), first)
    rows = np.sort(np.concatenate([first, others])[:SHEET_ROWS])
    expected = {name: drawn.plan.factors[name][rows] for name in grid.names}
    sheet = donor_sheet(
        drawn.donors[rows],
        drawn.observations[rows],
        factors=list(grid.names),
        values=[
            [grid.names[name][expected[name][row]] for name in grid.names]
            for row in range(len(rows))
        ],
        accepted=drawn.verdicts.accepted[rows],
    )
    return Picture(sheet, SHEET)
