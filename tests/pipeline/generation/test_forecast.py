"""`generate --dry-run` says what a run would make and cost, and writes nothing."""

import pytest
from bundles import command, digits_bundle, digits_config, digits_data, make
from letters import letters_bundle, letters_config, letters_data
from typer.testing import CliRunner

from latentloom.pipeline.command import app
from latentloom.pipeline.generation.generate import forecast_job


@pytest.mark.parametrize(
    "settings",
    [
        ("generate.slice_records=40",),
        ("generate.recipe=swap_zu", "generate.gate.enabled=false"),
        ("generate.sampling_strategy=auto", "generate.gate.enabled=false"),
    ],
    ids=["slices", "donors", "auto"],
)
def test_the_forecast_is_what_the_run_makes(tmp_path, settings):
    out = tmp_path / "out"
    said = forecast_job(digits_config(*settings), digits_data(), digits_bundle(), out)
    assert not list(tmp_path.iterdir())
    manifest = make(out, *settings).manifest
    assert said.requested == manifest.totals["requested"] == sum(said.variants.values())
    assert said.shards == len(manifest.splits["train"])
    written = sum(shard.num_bytes for shard in manifest.splits["train"])
    assert 0.7 * written < said.num_bytes < 1.5 * written
    assert said.cpu_seconds > 0
    assert said.memory > 100e6
    assert said.free_bytes
    assert said.workers == 1


def test_cells_to_fill_are_counted(tmp_path):
    config = letters_config("generate.cells=balanced")
    said = forecast_job(config, letters_data(), letters_bundle(), tmp_path / "out")
    number, asked = said.cells
    assert 0 < number <= asked == said.requested
    assert not said.variants
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_forecast_and_shares_the_time_among_workers(tmp_path):
    words = command(tmp_path / "out", "--direct_num_workers=3")
    words.insert(words.index("--"), "--dry-run")
    done = CliRunner().invoke(app, words[words.index("generate") :])
    assert done.exit_code == 0, done.output
    for part in ("1,200", "output shards", "memory of a worker", "on 3 worker(s)", "are free"):
        assert part in done.output
    assert not list(tmp_path.iterdir())
