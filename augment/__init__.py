"""Plans variants of labelled images over named latent blocks, in pure NumPy."""

from latentloom.augment.allotment import allot_cells, anchors_among
from latentloom.augment.anchors import Anchors
from latentloom.augment.balancing import STRATEGIES, read_quotas, variants_per_class
from latentloom.augment.cells import CHOICES, Cells, Targets, choose_cells, count_cells
from latentloom.augment.clashes import Clashes, find_clashes, go_together
from latentloom.augment.coverage import Coverage
from latentloom.augment.donors import DonorBank
from latentloom.augment.gate import REASONS, QualityGate, Verdicts
from latentloom.augment.hold_out import HoldOut, draw_cells, name_cells
from latentloom.augment.latents import Block, Latents, LatentSpec
from latentloom.augment.plan import Origin, VariantPlan
from latentloom.augment.planning import BlocksRead, blocks_read, known_factors, plan_variants
from latentloom.augment.priors import BlockPrior
from latentloom.augment.quotas import (
    share_out,
    share_out_classes,
    variants_per_anchor,
)
from latentloom.augment.randomness import derive, identity_keys, integers, normals, uniforms
from latentloom.augment.realism import REALISM_CHECKS, RealismGate
from latentloom.augment.recipes import RECIPES, Recipe, find_recipe
from latentloom.augment.recombination import recombine

__all__ = [
    "CHOICES",
    "REALISM_CHECKS",
    "REASONS",
    "RECIPES",
    "STRATEGIES",
    "Anchors",
    "Block",
    "BlockPrior",
    "BlocksRead",
    "Cells",
    "Clashes",
    "Coverage",
    "DonorBank",
    "HoldOut",
    "LatentSpec",
    "Latents",
    "Origin",
    "QualityGate",
    "RealismGate",
    "Recipe",
    "Targets",
    "VariantPlan",
    "Verdicts",
    "allot_cells",
    "anchors_among",
    "blocks_read",
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
    "read_quotas",
    "recombine",
    "share_out",
    "share_out_classes",
    "uniforms",
    "variants_per_anchor",
    "variants_per_class",
]
