"""The card shows every name as it is, whatever Markdown or HTML it looks like."""

from pathlib import Path

import pytest

from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.generation.card import code_span, escape, render_card

HOSTILE = ("<script>alert(1)</script>", "a|b", "`code`", "[x](y)", "**bold**", "__init__", "&lt;")


def card_of(folder: Path, labels: list[str], **source: str) -> str:
    manifest = Manifest(
        kind="generated",
        name="pets",
        observation_shape=(4, 4, 1),
        factors={"label": labels},
        splits={},
        source={"description": "Pets.", "data": "runs/pets", **source},
        versions={"latentloom": "1"},
        totals=dict.fromkeys(("requested", "written", "rejected", "dead"), 0),
        details={"config": Config().model_dump(), "bundle_digest": "0" * 64},
    )
    return render_card(str(folder), manifest)


def test_plain_names_are_written_as_they_are(tmp_path):
    card = card_of(tmp_path / "out", ["cat", "T-shirt/top", "class_1"])
    for line in (
        "| cat | 0 |",
        "| T-shirt/top | 0 |",
        "| class_1 | 0 |",
        "| Source data | `runs/pets`, split `train` |",
        'dataset = tfds.builder_from_directory("out").as_dataset(split="train")',
        "`latentloom verify out` checks that nothing was damaged.",
    ):
        assert line in card


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_makes_neither_html_nor_markdown(tmp_path, name):
    card = card_of(tmp_path / "out", ["cat", name], description=name)
    assert name not in card
    assert f"| {escape(name)} | 0 |" in card
    (row,) = [line for line in card.splitlines() if line.startswith(f"| {escape(name)} ")]
    assert row.replace(r"\|", "").count("|") == 3


def test_a_hostile_path_leaves_its_cell_whole(tmp_path):
    card = card_of(tmp_path / "out", ["cat"], data="runs/`|<script>")
    assert r"| Source data | <code>runs/\`\|&lt;script&gt;</code>, split `train` |" in card


def test_the_folder_is_a_word_of_the_shell_and_a_text_of_python(tmp_path):
    card = card_of(tmp_path / 'a "b" $(c)', ["cat"])
    assert r'builder_from_directory("a \"b\" $(c)")' in card
    assert """`latentloom verify 'a "b" $(c)'`""" in card


def test_code_with_markup_is_escaped():
    assert code_span("plain") == "`plain`"
    assert code_span("a`|<b>") == r"<code>a\`\|&lt;b&gt;</code>"
