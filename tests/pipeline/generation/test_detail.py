"""`generate.detail`: the anchor's own detail goes back into its variants, whatever the shards."""

import json
import shutil
from pathlib import Path

import elsewhere
import numpy as np
import pytest
from bundles import (
    CONFIGS,
    MANY_SHARDS,
    damaged_digits,
    digits_bundle,
    digits_config,
    digits_data,
    hashes,
    make,
)
from letters import letters_bundle, letters_config, letters_data
from letters import make as make_letters
from typer.testing import CliRunner

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.command import app
from latentloom.pipeline.config.settings import EvaluateConfig
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.decoded.exchange import exchange_blocks
from latentloom.pipeline.evaluation.decoded.variants import draw_sample
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.engines import Engine
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.generation.worker import chunks
from latentloom.pipeline.generation.worker.slice_rows import SliceRows
from latentloom.pipeline.reader import read
from latentloom.pipeline.verification.verify import verify

SWAP = ("generate.recipe=swap_zu", "generate.options.same_class=1", "generate.seed=3")
UNGATED = ("generate.gate.enabled=false", "generate.variants_per_example=2")
WHOLE = ("generate.recipe=reconstruct", "generate.detail=1.0", *UNGATED)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(digits_bundle()))


def anchors_of(data: Path) -> dict[str, np.ndarray]:
    """The real images by id."""
    real = DatasetDir.open(data).read("train")
    return dict(zip(real.ids, np.asarray(real.observations), strict=True))


def command(verb: str, out: Path, *settings: str, data: Path | None = None):
    """A run of the command in this process."""
    words = [verb, *([CONFIGS / "zszu_digits.yaml"] if verb == "generate" else [])]
    words += ["--data", data or digits_data(), "--model", digits_bundle(), "--out", out]
    settings += ("evaluate.accuracy_steps=0",)
    words += [word for setting in settings for word in ("--set", setting)]
    return CliRunner().invoke(app, [str(word) for word in words])


def test_at_0_nothing_is_read_twice_and_nothing_more_is_encoded(tmp_path, monkeypatch):
    blocks = []
    encode = Codec.encode

    def fail(*_):
        raise AssertionError("the detail was measured")

    def watched(self, images, names=None):
        blocks.append(names)
        return encode(self, images, names)

    monkeypatch.setattr(SliceRows, "read", fail)
    monkeypatch.setattr(Codec, "detail", fail)
    monkeypatch.setattr(Codec, "encode", watched)
    make(tmp_path / "o", *SWAP, "generate.detail=0.0")
    assert {names for names in blocks if names} == {("zs",), ("zu",)}


def test_reconstructions_with_all_detail_are_the_anchors(tmp_path):
    settings = (*WHOLE, *MANY_SHARDS, "evaluate.anchors=40", "evaluate.variants=4")
    result = command("generate", tmp_path / "o", *settings)
    assert result.exit_code == 0, result.output
    real, made = anchors_of(digits_data()), list(read(tmp_path / "o", split="train"))
    assert len(made) == 2 * len(real)
    for record in made:
        np.testing.assert_array_equal(record["image"], real[record["anchor_id"]])
    assert verify(tmp_path / "o", digits_data()).ok
    manifest = DatasetDir.open(tmp_path / "o").manifest
    assert manifest.details["config"]["generate"]["detail"] == 1.0
    numbers = json.loads((tmp_path / "o/report.json").read_text())["numbers"]
    (diversity,) = (n["value"] for n in numbers if n["key"] == "variants/diversity")
    assert diversity == 0.0


def test_a_variant_is_the_decoded_code_and_the_share_of_the_detail_clipped(tmp_path, codec):
    make(tmp_path / "o", *SWAP, *UNGATED, "generate.detail=0.5")
    real, zero = anchors_of(digits_data()), tmp_path / "zero"
    make(zero, *SWAP, *UNGATED)
    plain = {record["example_id"]: record["image"] for record in read(zero, split="train")}
    base = Codec.render(codec, codec.encode(np.stack(list(real.values()))))[0]
    base = dict(zip(real, base.astype(float), strict=True))
    expected, found = [], []
    for record in read(tmp_path / "o", split="train"):
        anchor = record["anchor_id"]
        expected.append(plain[record["example_id"]] + 0.5 * (real[anchor] - base[anchor]))
        found.append(record["image"].astype(float))
    assert np.min(expected) < -5
    assert np.max(expected) > 260
    assert np.abs(np.stack(found) - np.clip(expected, 0, 255)).max() < 1.6  # three roundings


def test_the_gate_judges_the_image_that_is_written(tmp_path, codec):
    make(tmp_path / "o", *SWAP, "generate.detail=1.0")
    made = list(read(tmp_path / "o", split="train"))
    judged = codec.judge(np.stack([record["image"] for record in made]), "judge")
    confidences = judged[np.arange(len(made)), [record["label"] for record in made]]
    np.testing.assert_allclose(confidences, [r["judge_confidence"] for r in made], atol=1e-5)
    assert confidences.min() >= 0.9 - 1e-5


@pytest.mark.parametrize("recipe", ["class_preserving", "sample_class", "interpolate_class"])
def test_bytes_do_not_depend_on_workers_or_blocks(tmp_path, recipe, monkeypatch):
    settings = (f"generate.recipe={recipe}", "generate.detail=0.7", *MANY_SHARDS)
    make(tmp_path / "one", *settings)
    two = ("--direct_num_workers=2", "--direct_running_mode=multi_threading")
    make(tmp_path / "two", *settings, engine=Engine(beam_args=two))
    monkeypatch.setattr(chunks, "BLOCK", 5)
    monkeypatch.setattr(chunks, "CHUNK", 17)
    make(tmp_path / "small", *settings)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two") == hashes(tmp_path / "small")


