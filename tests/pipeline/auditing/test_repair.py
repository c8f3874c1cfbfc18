"""The repair holds what the findings ask for."""

import numpy as np
import pytest
import yaml
from inked import inked_arrays

from latentloom.pipeline.auditing import audit as auditing
from latentloom.pipeline.auditing.measures.label_suspects import Suspects
from latentloom.pipeline.auditing.repair import repair_text
from latentloom.pipeline.config import load_config
from latentloom.pipeline.dataset.known_names import check_generate_names
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.terminal.progress import silent_display


@pytest.fixture
def repair(tmp_path, monkeypatch):
    """Audits arrays, without doubting labels, and returns the tree of the repair, checked."""
    none = np.zeros(0, np.int64)
    monkeypatch.setattr(
        auditing, "find_suspects", lambda *a: Suspects(none, none, np.zeros(0), (), 0)
    )

    def run(arrays):
        np.savez(tmp_path / "data.npz", **arrays)
        data = import_dataset(f"npz:{tmp_path / 'data.npz'}", tmp_path / "data")
        text = repair_text(auditing.measure(data, "out", 0, silent_display()))
        (tmp_path / "repair.yaml").write_text(text)
        config = load_config(tmp_path / "repair.yaml")
        check_generate_names(config.generate, data.manifest.factors)
        return yaml.safe_load(text), text

    return run


def test_a_tie_is_broken_by_recombination_with_colours_apart(repair):
    tree, _ = repair(inked_arrays(600, tie=0.9))
    assert tree["model"]["name"] == "gzs_net"
    assert tree["model"]["args"]["colour_blocks"] == ["ink"]
    generate = tree["generate"]
    assert generate["recipe"] == "recombine_factors"
    assert (generate["factors"], generate["cells"]) == (["label", "ink"], "balanced")
    assert generate["gate"]["ignored"] == ["label"]
    assert 30 <= generate["per_cell"] <= 120  # half of about 108 of a tied cell


def test_unequal_classes_get_quotas(repair):
    arrays = inked_arrays(600, tie=0.25)
    del arrays["ink"]
    rare = (arrays["label"] == "rod") & (np.arange(600) % 20 > 3)
    tree, text = repair({name: column[~rare] for name, column in arrays.items()})
    assert tree["generate"]["sampling_strategy"] == "auto"
    assert tree["model"]["name"] == "zszu_vae"
    assert "smaller classes" in text


def test_empty_cells_without_a_tie_are_filled(repair):
    arrays = inked_arrays(800, tie=0.25)
    gone = (arrays["label"] == "box") & (arrays["ink"] == "red")
    tree, _ = repair({name: column[~gone] for name, column in arrays.items()})
    assert tree["generate"]["factors"] == ["label", "ink"]
    assert "ignored" not in tree["generate"]["gate"] or tree["generate"]["gate"]["ignored"]


def test_a_complete_tie_is_left_alone_and_told(repair):
    tree, text = repair(inked_arrays(200, tie=1.0))
    assert tree["model"]["name"] == "zszu_vae"
    assert "cannot break the tie to 'ink'" in text


def test_nothing_missing_is_what_auto_chooses(repair):
    _, text = repair(inked_arrays(600, tie=0.25))
    assert "nothing; this is what `--config auto` chooses" in text
