"""What variants to make of a labelled image: plans over named latent blocks, in pure NumPy."""

from augment.allotment import allot_cells, anchors_among
from augment.anchors import Anchors
from augment.cells import CHOICES, Cells, Targets, choose_cells, count_cells
from augment.clashes import Clashes, find_clashes, go_together
from augment.coverage import Coverage
from augment.donors import DonorBank
from augment.gate import REASONS, QualityGate, Verdicts
from augment.hold_out import HoldOut, draw_cells, name_cells
from augment.latents import Block, Latents, LatentSpec
from augment.plan import Source, VariantPlan
from augment.planning import known_factors, plan_variants
from augment.priors import BlockPrior
from augment.quotas import share_out, variants_per_anchor, variants_per_class
from augment.randomness import derive, identity_keys, integers, normals, uniforms
from augment.recipes import RECIPES, Recipe, find_recipe
from augment.recombination import recombine

__all__ = [
    "CHOICES",
    "REASONS",
    "RECIPES",
    "Anchors",
    "Block",
    "BlockPrior",
    "Cells",
    "Clashes",
    "Coverage",
    "DonorBank",
    "HoldOut",
    "LatentSpec",
    "Latents",
    "QualityGate",
    "Recipe",
    "Source",
    "Targets",
    "VariantPlan",
    "Verdicts",
    "allot_cells",
    "anchors_among",
    "choose_cells",
    "count_cells",
    "derive",
    "draw_cells",
    "find_clashes",
    "go_together",
    "find_recipe",
    "identity_keys",
    "integers",
    "known_factors",
    "name_cells",
    "normals",
    "plan_variants",
    "recombine",
    "share_out",
    "uniforms",
    "variants_per_anchor",
    "variants_per_class",
]
