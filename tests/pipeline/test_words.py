"""The whole job on bags of words: imported, learnt, varied, measured and reported."""

import json
from pathlib import Path

import bags
import numpy as np
import pytest
import tensorflow_datasets as tfds
from bundles import CONFIGS, hashes
from own_pipelines import check_same_as_generate
from typer.testing import CliRunner

from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.pipeline.codec.batching import BATCH_SIZE
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.compatibility import check_compatible
from latentloom.pipeline.command import app
from latentloom.pipeline.config import load_config
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generate
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.reader import load, read
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.training.train import train_bundle
from latentloom.pipeline.verification.compare import compare
from latentloom.pipeline.verification.describe import describe
from latentloom.pipeline.verification.verify import verify

CONFIG = CONFIGS / "hfvae_news20.yaml"
SMOKE = load_config(
    CONFIG,
    [
        *("generate.gate.enabled=false", "train.epochs=60", "train.learning_rate=0.02"),
        *("model.args.between_weight=1", "model.args.within_weight=1", "judge.epochs=20"),
        "model.args.blocks={first: {dim: 2}, second: {dim: 2}}",
    ],
    smoke=True,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A folder with data, a bundle trained on them, and variants."""
    folder = tmp_path_factory.mktemp("words")
    import_dataset(bags.save(folder), folder / "data", shards=2)
    train_bundle(SMOKE, folder / "data", folder / "bundle")
    generate(SMOKE, folder / "data", folder / "bundle", folder / "variants")
    return folder


@pytest.fixture(scope="module")
def codec(run) -> Codec:
    return Codec(load_bundle(run / "bundle"))


@pytest.fixture(scope="module")
def evaluation(run) -> Report:
    return evaluate(run / "data", run / "bundle", run / "evaluation")


def test_the_manifest_tells_words_and_what_was_left_out(run):
    manifest = DatasetDir.open(run / "data").manifest
    assert (manifest.observation, manifest.vocabulary) == ("counts", bags.VOCABULARY)
    assert manifest.totals == {"requested": 300, "written": 297, "rejected": 3, "dead": 0}
    assert list(manifest.details["left_out"].values()) == [{"train": 2, "test": 1}]
    assert verify(run / "data").ok


def test_import_says_how_many_documents_are_empty(tmp_path):
    result = CliRunner().invoke(app, ["import", bags.save(tmp_path), str(tmp_path / "out")])
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert "Left out {'train': 2, 'test': 1}: the document has no word" in said


def test_inspect_shows_a_few_words_and_json_all(run):
    shown = CliRunner().invoke(app, ["inspect", str(run / "data")]).output
    assert "22 words: people, time, year, thing, orbit, ..." in " ".join(shown.split())
    assert describe(run / "data")["vocabulary"] == bags.VOCABULARY
    assert describe(run / "bundle")["vocabulary"] == bags.VOCABULARY


def test_tfds_reads_pairs_of_word_and_count(run):
    builder = tfds.builder_from_directory(str(run / "variants"))
    assert builder.info.supervised_keys == ("words", "label")
    made = DatasetDir.open(run / "variants").read("train")
    places = {example_id: row for row, example_id in enumerate(made.ids)}
    records = list(tfds.as_numpy(builder.as_dataset(split="train")))
    assert len(records) == len(made) == 238
    for record in records:
        counts = np.zeros(len(bags.VOCABULARY), np.int64)
        counts[record["words"][:, 0]] = record["words"][:, 1]
        np.testing.assert_array_equal(
            made.observations[places[record["example_id"].decode()]], counts
        )


def test_the_readers_give_counts_of_all_words(run):
    dataset = DatasetDir.open(run / "data").read("test")
    records = {record["example_id"]: record for record in read(run / "data", "test")}
    for example_id, counts in zip(dataset.ids, dataset.observations, strict=True):
        np.testing.assert_array_equal(records[example_id]["words"], counts)
    batches = list(load(run / "data", "test", shuffle=False).as_numpy_iterator())
    loaded = np.concatenate([observations for observations, _ in batches])
    np.testing.assert_array_equal(loaded, dataset.observations)
    mixed = load(run / "data", generated=run / "variants", balanced=True)
    assert next(mixed.as_numpy_iterator())[0].shape == (64, len(bags.VOCABULARY))


def test_variants_are_documents_of_some_words(run):
    made, real = (DatasetDir.open(run / name).read("train") for name in ("variants", "data"))
    assert made.observations.dtype == np.int32
    lengths = made.observations.sum(axis=1)
    assert lengths.min() >= 1
    assert np.mean(np.log(lengths)) == pytest.approx(
        np.mean(np.log(real.observations.sum(axis=1))), abs=0.1
    )
    assert DatasetDir.open(run / "variants").manifest.vocabulary == bags.VOCABULARY


def test_variants_of_a_class_use_its_words(run):
    made = DatasetDir.open(run / "variants").read("train")
    own = [
        made.observations[made.labels == label][:, 4 + 6 * label : 10 + 6 * label].sum()
        / made.observations[made.labels == label].sum()
        for label in range(len(bags.TOPICS))
    ]
    assert min(own) > 0.5  # of real documents 0.85


def test_a_beam_collection_of_documents_has_the_variants_that_generate_writes(run):
    check_same_as_generate(run, SMOKE.generate, "words")


def test_equal_runs_write_equal_bytes(run, tmp_path):
    generate(SMOKE, run / "data", run / "bundle", tmp_path / "again")
    assert hashes(tmp_path / "again") == hashes(run / "variants")
    assert compare(tmp_path / "again", run / "variants").holds


def test_what_a_document_gets_does_not_depend_on_its_batch(run, codec):
    counts = DatasetDir.open(run / "data").read("train").observations[: 2 * BATCH_SIZE]
    together, alone = codec.encode(counts), codec.encode(counts[100:101])
    for name, block in alone.items():
        np.testing.assert_array_equal(block[0], together[name][100])
    decoded, probabilities = codec.render(together)
    np.testing.assert_array_equal(codec.render(alone)[0][0], decoded[100])
    np.testing.assert_allclose(probabilities, codec.judge(decoded, "judge"), atol=1e-6)
    np.testing.assert_array_equal(decoded.sum(axis=1), counts.sum(axis=1))


def test_evaluation_prints_topics_with_their_coherence(run, evaluation):
    (table,) = evaluation.tables
    assert (table.columns, len(table.rows)) == (["Topic", "Words", "NPMI"], 5)
    assert {row[0] for row in table.rows} == {"first 0", "first 1", "second 0", "second 1", "Mean"}
    assert set(table.rows[0][1].split()) <= set(bags.VOCABULARY)
    figures = {number.name: number for number in evaluation.numbers}
    for mean in ("by document", "by word"):
        perplexity = figures[f"Perplexity, {mean}"]
        assert 1 < perplexity.value < 0.8 * perplexity.chance
    assert figures["Linear probe: class from the bag of words"].value > 0.9
    assert -1 <= figures["Mean NPMI of topics"].value <= 1
    assert not [name for name in figures if name.startswith("Reconstruction")]
    page = (run / "evaluation" / "evaluation.html").read_text()
    assert table.rows[0][1] in page
    assert json.loads((run / "evaluation" / "evaluation.json").read_text())["tables"]


def test_the_best_topic_is_that_of_one_class(evaluation):
    words = evaluation.tables[0].rows[0][1].split()[:5]
    assert any(len(set(words) & set(own)) >= 4 for own in bags.TOPICS.values())


def test_the_report_lists_words_and_speaks_of_documents(run):
    report = report_on(SMOKE, run / "data", run / "bundle", run / "variants")
    assert "most frequent words" in report.captions["variants"]
    card = (run / "variants" / "README.md").read_text()
    assert "| Shape | 22, int64, pairs of word and count |" in card
    for text in (report.model_dump_json(), card):
        assert "documents" in text
        assert "pixel" not in text


def test_another_vocabulary_is_refused(run, tmp_path):
    words = np.array(["persons", *bags.VOCABULARY[1:]])
    import_dataset(bags.save(tmp_path, vocab=words), tmp_path / "data")
    with pytest.raises(ValueError, match=r"people, time.*Received: 22 words: persons.*Count the"):
        generate(SMOKE, tmp_path / "data", run / "bundle", tmp_path / "out")


def test_a_bundle_of_images_is_refused_for_documents(run):
    description = read_description(run / "bundle")
    description |= {"scaling": {"kind": "image"}, "image_shape": [8, 8, 1]}
    with pytest.raises(ValueError, match=r"images of shape .* Received: documents .*Train"):
        check_compatible(DatasetDir.open(run / "data").manifest, description)


@pytest.mark.parametrize("verb", ["generate", "evaluate"])
def test_documents_have_no_detail_to_put_back(run, tmp_path, verb):
    words = [verb, *([CONFIG] if verb == "generate" else []), "--data", run / "data"]
    words += ["--model", run / "bundle", "--out", tmp_path / "out"]
    words += ["--set", "generate.detail=0.5"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(result.exception, ValueError)
    assert "Documents have no detail to put back. Expected: images or vec" in str(result.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["zszu_vae", "gzs_net", "st_rkm"])
def test_other_models_refuse_documents_before_anything_is_written(run, tmp_path, name):
    config = load_config(CONFIG, ["model.args={}", f"model.name={name}"])
    with pytest.raises(ValueError, match="cannot learn from bags of words.*`model.name` to hfvae"):
        train_bundle(config, run / "data", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.deform={}", "Only images can be deformed.*Drop `data.deform`"),
        ("model.args.likelihood=gaussian", "does not fit the observations.*likelihood` to auto"),
        ("model.args.topic_model=lda", "topic model is unknown.*Did you mean 'prodlda'"),
        (
            "model.args.blocks={length: {dim: 2}}",
            "'length' has the name.*Rename it",
        ),
    ],
)
def test_what_does_not_go_with_words_is_refused(run, tmp_path, setting, message):
    config = load_config(CONFIG, [setting], smoke=True)
    with pytest.raises(ValueError, match=message):
        train_bundle(config, run / "data", tmp_path / "out")
