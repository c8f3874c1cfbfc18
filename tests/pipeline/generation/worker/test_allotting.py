"""Quotas of a shard, whole and with unreadable examples."""

import pytest

from latentloom.pipeline.generation.worker.allotting import reachable


@pytest.mark.parametrize(("quota", "examples"), [(0, 5), (3, 5), (5, 5), (12, 5), (7, 1)])
def test_readable_examples_meet_the_quota_exactly(quota, examples):
    assert reachable(quota, examples, examples) == quota


@pytest.mark.parametrize(
    ("quota", "examples", "readable", "made"),
    [
        (5, 5, 4, 4),  # one variant each: one poison record loses one variant
        (20, 5, 4, 16),
        (12, 5, 4, 10),  # two each, and one more for the two smallest keys
        (3, 5, 4, 3),  # fewer variants than examples: the others fill in
        (5, 5, 0, 0),
    ],
)
def test_unreadable_examples_lose_only_their_own_variants(quota, examples, readable, made):
    assert reachable(quota, examples, readable) == made
