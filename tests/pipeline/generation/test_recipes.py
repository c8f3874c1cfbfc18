"""Every recipe through the whole pipeline: labels, donors and what the records say of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from bundles import digits_bundle, digits_config, digits_data, hashes, make

from latentloom.augment import BlockPrior, find_recipe
from latentloom.model_zoo.bundle import load_bundle, save_bundle
from latentloom.model_zoo.registry import build_model
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.generation.engines import Engine
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.verification.verify import verify

UNGATED = ("generate.gate.enabled=false", "generate.variants_per_example=3")


@pytest.fixture(scope="module")
def label_of() -> dict[str, int]:
    """Class of every real example."""
    real = DatasetDir.open(digits_data()).read("train")
    return dict(zip(real.ids, real.labels.tolist(), strict=True))


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(load_bundle(digits_bundle()))


def records(out: Path, recipe: str, *settings: str) -> list[dict]:
    """What a run of a recipe without the gate writes, after checks that hold for all recipes."""
    make(out, f"generate.recipe={recipe}", *UNGATED, *settings)
    assert verify(out).ok
    builder = tfds.builder_from_directory(str(out))
    made = list(tfds.as_numpy(builder.as_dataset(split="train")))
    for record in made:
        record["donor_ids"] = [donor.decode() for donor in record["donor_ids"]]
        record["anchor_id"] = record["anchor_id"].decode()
        assert record["recipe"].decode() == recipe
    return made


def assert_labels_are_kept(made: list[dict], label_of: dict[str, int]) -> None:
    assert len(made) == 3 * len(label_of)
    assert all(record["label"] == label_of[record["anchor_id"]] for record in made)


def donors_by_anchor(made: list[dict]) -> dict[str, list[str]]:
    """The one donor of each variant, by anchor."""
    donors: dict[str, list[str]] = {}
    for record in made:
        (donor,) = record["donor_ids"]
        donors.setdefault(record["anchor_id"], []).append(donor)
    return donors


def test_sample_class_keeps_the_label_and_takes_no_donor(tmp_path, label_of, codec):
    made = records(tmp_path / "o", "sample_class", "generate.options.temperature=0.5")
    assert_labels_are_kept(made, label_of)
    assert not any(record["donor_ids"] for record in made)
    images = np.stack([record["image"] for record in made])
    read = np.argmax(codec.judge(images), axis=-1)
    assert np.mean(read == [record["label"] for record in made]) > 0.5  # chance is 0.1


@pytest.mark.parametrize("same_class", [0, 1])
def test_swap_zu_gives_each_variant_another_donor_of_the_wanted_class(
    tmp_path, label_of, same_class
):
    setting = f"generate.options.same_class={same_class}"
    made = records(tmp_path / "o", "swap_zu", setting)
    assert_labels_are_kept(made, label_of)
    for anchor, donors in donors_by_anchor(made).items():
        assert len(set(donors)) == 3
        assert anchor not in donors
        shares = [label_of[donor] == label_of[anchor] for donor in donors]
        assert shares == [bool(same_class)] * 3


def test_swap_zu_writes_the_zs_of_the_anchor_with_the_zu_of_the_donor(tmp_path, codec):
    made = records(tmp_path / "o", "swap_zu")
    real = DatasetDir.open(digits_data()).read("train")
    latents = codec.encode(real.observations)
    row_of = {example_id: row for row, example_id in enumerate(real.ids)}
    anchors = [row_of[record["anchor_id"]] for record in made]
    donors = [row_of[record["donor_ids"][0]] for record in made]
    images, _ = codec.render({"zs": latents["zs"][anchors], "zu": latents["zu"][donors]})
    np.testing.assert_array_equal(images, np.stack([record["image"] for record in made]))


@pytest.mark.parametrize("recipe", ["interpolate_class", "interpolate_zu"])
def test_interpolation_gives_each_variant_another_donor_of_its_class(tmp_path, label_of, recipe):
    made = records(tmp_path / "o", recipe)
    assert_labels_are_kept(made, label_of)
    for anchor, donors in donors_by_anchor(made).items():
        assert len(set(donors)) == 3
        assert anchor not in donors
        assert {label_of[donor] for donor in donors} == {label_of[anchor]}


def test_variants_drawn_anew_have_donors_that_no_rejected_attempt_had(tmp_path, label_of):
    settings = ("generate.recipe=swap_zu", "generate.variants_per_example=3")
    donors: list[dict[str, list[str]]] = []
    for attempts in (1, 3):
        make(tmp_path / f"{attempts}", *settings, f"generate.gate.attempts={attempts}")
        builder = tfds.builder_from_directory(str(tmp_path / f"{attempts}"))
        written = tfds.as_numpy(builder.as_dataset(split="train"))
        donors.append({r["example_id"].decode(): list(r["donor_ids"]) for r in written})
    once, thrice = donors
    assert once.items() < thrice.items()
    by_anchor: dict[str, list[bytes]] = {}
    for example_id, (donor,) in thrice.items():
        by_anchor.setdefault(example_id.split("/swap_zu")[0], []).append(donor)
    assert all(len(set(used)) == len(used) for used in by_anchor.values())


@pytest.mark.parametrize("recipe", ["sample_class", "swap_zu", "interpolate_class"])
def test_two_workers_write_identical_bytes(tmp_path, recipe):
    settings = (f"generate.recipe={recipe}", *UNGATED)
    make(tmp_path / "one", *settings)
    two = ("--direct_num_workers=2", "--direct_running_mode=multi_threading")
    make(tmp_path / "two", *settings, engine=Engine(beam_args=two))
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")


@pytest.fixture(scope="module")
def fitted_bundle(tmp_path_factory) -> Path:
    """The bundle of the digits with Gaussians fitted to the codes of `zu`, saved and read again."""
    bundle, digits = load_bundle(digits_bundle()), DatasetDir.open(digits_data()).read("train")
    codes = Codec(bundle).encode(digits.observations)
    args = bundle.model_args | {"zu_prior": "fitted"}
    sizes = {"factor_sizes": {"label": 10}}
    model = build_model("zszu_vae", args, bundle.observation_shape, 10, **sizes)
    model.set_weights(bundle.model.get_weights())
    priors = {
        f"{block}/{name}": array.astype(np.float32)
        for block, arrays in model.fitted_priors(codes, digits.factors).items()
        for name, array in arrays.items()
    }
    folder = tmp_path_factory.mktemp("fitted") / "bundle"
    save_bundle(replace(bundle, model=model, model_args=args, priors=priors), folder)
    return folder


def test_a_step_towards_a_fitted_prior_is_one_on_any_number_of_workers(
    tmp_path, fitted_bundle, label_of
):
    config = digits_config(*UNGATED, "generate.options.step=0.6", "generate.slice_records=12")
    two = ("--direct_num_workers=2", "--direct_running_mode=multi_threading")
    for out, engine in (("one", Engine()), ("two", Engine(beam_args=two))):
        generate(config, digits_data(), fitted_bundle, tmp_path / out, engine=engine)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    assert verify(tmp_path / "one").ok
    codec = Codec(load_bundle(fitted_bundle))
    assert codec.spec["zu"].prior.axes is not None
    made, real = (DatasetDir.open(at).read("train") for at in (tmp_path / "one", digits_data()))
    steps = codec.encode(made.loaded().observations)["zu"].std(axis=0).mean()
    assert steps == pytest.approx(codec.encode(real.observations)["zu"].std(axis=0).mean(), rel=0.3)


@pytest.fixture
def one_class(tmp_path) -> Path:
    """The digits of which only zeros are in the training split."""
    real = DatasetDir.open(digits_data()).read("train")
    split = np.where(real.labels == 0, "train", "test")
    np.savez(tmp_path / "d.npz", images=real.observations, label=real.labels, split=split)
    import_dataset(f"npz:{tmp_path / 'd.npz'}", tmp_path / "d")
    return tmp_path / "d"


def test_donors_of_another_class_are_refused_before_work_starts_where_there_is_none(
    one_class, tmp_path
):
    assert find_recipe("swap_zu").matched_by() == ("label", False)
    with pytest.raises(ValueError, match="class '0'.*set generate.options.same_class=1"):
        make(tmp_path / "o", "generate.recipe=swap_zu", data=one_class)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "settings",
    [("interpolate_zu",), ("interpolate_class",), ("swap_zu", "generate.options.same_class=1")],
)
def test_one_donor_a_class_is_refused_before_work_starts_where_it_may_be_the_anchor(
    tmp_path, settings
):
    recipe, *options = settings
    with pytest.raises(ValueError, match="Received: generate.donors_per_class=1. Raise it"):
        make(tmp_path / "o", f"generate.recipe={recipe}", "generate.donors_per_class=1", *options)
    assert not (tmp_path / "o").exists()


def test_one_donor_a_class_is_enough_to_swap_across_classes(tmp_path, label_of):
    made = records(tmp_path / "o", "swap_zu", "generate.donors_per_class=1")
    donors = {donor for record in made for donor in record["donor_ids"]}
    assert sorted(label_of[donor] for donor in donors) == list(range(10))


def test_a_class_prior_that_ignores_the_class_is_refused_before_work_starts(tmp_path):
    bundle = load_bundle(digits_bundle())
    blind = BlockPrior.standard_normal(bundle.model.settings.zs_dim).to_arrays("zs")
    bundle.priors = {**bundle.priors, **blind}
    save_bundle(bundle, tmp_path / "blind")
    config = digits_config("generate.recipe=sample_class")
    with pytest.raises(ValueError, match="'sample_class' cannot draw block 'zs'"):
        generate(config, digits_data(), tmp_path / "blind", tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_a_class_of_one_example_may_swap_across_classes_but_not_within(tmp_path):
    real = DatasetDir.open(digits_data()).read("train")
    rows = (real.labels != 9) | (np.arange(len(real)) == np.argmax(real.labels == 9))
    np.savez(tmp_path / "d.npz", images=real.observations[rows], label=real.labels[rows])
    import_dataset(f"npz:{tmp_path / 'd.npz'}", tmp_path / "d")
    across = ("generate.recipe=swap_zu", *UNGATED)
    make(tmp_path / "across", *across, data=tmp_path / "d")
    assert DatasetDir.open(tmp_path / "across").manifest.label_counts("train")["9"] == 3
    within = (*across, "generate.options.same_class=1")
    with pytest.raises(ValueError, match="class '9' has one example"):
        make(tmp_path / "within", *within, data=tmp_path / "d")
    make(tmp_path / "within", *within, "generate.sampling_strategy={3: 5}", data=tmp_path / "d")
    assert sum(DatasetDir.open(tmp_path / "within").manifest.label_counts("train").values()) == 5
