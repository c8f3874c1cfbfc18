"""Translation between domains through the whole pipeline, with the recipes of every model."""

import numpy as np
import pytest
import tensorflow_datasets as tfds
from bundles import hashes
from translated import DOMAINS, class_bundle, translated_bundle, translated_config, translated_data

from latentloom.augment import identity_keys
from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.generation.planning.plan_job import plan_job
from latentloom.pipeline.generation.worker.sample_donors import sample_donors
from latentloom.pipeline.verification.verify import verify

DRAWN = "generate.options={factor: domain, guided: false}"
GUIDED = "generate.options={factor: domain, guided: true}"


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(translated_bundle()))


@pytest.fixture(scope="module")
def real():
    return DatasetDir.open(translated_data()).read("train").loaded()


def made_by(out, recipe, *settings, bundle=translated_bundle):
    """The records of a run."""
    config = translated_config(f"generate.recipe={recipe}", *settings)
    generate(config, translated_data(), bundle(), out)
    assert verify(out, translated_data()).ok
    builder = tfds.builder_from_directory(str(out))
    return list(tfds.as_numpy(builder.as_dataset(split="train")))


def job_on(out, recipe, *settings, bundle=translated_bundle):
    config = translated_config(f"generate.recipe={recipe}", *settings)
    return plan_job(config.generate, str(translated_data()), str(bundle()), str(out))


def test_a_bundle_knows_its_domains_and_its_style_axes(codec):
    look = codec.spec["look"]
    assert look.drawn_factor == "domain"
    assert look.num_axes == 8 < look.dim == 8 + len(DOMAINS)
    np.testing.assert_array_equal(look.prior.loc[0, :, 8:], np.eye(3))
    assert codec.spec["content"].prior.is_class_conditional


def test_a_draw_of_looks_never_mixes_domains(codec):
    look = codec.spec["look"]
    keys = identity_keys(0, "looks", [str(number) for number in range(500)])
    drawn = look.prior.sample(keys)
    component = drawn[:, 8:].argmax(axis=1)
    np.testing.assert_array_equal(drawn[:, 8:], np.eye(3)[component])
    mean, scale = look.prior.loc[0][component, :8], look.prior.scale[0][component, :8]
    assert (np.abs(drawn[:, :8] - mean) <= 6 * scale).all()
    known = np.arange(500) % 3
    of_domain = look.draw(keys, {"label": known, "domain": known})
    np.testing.assert_array_equal(of_domain[:, 8:], np.eye(3)[known])


@pytest.mark.parametrize("options", [DRAWN, GUIDED])
def test_translations_are_of_another_domain_and_keep_the_letter(tmp_path, real, options):
    made = made_by(tmp_path, "swap_factor", options)
    of = {i: row for row, i in enumerate(real.ids)}
    assert len(made) == len(real.ids)
    for record in made:
        anchor = of[record["anchor_id"].decode()]
        assert record["label"] == real.labels[anchor]
        assert record["domain"] != real.factors["domain"][anchor]
        donors = [of[each.decode()] for each in record["donor_ids"]]
        assert len(donors) == (options == GUIDED)
        assert all(record["domain"] == real.factors["domain"][donor] for donor in donors)


def test_variants_of_an_anchor_take_the_other_domains_in_turn(tmp_path):
    made = made_by(tmp_path, "swap_factor", DRAWN, "generate.variants_per_example=2")
    found = {}
    for record in made:
        found.setdefault(record["anchor_id"], set()).add(int(record["domain"]))
    assert all(len(domains) == 2 for domains in found.values())


def test_translations_need_no_donor_unless_guided(tmp_path, codec):
    drawn, guided = (job_on(tmp_path, "swap_factor", options) for options in (DRAWN, GUIDED))
    assert (drawn.plan.blocks.anchors, drawn.plan.blocks.donors) == (("content",), ())
    assert not drawn.plan.needs_bank
    assert (guided.plan.blocks.anchors, guided.plan.blocks.donors) == (("content",), ("look",))
    bank = sample_donors(guided, DatasetDir.open(translated_data()), guided.tasks[0], codec)
    assert list(bank.latents) == ["look"]


