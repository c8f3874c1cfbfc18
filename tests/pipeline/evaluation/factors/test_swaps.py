"""Swaps of one factor with a code whose every block is a band of pixels."""

import numpy as np
import pytest
from letters import NAMES, letters_bundle, letters_config, letters_data

from latentloom.model_zoo.bundle import load_bundle
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.swaps import measure_factor_swaps

DONOR, KEPT, ALL = "value of the donor", "other factors kept", "every factor as expected"


@pytest.fixture
def codec():
    return Codec(load_bundle(letters_bundle()))


def values(codec, *settings):
    examples = DatasetDir.open(letters_data()).read("train")
    encoded = EncodedExamples.encode(codec, examples, "validation", 0)
    found = measure_factor_swaps(encoded, letters_config(*settings))
    return {measure.name: measure.value for measure in found}


def decoding(codec, change, monkeypatch):
    """The codec with codes changed before they are decoded."""
    render = codec.render
    monkeypatch.setattr(codec, "render", lambda codes: render(change(codes)))
    return codec


def test_every_swap_of_a_code_that_is_split_is_read_as_expected(codec):
    found = values(codec)
    names = ("one factor, mean", *NAMES)
    assert found == {f"Swap of {n}: {what}": 1.0 for n in names for what in (DONOR, KEPT, ALL)}


def test_a_block_that_reaches_nothing_gives_no_value(codec, monkeypatch):
    def deaf(codes):
        return {**codes, "ink": 0 * codes["ink"]}

    found = values(decoding(codec, deaf, monkeypatch))
    assert found["Swap of ink: other factors kept"] == 1.0
    assert found["Swap of ink: value of the donor"] < 0.6  # all are blue, which some donors are
    assert (
        found["Swap of ink: every factor as expected"] == found["Swap of ink: value of the donor"]
    )
    assert found["Swap of label: value of the donor"] == 1.0
    assert found["Swap of label: other factors kept"] < 0.8


def test_a_block_that_reaches_another_factor_is_seen(codec, monkeypatch):
    def leaky(codes):
        return {**codes, "back": codes["ink"]}

    found = values(decoding(codec, leaky, monkeypatch))
    assert found["Swap of ink: value of the donor"] == 1.0
    assert found["Swap of ink: other factors kept"] == pytest.approx(0.5)  # the letter alone
    assert found["Swap of ink: every factor as expected"] == 0.0
    assert found["Swap of one factor, mean: other factors kept"] < 0.8


@pytest.mark.parametrize(("differ", "clashing"), [("[[ink, back]]", False), ("[]", True)])
def test_values_that_do_not_go_together_are_not_decoded(codec, monkeypatch, differ, clashing):
    decoded = []

    def watch(codes):
        decoded.append(np.any(codes["ink"] == codes["back"]))
        return codes

    found = values(decoding(codec, watch, monkeypatch), f"generate.differ={differ}")
    assert found["Swap of ink: every factor as expected"] == 1.0
    assert any(decoded) == clashing
