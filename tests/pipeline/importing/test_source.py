"""Batches of sources hold what they may, whatever is dead among them."""

import pytest

from latentloom.pipeline.dataset.examples import DeadLetter
from latentloom.pipeline.importing.source import in_batches

SIZE, COUNT = 4, 18


@pytest.mark.parametrize("dead", [(), (3,), (0, 3, 7, 17), range(4), range(COUNT)])
def test_a_batch_is_full_wherever_its_dead_letters_are(dead):
    rows = [DeadLetter("file", n, "damaged") if n in dead else n for n in range(COUNT)]
    batches = list(in_batches(iter(rows), SIZE))
    assert [len(taken) + len(letters) for taken, letters in batches] == [4, 4, 4, 4, 2]
    assert [n for taken, _ in batches for n in taken] == [n for n in range(COUNT) if n not in dead]
    assert [each.record for _, letters in batches for each in letters] == sorted(dead)


def test_an_empty_source_is_one_empty_batch():
    assert list(in_batches([], SIZE)) == [([], [])]