@pytest.mark.parametrize("guided", ["true", "false"])
@pytest.mark.parametrize("style", ["anchor", "prior"])
def test_every_letter_is_made_in_every_domain(tmp_path, real, guided, style):
    options = f"generate.options={{guided: {guided}, style: {style}}}"
    settings = (options, "generate.cells=balanced", "generate.per_cell=12")
    made = made_by(tmp_path, "recombine_factors", *settings)
    assert made
    assert all(len(record["donor_ids"]) == (guided == "true") for record in made)
    cells = [(r["label"], r["domain"]) for r in made]
    cells += list(zip(real.labels.tolist(), real.factors["domain"].tolist(), strict=True))
    counts = np.unique(cells, axis=0, return_counts=True)[1]
    assert len(counts) == 30
    assert counts.min() >= 12


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("class_preserving", ["generate.options={temperature: 0.7}"]),
        ("traverse", ["generate.options={block: look}"]),
        ("sample_class", ["generate.options={}"]),
    ],
)
def test_recipes_that_draw_or_move_looks_keep_the_letter_alone(tmp_path, recipe, settings):
    made = made_by(tmp_path, recipe, *settings)
    assert "label" in made[0]
    assert "domain" not in made[0]


def test_styles_of_a_domain_are_interpolated_within_it(tmp_path, real):
    made = made_by(tmp_path, "interpolate_factor", "generate.options={factor: domain}")
    of = {i: row for row, i in enumerate(real.ids)}
    for record in made:
        anchor = of[record["anchor_id"].decode()]
        assert record["domain"] == real.factors["domain"][anchor]


def test_only_axes_of_style_are_traversed(tmp_path):
    options = "generate.options={block: look, axes: '7'}"
    assert job_on(tmp_path, "traverse", options).plan.written == ("label",)
    with pytest.raises(ValueError, match="'look' has no axis 8.*0 to 7, since it has 8 directions"):
        job_on(tmp_path, "traverse", "generate.options={block: look, axes: '8'}")


def test_the_same_look_is_a_reconstruction(codec, real):
    codes = codec.encode(real.observations[:8])
    own, donors = codes, codec.encode(real.observations[:8].copy())
    swapped = codec.render(own | {"look": donors["look"]})[0]
    np.testing.assert_array_equal(swapped, codec.render(codes)[0])


def test_the_bytes_do_not_depend_on_how_far_a_run_got(tmp_path):
    settings = (DRAWN, "generate.slice_records=40")
    for name in ("whole", "again"):
        made_by(tmp_path / name, "swap_factor", *settings)
    assert hashes(tmp_path / "whole") == hashes(tmp_path / "again")


# --- Letters as domains -----------------------------------------------------------------------


def test_a_letter_gets_the_layout_of_another(tmp_path, real):
    made = made_by(tmp_path, "swap_zu", "generate.options={}", bundle=class_bundle)
    of = {i: row for row, i in enumerate(real.ids)}
    for record in made:
        anchor = of[record["anchor_id"].decode()]
        (donor,) = (of[each.decode()] for each in record["donor_ids"])
        assert record["label"] == real.labels[anchor] != real.labels[donor]


def test_content_of_donors_is_bounded(tmp_path):
    settings = ("generate.options={}", "generate.donors_per_class=100000")
    with pytest.raises(ValueError, match=r"would exceed its memory.*blocks \['content'\].*Lower"):
        made_by(
            tmp_path / "out",
            "swap_zu",
            *settings,
            "generate.donor_memory=1",
            bundle=class_bundle,
        )
    assert not (tmp_path / "out").exists()


def test_letters_are_sampled_by_the_component_of_their_class(tmp_path):
    made = made_by(tmp_path, "sample_class", "generate.options={}", bundle=class_bundle)
    assert {record["label"] for record in made} == set(range(10))
