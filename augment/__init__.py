"""What variants to make of a labelled image: plans over named latent blocks, in pure NumPy."""

from augment.coverage import Coverage
from augment.donors import DonorBank
from augment.gate import REASONS, QualityGate, Verdicts
from augment.latents import Block, Latents, LatentSpec
from augment.plan import Anchors, Source, VariantPlan
from augment.priors import BlockPrior
from augment.quotas import share_out, variants_per_anchor, variants_per_class
from augment.randomness import derive, identity_keys, integers, normals, uniforms
from augment.recipes import RECIPES, Recipe, find_recipe, plan_variants
from augment.recombination import recombine

__all__ = [
    "REASONS",
    "RECIPES",
    "Anchors",
    "Block",
    "BlockPrior",
    "Coverage",
    "DonorBank",
    "LatentSpec",
    "Latents",
    "QualityGate",
    "Recipe",
    "Source",
    "VariantPlan",
    "Verdicts",
    "derive",
    "find_recipe",
    "identity_keys",
    "integers",
    "normals",
    "plan_variants",
    "recombine",
    "share_out",
    "uniforms",
    "variants_per_anchor",
    "variants_per_class",
]
