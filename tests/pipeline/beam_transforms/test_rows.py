"""Rows of Beam YAML: the provider file names the transform, and a pipeline of YAML runs it.

What runs YAML needs the extra of Beam, `apache-beam[yaml]`; without it that test is skipped.
"""

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
import yaml
from bundles import digits_bundle, digits_data, make
from own_pipelines import ran, records_of

from latentloom.pipeline.beam_transforms.rows import AugmentRows

PROVIDERS = Path(__file__).parents[3] / "pipeline" / "beam_transforms" / "yaml_providers.yaml"
PIPELINE = """
pipeline:
  transforms:
    - type: ReadFromTFRecord
      config: {{file_pattern: "{data}/*-train.tfrecord-*"}}
    - type: LatentloomAugment
      name: Swap
      input: {{input: ReadFromTFRecord, donors: ReadFromTFRecord}}
      config:
        bundle: {bundle}
        recipe: swap_zu
        variants: 2
        error_handling: {{output: bad}}
    - type: WriteToTFRecord
      input: Swap.good
      config: {{file_path_prefix: {out}/made}}
    - type: WriteToText
      input: Letters
      config: {{path: {out}/bad}}
    - type: MapToFields
      name: Letters
      input: Swap.bad
      config: {{fields: {{msg: msg}}}}
providers:
  - include: {providers}
options:
  runner: apache_beam.runners.portability.fn_api_runner.FnApiRunner
"""


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """What `generate` writes."""
    out = tmp_path_factory.mktemp("wanted") / "out"
    make(out, "generate.recipe=swap_zu", "generate.variants_per_example=2")
    return sorted(records_of(out))


def rows(examples):
    return examples | beam.Map(lambda record: beam.Row(record=record))


def test_rows_have_the_variants_that_generate_writes(wanted):
    def build(examples):
        given = rows(examples)
        return {"input": given, "donors": given} | AugmentRows(
            str(digits_bundle()), "swap_zu", variants=2
        )

    _, [found] = ran(records_of(digits_data()), build)
    assert sorted(row.record for row in found) == wanted


def test_bad_rows_are_told_as_everywhere_in_beam_yaml():
    handled = AugmentRows(str(digits_bundle()), gate=False, error_handling={"output": "bad"})

    def build(examples):
        outputs = rows(examples) | handled
        return outputs["good"], outputs["bad"]

    _, [good, bad] = ran([*records_of(digits_data())[:3], b"no example"], build)
    assert len(good) == 3
    (letter,) = bad
    assert letter.element == b"no example"
    assert "does not fit the bundle" in letter.msg
    assert "bad_example" in letter.stack


def test_error_handling_without_an_output_is_refused():
    with pytest.raises(ValueError, match="Name the output of bad examples"):
        AugmentRows("bundle", error_handling={"outptu": "bad"})


def test_the_provider_file_names_the_transform():
    (provider,) = yaml.safe_load(PROVIDERS.read_text())
    assert provider["type"] == "python"
    (place,) = provider["transforms"].values()
    module, _, name = place.rpartition(".")
    assert getattr(importlib.import_module(module), name) is AugmentRows


@pytest.mark.skipif(not find_spec("pandas"), reason="needs the extra apache-beam[yaml]")
def test_a_pipeline_of_yaml_makes_the_variants_of_generate(wanted, tmp_path):
    text = PIPELINE.format(
        data=digits_data(), bundle=digits_bundle(), out=tmp_path, providers=PROVIDERS
    )
    (tmp_path / "pipeline.yaml").write_text(text)
    words = ("-m", "apache_beam.yaml.main", f"--yaml_pipeline_file={tmp_path / 'pipeline.yaml'}")
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    files = sorted(map(str, tmp_path.glob("made*")))
    assert sorted(tf.data.TFRecordDataset(files).as_numpy_iterator()) == wanted
    assert not "".join(path.read_text() for path in tmp_path.glob("bad*"))