def test_a_rerun_after_a_stop_writes_the_same_bytes_and_another_share_is_another_job(tmp_path):
    settings = (*SWAP, "generate.detail=1.0")
    make(tmp_path / "o", *settings)
    before = hashes(tmp_path / "o")
    shard = sorted((tmp_path / "o").glob("*.tfrecord-*"))[1]
    shard.unlink()
    (tmp_path / f"o/.job/{shard.name}.json").unlink()
    make(tmp_path / "o", *settings)
    assert hashes(tmp_path / "o") == before
    result = command("generate", tmp_path / "o", *SWAP, "generate.detail=0.5")
    assert isinstance(result.exception, FileExistsError)
    assert hashes(tmp_path / "o") == before


def test_slices_of_other_lengths_make_the_same_variants(tmp_path):
    settings = (*SWAP, *UNGATED, "generate.detail=1.0")
    found = []
    for out, records in (("few", 12), ("many", 8192)):
        make(tmp_path / out, *settings, f"generate.slice_records={records}")
        made = read(tmp_path / out, split="train")
        found.append({record["example_id"]: record["image"].tobytes() for record in made})
    assert found[0] == found[1]


def test_damaged_records_are_dead_letters_and_cost_their_own_variants_alone(tmp_path):
    data = damaged_digits(tmp_path / "data")
    settings = (*WHOLE, "generate.failure_budget=0.1")
    dataset = make(tmp_path / "o", *settings, data=data)
    assert dataset.manifest.totals["dead"] == 2
    real, made = anchors_of(digits_data()), list(read(tmp_path / "o", split="train"))
    assert len(made) == 2 * (len(real) - 1)
    for record in made:
        np.testing.assert_array_equal(record["image"], real[record["anchor_id"]])


def test_a_record_that_is_damaged_under_a_run_stops_it_with_a_message(tmp_path):
    shutil.copytree(digits_data(), tmp_path / "data")
    dataset = DatasetDir.open(tmp_path / "data")
    rows = SliceRows(dataset, "train", 0, np.arange(3, 20))
    assert rows.read(np.array([4, 0, 4])).shape == (3, *dataset.manifest.observation_shape)
    path = Path(dataset.shard_path("train", 0))
    content = bytearray(path.read_bytes())
    content[30] ^= 0xFF
    path.write_bytes(bytes(content[: len(content) // 2]))
    for record, message in (
        (0, "record 0: the checksum"),
        (len(content) // 9, "the file "),
    ):
        gone = SliceRows(dataset, "train", 0, np.array([record]))
        with pytest.raises(ValueError, match=f"changed while it was read.*{message}"):
            gone.read(np.array([0]))


def test_data_in_a_bucket_are_read_again_there(tmp_path):
    for file in digits_data().iterdir():
        with elsewhere.Elsewhere({}).create(f"elsewhere://detail/{file.name}") as copy:
            copy.write(file.read_bytes())
    config = digits_config(*WHOLE)
    generate(config, "elsewhere://detail", digits_bundle(), tmp_path / "there")
    make(tmp_path / "here", *WHOLE)
    assert hashes(tmp_path / "there") == hashes(tmp_path / "here")


@pytest.mark.parametrize("share", ["1.5", "-0.1", "true", "'1'", ".nan"])
def test_a_share_outside_0_to_1_is_refused(tmp_path, share):
    result = command("generate", tmp_path / "o", f"generate.detail={share}")
    assert isinstance(result.exception, ValueError)
    assert "'generate.detail' is wrong" in str(result.exception)
    assert not (tmp_path / "o").exists()


def test_a_dry_run_forecasts_what_the_job_makes(tmp_path):
    words = ["generate", CONFIGS / "zszu_digits.yaml", "--data", digits_data(), "--dry-run"]
    words += ["--model", digits_bundle(), "--out", tmp_path / "o", "--set", "generate.detail=1.0"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "o").exists()


def test_cells_are_filled_from_anchors_with_their_detail(tmp_path):
    made = make_letters(tmp_path / "o", "generate.detail=1.0", "generate.cells=balanced")
    assert made.manifest.totals["written"] > 0
    config = letters_config("generate.detail=1.0", "generate.cells=balanced")
    report = report_on(config, letters_data(), letters_bundle(), tmp_path / "o")
    assert {"recombinations", "cells"} <= set(report.captions)
    assert verify(tmp_path / "o", letters_data()).ok


def test_cells_that_were_held_out_give_no_anchor(tmp_path):
    held = "data.hold_out=[{label: a, back: red}]"
    bundle = letters_bundle(held)
    settings = (held, "generate.recipe=reconstruct", "generate.detail=1.0", *UNGATED)
    config = letters_config(*settings)
    generate(config, letters_data(), bundle, tmp_path / "o")
    real, made = anchors_of(letters_data()), list(read(tmp_path / "o", split="train"))
    assert 0 < len(made) < 2 * len(real)
    for record in made:
        assert (record["label"], record["back"]) != (0, 2)
        np.testing.assert_array_equal(record["image"], real[record["anchor_id"]])


def test_figures_and_pictures_are_of_the_same_setting(codec):
    real = DatasetDir.open(digits_data()).read("train")
    config = digits_config(*WHOLE)
    drawn = draw_sample(codec, real, config.generate, EvaluateConfig(anchors=30, variants=3))
    for number in range(3):
        np.testing.assert_array_equal(drawn.observations[:, number], drawn.anchors.observations)
    some = real.take(slice(0, 4)).loaded()
    square = exchange_blocks(codec, some, config.generate.gate.build(), 1.0).observations
    for row in range(4):
        np.testing.assert_array_equal(square[row, row], some.observations[row])
