"""Sets the origins of a plan's blocks, and tracks the factors that are still known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from latentloom.augment.anchors import Anchors
from latentloom.augment.cells import Clashes
from latentloom.augment.donors import DonorBank
from latentloom.augment.matching import match_donors
from latentloom.augment.options import Option
from latentloom.augment.plan import Origin, VariantPlan
from latentloom.augment.randomness import derive, identity_keys, uniforms
from latentloom.augment.spelling import nearest

__all__ = [
    "Request",
    "bank_of",
    "carriers_of",
    "draw_values",
    "drawn_values",
    "free_blocks",
    "interpolate",
    "match",
    "sample",
    "shift",
    "take_over",
    "walk_keys",
]


@dataclass(frozen=True, eq=False)
class Request:
    """The inputs of a rule, besides the plan that it fills.

    Args:
        anchors: The anchors of the plan.
        seed: Integer, the seed of the run.
        attempt: Integer, 0 for the first try.
        donors: The bank that donors come from, or None.
        options: Every option of the recipe.
        clashes: Values of two factors that do not go together, or None.
    """

    anchors: Anchors
    seed: int
    attempt: int
    donors: DonorBank | None
    options: Mapping[str, Option]
    clashes: Clashes | None = None

    def number(self, name: str) -> float:
        """Returns an option that is a number."""
        return cast(float, self.options[name])

    @property
    def factor(self) -> str:
        """The option `factor`."""
        return cast(str, self.options["factor"])


def sample(
    plan: VariantPlan,
    names: Sequence[str],
    temperature: float,
    keeps: Sequence[str] = (),
    step: float = 1.0,
) -> VariantPlan:
    """Draws blocks from their priors.

    Args:
        plan: The plan.
        names: Names of the blocks.
        temperature: Float, factor on the scale of the draws.
        keeps: Factors whose values the draws keep.
        step: Float in `(0, 1]`, how far the anchor's block moves to the draw: 1 all the way.
    """
    if step < 1:
        steps = dict.fromkeys(names, np.full(len(plan), step, np.float32))
        plan = _with_origin(plan, names, Origin.STEP, keeps=keeps, weights=steps)
    else:
        plan = _with_origin(plan, names, Origin.PRIOR, keeps=keeps)
    temperatures = plan.temperatures | dict.fromkeys(names, temperature)
    return replace(plan, temperatures=temperatures)


def interpolate(
    plan: VariantPlan,
    request: Request,
    names: Sequence[str],
    factor: str = "label",
    *,
    same_value: bool = True,
) -> VariantPlan:
    """Mixes blocks with the blocks of donors; each block has its own donor and share.

    Args:
        plan: The plan.
        request: The inputs of the rule; has the options `low` and `high`.
        names: Names of the blocks.
        factor: Name of the factor that donors are matched by. Defaults to the class.
        same_value: Whether donors have the anchor's value of the factor; if so, variants keep it.
    """
    bank_of(plan, request, names)
    low, high = request.number("low"), request.number("high")
    walks = walk_keys(plan, request)
    rows, weights = {}, {}
    for name in names:
        keys = derive(walks, plan.spec.names.index(name))
        rows[name] = match(plan, request, keys, factor=factor, same_value=same_value)
        share = low + (high - low) * uniforms(plan.block_keys(name), 1)[:, 0]
        weights[name] = share.astype(np.float32)
    keeps = (factor,) if same_value else ()
    return _with_origin(plan, names, Origin.MIX, donors=rows, weights=weights, keeps=keeps)


def shift(plan: VariantPlan, request: Request, name: str, axes: np.ndarray) -> VariantPlan:
    """Moves one block along one axis per variant, in either direction, and keeps the class.

    The variants of an anchor take the axes in turn; another attempt moves along the same one.

    Args:
        plan: The plan.
        request: The inputs of the rule; has the options `least` and `extent`, the shortest and the
            longest distance in standard deviations.
        name: Name of the block.
        axes: int64 of shape `(a,)`: the axes, at least one.
    """
    least, extent = request.number("least"), request.number("extent")
    places = 2 * uniforms(plan.block_keys(name), 1)[:, 0] - 1
    ways = np.where(places < 0, -1, 1) * (least + (extent - least) * np.abs(places))
    return _with_origin(
        plan,
        (name,),
        Origin.SHIFT,
        axes={name: axes[plan.variant % len(axes)]},
        shifts={name: ways.astype(np.float32)},
        keeps=("label",),
    )


def take_over(
    plan: VariantPlan, request: Request, names: Sequence[str], rows: np.ndarray
) -> VariantPlan:
    """Takes blocks from one donor per variant, and the factors that only these blocks carry.

    Args:
        plan: The plan, `V` variants.
        request: The inputs of the rule.
        names: Names of the blocks.
        rows: int64 of shape `(V,)`: rows of the bank.
    """
    moved = {
        factor: values[rows]
        for factor, values in bank_of(plan, request, names).factors.items()
        if (carriers := set(plan.spec.carriers(factor))) and carriers <= set(names)
    }
    plan = _with_origin(plan, names, Origin.DONOR, donors=dict.fromkeys(names, rows))
    # Keeps the order of the anchors' factors.
    known = {name: (plan.factors | moved).get(name) for name in request.anchors.factors}
    return replace(plan, factors={name: v for name, v in known.items() if v is not None})


def draw_values(
    plan: VariantPlan, names: Sequence[str], factor: str, values: np.ndarray, temperature: float
) -> VariantPlan:
    """Draws blocks from what their priors know of given values of a factor.

    Args:
        plan: The plan, `V` variants.
        names: Names of the blocks, which carry this factor alone.
        factor: Name of the factor.
        values: int64 of shape `(V,)`: the value of each variant.
        temperature: Float, factor on the scale of the draws.
    """
    order = [*plan.factors, *({factor} - plan.factors.keys())]
    plan = sample(plan, names, temperature, keeps=(factor,))
    known = plan.factors | {factor: values}
    return replace(plan, factors={name: known[name] for name in order if name in known})


def drawn_values(plan: VariantPlan, names: Sequence[str], factor: str) -> np.ndarray:
    """Returns the values of a factor that the priors of all these blocks can draw, int64.

    Raises:
        ValueError: A prior does not tell which components stand for which value of the factor.
    """
    known: set[int] | None = None
    for name in names:
        block, known_to_prior = plan.spec[name], plan.spec[name].prior.values
        if known_to_prior is None or block.factors != (factor,):
            raise ValueError(
                f"Recipe '{plan.recipe}' cannot draw block '{name}' of a given {factor}. "
                f"Expected: a prior with components for the values of '{factor}' alone. Received: "
                f"a block of {list(block.factors)}. Set the option `guided` to true, or train the "
                "bundle again if it is of an earlier version."
            )
        values = set(known_to_prior.astype(np.int64).tolist())
        known = values if known is None else known & values
    return np.array(sorted(known or ()), np.int64)


def _with_origin(
    plan: VariantPlan,
    names: Sequence[str],
    origin: Origin,
    *,
    keeps: Sequence[str] = (),
    **columns: Mapping[str, np.ndarray],
) -> VariantPlan:
    """Returns the plan with one origin, and the columns it needs, for some blocks of every variant.

    Drops each factor that a changed block carries, and each factor that no block carries, except
    the factors in `keeps`.

    Raises:
        ValueError: A block that is anchored would come from elsewhere.
    """
    for name in names:
        _check_origin(plan, name, origin)
    lost = {
        factor
        for factor in plan.factors
        if factor not in keeps and names and set(plan.spec.carriers(factor) or names) & set(names)
    }
    return replace(
        plan,
        factors={name: values for name, values in plan.factors.items() if name not in lost},
        origins=plan.origins | {name: np.full(len(plan), origin, np.int8) for name in names},
        **{kind: getattr(plan, kind) | dict(given) for kind, given in columns.items()},
    )


def _check_origin(plan: VariantPlan, name: str, origin: Origin) -> None:
    """Rejects the block of a donor, or a changed one, in place of one that is anchored."""
    if plan.spec[name].anchored and origin not in (Origin.KEEP, Origin.PRIOR):
        others = [block.name for block in plan.spec if not block.anchored]
        raise ValueError(
            f"Recipe '{plan.recipe}' would change block '{name}', which stays with its anchor. "
            f"Expected: to change some of {others}. Received: block '{name}', which carries "
            f"{list(plan.spec[name].factors)}. Choose another recipe, or another factor."
        )


def bank_of(plan: VariantPlan, request: Request, names: Sequence[str] = ()) -> DonorBank:
    """Returns the donor bank; raises `ValueError` if it or one of these blocks is missing."""
    if request.donors is None:
        raise ValueError(
            f"Recipe '{plan.recipe}' needs donors. Expected: a donor bank. Received: donors=None. "
            "Build one with `DonorBank.build`."
        )
    plan.spec.check(request.donors.latents, needed=names)
    return request.donors


def match(
    plan: VariantPlan,
    request: Request,
    keys: np.ndarray,
    *,
    same_value: bool,
    factor: str = "label",
    clashes: Clashes | None = None,
) -> np.ndarray:
    """Finds donors by a factor, as `match_donors` does, in the bank of the request."""
    return match_donors(
        plan,
        request.anchors,
        bank_of(plan, request),
        keys,
        attempt=request.attempt,
        same_value=same_value,
        factor=factor,
        clashes=clashes,
    )


def walk_keys(plan: VariantPlan, request: Request) -> np.ndarray:
    """Returns a key per anchor, the same for all its variants and attempts."""
    return identity_keys(request.seed, f"{plan.recipe} donors", request.anchors.ids)


def carriers_of(plan: VariantPlan, factor: str = "label") -> tuple[str, ...]:
    """Returns the blocks that carry a factor; raises `ValueError` if there are none."""
    names = plan.spec.carriers(factor)
    if not names and factor != "label":
        carried = sorted({name for block in plan.spec for name in block.factors})
        raise ValueError(
            f"Recipe '{plan.recipe}' has nothing to change. Expected: a factor that a block "
            f"carries, one of {carried}. Received: factor={factor!r}. {nearest(factor, carried)}"
        )
    if not names:
        raise ValueError(
            f"Recipe '{plan.recipe}' has nothing to change. Expected: a block that carries the "
            f"class. Received: blocks {list(plan.spec.names)} without it. Name 'label' among the "
            "factors of a block."
        )
    return names


def free_blocks(plan: VariantPlan) -> tuple[str, ...]:
    """Returns the blocks that do not carry the class; raises `ValueError` if there are none."""
    names = plan.spec.free_of("label")
    if not names:
        raise ValueError(
            f"Recipe '{plan.recipe}' has nothing to change. Expected: a block that does not carry "
            f"the class. Received: blocks {list(plan.spec.names)}, which all carry it. Choose "
            "'sample_class' or 'interpolate_class'."
        )
    return names
