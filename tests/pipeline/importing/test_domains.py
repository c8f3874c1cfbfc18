"""Grey images and letters rendered in domains, which have nothing to do with their class."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from latentloom.pipeline.command.options import app
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.importing.domains import DOMAINS, DRAWS, render
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.open_source import open_source

ALL = list(DOMAINS)
SOURCES = ["builtin:letters", "builtin:digits"]


def all_of(source, split="train"):
    return Examples.concatenate([examples for examples, _ in source.batches(split)])


@pytest.fixture(scope="module", params=SOURCES)
def rendered(request) -> Examples:
    """Letters rendered for it, and images of another source."""
    return all_of(open_source(request.param, domains=ALL, max_examples=1500))


def of_domain(examples, name):
    return examples.observations[examples.factors["domain"] == ALL.index(name)].astype(int)


def test_domains_are_as_likely_in_every_class(rendered):
    assert list(rendered.factors) == ["label", "domain"]
    for label in range(10):
        counts = np.bincount(rendered.factors["domain"][rendered.labels == label], minlength=3)
        assert counts.min() > 0.15 * counts.sum()


def test_plain_images_are_grey_and_have_light_shapes_on_dark_grounds(rendered):
    images = of_domain(rendered, "plain")
    assert np.ptp(images, axis=-1).max() == 0
    assert images.min(axis=(1, 2, 3)).max() <= 39
    assert images.max(axis=(1, 2, 3)).min() > 100


def test_coloured_images_have_dark_shapes_on_saturated_grounds(rendered):
    images = of_domain(rendered, "colour")
    brightest = images.max(axis=-1).reshape(len(images), -1)
    assert brightest.max(axis=1).min() >= 165
    assert brightest.min(axis=1).max() < 110
    ground = images.reshape(len(images), -1, 3)[np.arange(len(images)), brightest.argmax(axis=1)]
    assert np.ptp(ground, axis=1).min() > 100
    assert len(np.unique(ground, axis=0)) > 0.9 * len(images)


def test_outlines_are_coloured_on_white_and_leave_the_shape_white():
    examples = all_of(open_source("builtin:letters", domains=ALL, max_examples=600, image_size=64))
    images = of_domain(examples, "outline")
    assert (images[:, 0, 0] == 255).all()
    drawn = images.min(axis=-1) < 128
    assert drawn.any(axis=(1, 2)).all()
    assert drawn.mean() < 0.25


def test_outlines_lie_around_what_is_bright():
    shapes = np.zeros((1, 32, 32, 1))
    shapes[:, 10:20, 12:18] = 1
    (image,) = render(ALL, np.array([2]), shapes, np.zeros((1, DRAWS)))
    inked = image.min(axis=-1) < 255
    expected = np.zeros((32, 32), bool)
    expected[9:21, 11:19] = True
    expected[10:20, 12:18] = False
    np.testing.assert_array_equal(inked, expected)


@pytest.mark.parametrize("source", SOURCES)
def test_an_image_does_not_depend_on_the_size_of_the_sample(source):
    small, large = (
        all_of(open_source(source, domains=ALL[:2], max_examples=count)) for count in (150, 300)
    )
    rows = [large.ids.index(each) for each in small.ids]
    np.testing.assert_array_equal(large.observations[rows], small.observations)
    np.testing.assert_array_equal(large.factors["domain"][rows], small.factors["domain"])


def test_colour_images_become_grey_shapes_first(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "some.npz", images=colours, label=np.arange(40) % 2)
    spec = f"npz:{tmp_path / 'some.npz'}"
    source = open_source(spec, domains=ALL, channels=1)
    assert source.observation_shape == (16, 16, 3)
    assert source.factors["domain"] == ALL
    with pytest.raises(ValueError, match=r"grey images.*\(16, 16, 3\).*Pass --channels 1"):
        open_source(spec, domains=ALL)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domains": ["plain", "color"]}, "'color' is no domain.*Did you mean 'colour'"),
        ({"domains": ["plain", "plain"]}, "named twice.*different ones"),
        ({"domains": ["plain"]}, "too few domains.*two or more of plain, colour, outline"),
        ({"domains": ALL, "overlays": ["bar"]}, "Expected: one of both.*Drop --domains or"),
    ],
)
def test_domains_that_cannot_be_rendered_are_refused_with_the_fix(source, options, message):
    with pytest.raises(ValueError, match=message):
        open_source(source, **options)


def test_vectors_have_no_domains():
    with pytest.raises(ValueError, match="unfit for domains.*Received: vectors"):
        open_source("builtin:moons", domains=ALL)


def test_an_imported_data_set_says_which_domains_it_has(tmp_path):
    data = import_dataset("builtin:digits", tmp_path / "out", domains=ALL[:2], max_examples=60)
    assert data.manifest.source["domains"] == ALL[:2]
    assert data.manifest.observation_shape == (8, 8, 3)


def test_the_command_imports_domains_or_refuses_and_leaves_nothing(tmp_path):
    line = ["import", "builtin:letters", str(tmp_path / "out"), "--max-examples", "90"]
    done = CliRunner().invoke(app, [*line, "--domains", "plain,colour"], catch_exceptions=False)
    assert done.exit_code == 0
    manifest = DatasetDir.open(tmp_path / "out").manifest
    assert manifest.factors["domain"] == ["plain", "colour"]
    assert json.loads(manifest.model_dump_json())["source"]["domains"] == ["plain", "colour"]
    line[2] = str(tmp_path / "other")
    both = [*line, "--domains", "plain,colour", "--overlays", "bar"]
    assert CliRunner().invoke(app, both).exit_code != 0
    assert not (tmp_path / "other").exists()
