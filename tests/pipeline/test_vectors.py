"""The whole job on vectors: three moons are imported, learnt, varied, measured and reported."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from bundles import CONFIGS, digits_bundle
from own_pipelines import check_same_as_generate
from sklearn.neighbors import KNeighborsClassifier

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.batching import BATCH_SIZE
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import load_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.builtin.moons import residuals
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.training.train import train_bundle
from latentloom.pipeline.verification.verify import verify

CONFIG = CONFIGS / "zszu_moons.yaml"
SMOKE = load_config(CONFIG, ["generate.gate.enabled=false"], smoke=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A folder with data, a bundle trained for two epochs, and variants."""
    folder = tmp_path_factory.mktemp("moons")
    import_dataset("builtin:moons", folder / "data", max_examples=300, shards=2)
    train_bundle(SMOKE, folder / "data", folder / "bundle")
    generate(SMOKE, folder / "data", folder / "bundle", folder / "variants")
    return folder


@pytest.fixture(scope="module")
def codec(run) -> Codec:
    return Codec(load_bundle(run / "bundle"))


def test_variants_are_labelled_vectors_that_tfds_reads(run):
    made = DatasetDir.open(run / "variants")
    assert (made.manifest.observation, made.manifest.observation_shape) == ("vector", (2,))
    assert verify(run / "variants").ok
    builder = tfds.builder_from_directory(str(run / "variants"))
    assert builder.info.supervised_keys == ("observation", "label")
    read = {
        record["example_id"].decode(): record["observation"]
        for record in tfds.as_numpy(builder.as_dataset(split="train"))
    }
    examples = made.read("train")
    assert len(read) == len(examples) == 300
    for example_id, vector in zip(examples.ids, examples.observations, strict=True):
        np.testing.assert_array_equal(read[example_id], vector)


def test_a_beam_collection_of_vectors_has_the_variants_that_generate_writes(run):
    check_same_as_generate(run, SMOKE.generate, "observation")


def test_equal_runs_write_equal_bytes(run, tmp_path):
    again = generate(SMOKE, run / "data", run / "bundle", tmp_path / "again")
    for shard in again.shards("train"):
        digest = hashlib.sha256((run / "variants" / shard.file).read_bytes()).hexdigest()
        assert digest == shard.sha256


def test_reconstructions_with_all_detail_are_the_anchors(run, tmp_path):
    settings = ["generate.gate.enabled=false", "generate.recipe=reconstruct"]
    config = load_config(CONFIG, [*settings, "generate.detail=1.0"], smoke=True)
    made = generate(config, run / "data", run / "bundle", tmp_path / "o").read("train")
    real = DatasetDir.open(run / "data").read("train")
    row_of = {example_id: row for row, example_id in enumerate(real.ids)}
    rows = [row_of[example_id.split("/reconstruct/")[0]] for example_id in made.ids]
    np.testing.assert_allclose(made.observations, real.observations[rows], atol=1e-5)


def test_what_a_vector_gets_does_not_depend_on_its_batch(run, codec):
    vectors = DatasetDir.open(run / "data").read("train").observations[: 2 * BATCH_SIZE]
    together, alone = codec.encode(vectors), codec.encode(vectors[100:101])
    for name, block in alone.items():
        np.testing.assert_array_equal(block[0], together[name][100])
    decoded, probabilities = codec.render(together)
    assert (decoded.dtype, decoded.shape) == (np.float32, vectors.shape)
    np.testing.assert_array_equal(codec.render(alone)[0][0], decoded[100])
    np.testing.assert_allclose(probabilities, codec.judge(decoded, "judge"), atol=1e-6)


def test_the_model_sees_standardised_vectors(run, codec):
    vectors = DatasetDir.open(run / "data").read("train").observations
    standardised = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    direct = codec.bundle.model.encode(standardised[:BATCH_SIZE])
    # The scaling was fitted to the training fold, which lacks the validation examples.
    for name, block in codec.encode(vectors[:BATCH_SIZE]).items():
        np.testing.assert_allclose(block, direct[name], atol=0.05 * np.abs(block).max())


def test_a_code_that_is_not_finite_has_no_probabilities(codec):
    latents = {"zs": np.zeros((2, 2), np.float32), "zu": np.float32([[0, 0], [0, np.nan]])}
    _, probabilities = codec.render(latents)
    assert np.isfinite(probabilities).all(axis=1).tolist() == [True, False]


def test_report_and_evaluation_show_dots_and_speak_of_vectors(run, tmp_path):
    report = report_on(SMOKE, run / "data", run / "bundle", run / "variants")
    assert list(report.captions) == ["class_by_class", "variants", "exchange"]
    page = (run / "variants" / "report.html").read_text()
    assert page.count('src="data:image/png;base64,') >= 4
    evaluation = evaluate(run / "data", run / "bundle", tmp_path / "out")
    assert len(evaluation.numbers) == 43
    assert "Each line moves its code along one axis" in evaluation.captions["traversal_of_zu"]
    unknown = {number.name for number in evaluation.numbers if number.value is None}
    assert unknown <= {"Class kept, after the gate"}  # the gate may refuse all of so short a run
    card = (run / "variants" / "README.md").read_text()
    assert "| Shape | 2, float32 |" in card
    for text in (report.model_dump_json(), evaluation.model_dump_json(), card):
        assert "vectors" in text
        assert "pixel" not in text
        assert " image" not in text.replace("labelled image", "")


def test_a_bundle_of_images_is_refused_for_vectors(run, tmp_path):
    with pytest.raises(
        ValueError, match=r"images of shape \(8, 8, 1\)\. Received: vectors .*Train"
    ):
        generate(SMOKE, run / "data", digits_bundle(), tmp_path / "out")


@pytest.mark.slow
def test_vectors_cannot_be_deformed(run, tmp_path):
    config = load_config(CONFIG, ["data.deform={}"], smoke=True)
    with pytest.raises(ValueError, match="Only images can be deformed.*Drop `data.deform`"):
        train_bundle(config, run / "data", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("most", "least", "widest"),
    [(1000, 0.8, 2.5), pytest.param(None, 0.9, 2.0, marks=pytest.mark.slow)],
)
def test_variants_of_moons_fill_their_own_moon(tmp_path, most, least, widest):
    """The toy example of Zheng & Sun: class and spread about the arc, against real points."""
    config = load_config(CONFIG, ["generate.gate.enabled=false"])
    data = import_dataset("builtin:moons", tmp_path / "data", max_examples=most)
    train_bundle(config, tmp_path / "data", tmp_path / "bundle")
    made = generate(config, tmp_path / "data", tmp_path / "bundle", tmp_path / "out").read("train")
    real = data.read("train")
    nearest = KNeighborsClassifier(1).fit(real.observations, real.labels)
    assert np.mean(nearest.predict(made.observations) == made.labels) >= least
    spread = residuals(made.observations, made.labels).std()
    assert 0.5 < spread / residuals(real.observations, real.labels).std() < widest
    figures = {f["name"]: f["value"] for f in load_bundle(tmp_path / "bundle").details["figures"]}
    assert figures["MLP probe: class from sampled zu"] < 0.6
