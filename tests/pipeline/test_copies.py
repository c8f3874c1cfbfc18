"""The copy check of an evaluation, on draws that are copies and on draws that are none."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.copies import MOST_DRAWS, measure_copies
from pipeline.examples import Examples
from pipeline.observations import KINDS


def vectors(count: int, seed: int) -> Examples:
    rows = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    return Examples(
        rows, {"label": np.arange(count) % 2}, [f"{seed}/{row}" for row in range(count)]
    )


def values(drawn: np.ndarray, train: Examples) -> dict[str, float]:
    """Figures of a model that draws these, and whose auditor sees the first three features."""
    codec = SimpleNamespace(kind=KINDS["vector"], features=lambda vectors: vectors[:, :3])
    held_out = SimpleNamespace(
        codec=codec,
        many="vectors",
        examples=vectors(1500, 1),
        carriers=("zs",),
        free=("zu",),
        from_prior=lambda blocks, use: {name: None for name in blocks},
        decode=lambda codes: drawn if set(codes) == {"zs", "zu"} else None,
    )
    return {m.name: m.value for m in measure_copies(held_out, train)}


STORED, SEEN = "in vectors as stored", "in the features of the auditor"


def test_draws_of_the_same_source_are_no_copies():
    found = values(vectors(1500, 2).images, vectors(3000, 0))
    for where in (STORED, SEEN):
        assert found[f"Copies among draws, {where}"] == pytest.approx(0.01, abs=0.012)
        assert found[f"Nearest training example of draws, {where}"] == pytest.approx(1, abs=0.06)


def test_training_examples_that_are_drawn_are_copies():
    train = vectors(3000, 0)
    found = values(train.images[:1500], train)
    for where in (STORED, SEEN):
        assert found[f"Copies among draws, {where}"] > 0.99
        assert found[f"Nearest training example of draws, {where}"] < 0.01


def test_what_the_auditor_cannot_tell_apart_is_a_copy_in_its_features_alone():
    train = vectors(3000, 0)
    drawn = train.images[:1500].copy()
    drawn[:, 3:] += 5
    found = values(drawn, train)
    assert found[f"Copies among draws, {STORED}"] == 0
    assert found[f"Copies among draws, {SEEN}"] > 0.99


def test_so_many_draws_are_looked_at_and_no_more():
    train = vectors(3000, 0)
    drawn = np.concatenate([vectors(MOST_DRAWS, 2).images, train.images[:500]])
    assert values(drawn, train)[f"Copies among draws, {STORED}"] < 0.05
