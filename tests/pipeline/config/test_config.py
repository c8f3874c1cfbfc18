"""Configurations are checked before anything runs; errors name the nearest key."""

from pathlib import Path

import pytest
import yaml

from latentloom.augment import Block, BlockPrior, LatentSpec
from latentloom.pipeline.config import Config, load_config, parse_config
from latentloom.pipeline.config.settings import GenerateConfig


@pytest.fixture
def write(tmp_path):
    """Writes a configuration file."""

    def to_file(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return path

    return to_file


def test_an_empty_file_gives_the_defaults(write):
    assert load_config(write("")) == Config()


def test_overrides_win_over_the_file_and_over_the_smoke_section(write):
    path = write("train: {epochs: 7, seed: 3}\nsmoke: {train.epochs: 1}\n")
    assert load_config(path).train.epochs == 7
    assert load_config(path, smoke=True).train.epochs == 1
    assert load_config(path, ["train.epochs=5"], smoke=True).train.epochs == 5
    assert load_config(path, smoke=True).train.seed == 3


def test_scientific_notation_is_a_number(write):
    config = load_config(write(""), ["train.learning_rate=1e-3"])
    assert config.train.learning_rate == 0.001


def test_class_quotas_may_be_written_as_integers_or_names(write):
    config = load_config(write("generate: {sampling_strategy: {7: 3, cat: 4}}"))
    assert config.generate.sampling_strategy == {"7": 3, "cat": 4}


def test_the_resolved_configuration_reads_back_as_itself(write):
    config = load_config(write("train: {epochs: 7}"), ["generate.sampling_strategy={a: 1}"])
    assert load_config(write(config.to_yaml())) == config


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.epoch=3", "Unknown key 'train.epoch'.*Did you mean 'epochs'"),
        ("tain.epochs=3", "Unknown key 'tain'.*Did you mean 'train'"),
        ("generate.gate.min_confidenc=1", "Did you mean 'min_confidence'"),
        ("train.epochs=0", "'train.epochs' is wrong.*greater than or equal to 1"),
        ("train.epochs=many", "'train.epochs' is wrong.*Received: train.epochs='many'"),
        ("train=3", "'train' is wrong"),
        ("train.epochs.x=3", "goes into a plain value.*Drop the part after 'epochs'"),
        ("train.epochs", "malformed.*--set train.epochs=5"),
        ("generate.sampling_strategy=majority", "'auto', 'minority', .* or 'all'"),
        ("generate.sampling_strategy={totl: {a: 1}}", "'total' or 'new'"),
        ("generate.sampling_strategy={total: {a: 1}, new: {b: 1}}", "in two ways"),
        ("generate.sampling_strategy={total: {a: -1}}", "total.a.*greater than or equal to 0"),
        ("generate.sampling_strategy={total: 3, new: {a: 1}}", "valid dictionary"),
        (
            "generate.options.axes=[0, 1]",
            r"'generate.options.axes' is wrong. .*number or .*string. Received: .*axes=\[0, 1\]",
        ),
    ],
)
def test_a_wrong_setting_is_refused(write, setting, message):
    with pytest.raises(ValueError, match=message):
        load_config(write("train: {epochs: 7}"), [setting])


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Name an existing file"):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n"])
def test_what_is_no_mapping_is_refused(write, text):
    with pytest.raises(ValueError, match="not valid YAML|is not a configuration"):
        load_config(write(text))


def test_yaml_cannot_make_objects(write):
    with pytest.raises(ValueError, match="not valid YAML"):
        load_config(write("train: !!python/object/apply:os.system ['true']"))


@pytest.mark.parametrize(
    "text",
    [
        "model: {args: {blocks: {z: {dim: 2}, z: {dim: 3}}}}",
        "model:\n  args:\n    blocks:\n      z: {dim: 2}\n      z: {values: 3}\n",
        "train: {epochs: 1}\ntrain: {epochs: 2}\n",
    ],
)
def test_a_key_that_stands_twice_is_refused(write, text):
    with pytest.raises(ValueError, match="(?s)every key once.*'(z|train)' is a duplicate"):
        load_config(write(text))


