"""The rules of `--config auto`, from plain numbers."""

import math
from dataclasses import replace

import pytest

from latentloom.pipeline.config import load_config, parse_config
from latentloom.pipeline.config.automatic import Seen, automatic_tree, limited

PHOTOGRAPHS = Seen("image", (64, 64, 3), 2400, 500, {"label": 4})
LETTERS = Seen("image", (32, 32, 3), 10_000, 900, {"label": 10, "size": 3, "ink": 10, "font": 40})
VECTORS = Seen("vector", (2,), 6000, 2000, {"label": 3})
WORDS = Seen("counts", (2000,), 1500, 52, {"label": 20})


def chosen(seen: Seen, stretch: float = 1.0):
    return parse_config(automatic_tree(seen, stretch), "the test")


@pytest.mark.parametrize("seen", [PHOTOGRAPHS, LETTERS, VECTORS, WORDS])
@pytest.mark.parametrize("examples", [4, 300, 5000, 10**6])
def test_every_choice_is_a_configuration_whose_warm_up_ends(seen, examples):
    config = chosen(replace(seen, examples=examples, smallest_class=max(1, examples // 100)))
    assert config.train.steps > config.train.warmup_steps
    assert config.judge.steps


def test_few_photographs_are_deformed_in_small_batches_and_audited_by_another_network():
    config = chosen(PHOTOGRAPHS)
    assert config.data.deform
    assert (config.train.batch_size, config.judge.batch_size) == (32, 32)
    assert config.judge.auditor == "residual"
    assert config.model.name == "zszu_vae"
    many = chosen(replace(PHOTOGRAPHS, examples=60_000, smallest_class=15_000))
    assert not many.data.deform
    assert many.train.batch_size == 128
    assert many.generate.gate.min_confidence > config.generate.gate.min_confidence


def test_the_gate_asks_for_less_the_fewer_images_the_smallest_class_has():
    by_class = [replace(PHOTOGRAPHS, smallest_class=count) for count in (5, 5000)]
    asked = [chosen(seen).generate.gate.min_confidence for seen in by_class]
    assert asked == sorted(set(asked))


def test_photographs_step_from_their_codes_keep_their_detail_and_have_to_look_real():
    config = chosen(PHOTOGRAPHS)
    assert (config.generate.options, config.generate.detail) == ({"step": 0.8}, 1.0)
    assert config.generate.gate.realism
    assert config.model.args["zu_prior"] == "fitted"
    digits = replace(PHOTOGRAPHS, shape=(28, 28, 1))
    for plain in (digits, sized(8), LETTERS, VECTORS):
        generate = chosen(plain).generate
        assert (generate.recipe, generate.options) == ("class_preserving", {})
        assert generate.detail == 0
        assert not generate.gate.realism


def test_a_batch_has_room_for_every_class():
    assert chosen(replace(PHOTOGRAPHS, factors={"label": 100})).train.batch_size == 128


def test_larger_images_get_narrower_networks_and_tiny_ones_dense_networks():
    width = {side: chosen(sized(side)).model.args.get("width") for side in (8, 64, 128, 512)}
    assert width[8] is None
    assert width[64] > width[128] > width[512]
    assert chosen(sized(8)).model.args["network"] == "dense"
    assert not chosen(sized(8)).data.deform


def sized(side: int) -> Seen:
    return replace(PHOTOGRAPHS, shape=(side, side, 1))


def test_few_images_get_fewer_steps_and_time_stretches_them():
    few = chosen(replace(PHOTOGRAPHS, examples=250))
    assert few.train.steps == chosen(PHOTOGRAPHS).train.steps * math.sqrt(250 / 1000)
    assert chosen(PHOTOGRAPHS, 2.0).train.steps == 2 * chosen(PHOTOGRAPHS).train.steps


def test_only_images_of_a_grid_of_factors_get_a_block_a_factor():
    assert chosen(LETTERS).model.name == "gzs_net"
    assert set(chosen(LETTERS).model.args["block_dims"]) == set(LETTERS.factors)
    assert not chosen(LETTERS).data.deform
    faces = replace(PHOTOGRAPHS, factors={"label": 2, "male": 2, "glasses": 2})
    assert chosen(faces).model.name == "zszu_vae"


def test_a_limit_leaves_less_to_see():
    assert limited(PHOTOGRAPHS, 240) == replace(PHOTOGRAPHS, examples=240, smallest_class=50)
    assert limited(PHOTOGRAPHS, None) == limited(PHOTOGRAPHS, 9999) == PHOTOGRAPHS


def test_the_photographs_of_the_repository_are_what_auto_chooses(pytestconfig):
    config = load_config(pytestconfig.rootpath / "configs" / "photographs.yaml")
    seen = Seen("image", (64, 64, 3), 2000, 125, {"label": 16})
    for section in ("data", "train", "judge", "generate"):
        assert getattr(config, section) == getattr(chosen(seen), section)
