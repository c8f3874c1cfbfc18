"""What `generate --dry-run` prints of a forecast."""

from dataclasses import replace

from latentloom.pipeline.generation.forecast import Forecast
from latentloom.pipeline.generation.forecast_table import MOST_CLASSES, class_rows, total_rows

FORECAST = Forecast(
    examples={"cat": 1000, "dog": 5},
    variants={"cat": 0, "dog": 995},
    cells=(0, 0),
    requested=995,
    shards=2,
    num_bytes=3_000_000,
    memory=500_000_000,
    cpu_seconds=120.0,
    workers=3,
    free_bytes=None,
)


def test_every_class_has_a_row_with_examples_and_variants():
    assert class_rows(FORECAST) == [("cat", "1,000", "0"), ("dog", "5", "995")]


def test_many_classes_are_cut_short_and_cells_have_no_variants_by_class():
    examples = {f"c{number}": 1 for number in range(MOST_CLASSES + 2)}
    rows = class_rows(replace(FORECAST, examples=examples, variants={}))
    assert rows[0] == ("c0", "1")
    assert rows[-1] == ("and 2 more",)
    assert len(rows) == MOST_CLASSES + 1


def test_workers_share_the_time_and_what_is_not_known_is_left_out():
    rows = dict(total_rows(FORECAST))
    assert rows["time"].startswith("about 0:00:40 on 3 worker(s)")
    assert "free" not in rows["output size"]
    assert "cells to fill" not in rows
    filled = dict(total_rows(replace(FORECAST, cells=(12, 995), free_bytes=7)))
    assert filled["cells to fill"] == "12, 995 variants"
    assert "are free" in filled["output size"]