def test_an_override_with_a_key_twice_is_refused():
    setting = "model.args.blocks={z: {dim: 2}, z: {dim: 3}}"
    with pytest.raises(ValueError, match="(?s)override 'model.args.blocks'.*is a duplicate"):
        parse_config({}, "here", (setting,))


def test_one_name_in_two_mappings_is_no_key_twice(write):
    text = "train: {epochs: 2}\njudge: {epochs: 3}\ndata: &one {limit: 5}\nsmoke: {<<: *one}\n"
    config = load_config(write(text))
    assert (config.train.epochs, config.judge.epochs) == (2, 3)


CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_opens_with_its_command_and_has_a_smoke_section(path):
    text = path.read_text()
    assert text.startswith("# ")
    verb = "study" if path.name.startswith("study_") else "train"
    assert f"latentloom {verb} configs/{path.name}" in text
    assert "smoke" in yaml.safe_load(text)
    load_config(path)


@pytest.mark.parametrize("text", ["0,1", "'0,1'", "0, 1"])
def test_a_list_of_axes_is_one_text(text):
    options = parse_config({}, "here", (f"generate.options.axes={text}",)).generate.options
    assert options["axes"].replace(" ", "") == "0,1"


def test_options_are_numbers_or_names():
    settings = ("generate.options={factor: 3, low: 1, high: 0.5, style: prior}",)
    options = parse_config({}, "here", settings).generate.options
    assert options == {"factor": 3.0, "low": 1.0, "high": 0.5, "style": "prior"}
    assert [type(value) for value in options.values()] == [float, float, float, str]


def test_cells_are_a_choice_or_a_list():
    cells = parse_config({}, "here", ("generate.cells=[{label: 3, ink: red}]",)).generate.cells
    assert cells == [{"label": "3", "ink": "red"}]
    with pytest.raises(ValueError, match="'generate.cells' is wrong. Expected: .*'unseen', 'rare'"):
        parse_config({}, "here", ("generate.cells=unsen",))


def test_a_factor_has_a_threshold_of_its_own():
    gate = parse_config({}, "here", ("generate.gate.min_confidence_of.ink=0.5",)).generate.gate
    assert gate.build().min_confidence_of == {"ink": 0.5}
    with pytest.raises(ValueError, match="less than or equal to 1"):
        parse_config({}, "here", ("generate.gate.min_confidence_of.ink=5",))


def test_the_figures_of_variants_keep_the_options_of_the_recipe_that_they_measure():
    prior = BlockPrior.standard_normal(2)
    spec = LatentSpec((Block("zs", 2, ("label",), prior), Block("zu", 2, (), prior)))
    stepped = GenerateConfig(recipe="class_preserving", options={"step": 0.5}, detail=1.0)
    assert stepped.preserving_class(spec) == stepped
    mixed = GenerateConfig(recipe="interpolate_zu", options={"low": 0.1}, detail=1.0)
    measured = mixed.preserving_class(spec)
    assert (measured.recipe, measured.options, measured.detail) == ("class_preserving", {}, 1.0)


@pytest.mark.parametrize("name", ["no", "Yes", "on", "off", "010", "1:30", "2020-01-01", "y"])
def test_a_name_of_a_class_is_the_text_that_is_written(write, name):
    text = f"generate: {{cells: [{{label: {name}}}], sampling_strategy: {{{name}: 5}}}}"
    config = load_config(write(text))
    assert config.generate.cells == [{"label": name}]
    assert config.generate.sampling_strategy == {name: 5}
    assert load_config(write(config.to_yaml())) == config


@pytest.mark.parametrize("name", ["true", "null", "~"])
def test_a_name_that_yaml_reads_as_something_else_is_to_be_quoted(write, name):
    text = "generate: {cells: [{label: %s}]}"
    with pytest.raises(ValueError, match="valid string.*Write it in quotes if it is a name"):
        load_config(write(text % name))
    assert load_config(write(text % f"'{name}'")).generate.cells == [{"label": name}]


@pytest.mark.parametrize(("word", "value"), [("no", False), ("On", True), ("true", True)])
def test_switches_may_be_words(write, word, value):
    text = f"generate: {{gate: {{realism: {word}}}}}\nmodel: {{args: {{flag: {word}}}}}"
    config = load_config(write(text))
    assert config.generate.gate.realism is value
    assert config.model.args["flag"] is value
