"""`Augment` and `DonorBank` check what they are given, and keep Beam's conventions."""

from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from apache_beam.transforms.error_handling import ErrorHandler
from apache_beam.transforms.window import FixedWindows, SlidingWindows, TimestampedValue
from apache_beam.typehints import Dict, TypeCheckError
from bundles import digits_bundle, digits_data
from own_pipelines import THREADS, Kept, counters, feature, ran, records_of, with_feature

import latentloom
from latentloom.beam import Augment, DonorBank
from latentloom.pipeline.beam_transforms import batches
from latentloom.pipeline.beam_transforms.donors import Donors
from latentloom.pipeline.generation.engines import Engine, make_runner
from latentloom.pipeline.generation.worker import codec_worker

UNGATED = {"gate": False}


@pytest.fixture(scope="module")
def elements():
    return records_of(digits_data())


@pytest.fixture(scope="module")
def dicts():
    return list(latentloom.open_dataset(digits_data())[:6])


def plain(**arguments):
    """Augments without the gate."""
    return lambda examples: examples | Augment(digits_bundle(), **UNGATED, **arguments)


REFUSED = {
    "a missing bundle": (
        lambda path: Augment(path / "none"),
        FileNotFoundError,
        "is not a model bundle",
    ),
    "a loaded bundle": (
        lambda path: Augment(latentloom.load_bundle(digits_bundle())),
        TypeError,
        "Received: bundle of type LoadedBundle. Pass what `latentloom train",
    ),
    "an unknown recipe": (
        lambda path: Augment(digits_bundle(), "swap_zuu"),
        ValueError,
        "swap_zu",
    ),
    "a recipe without its donors": (
        lambda path: Augment(digits_bundle(), "swap_zu"),
        ValueError,
        r"Pass donors=examples \| latentloom.beam.DonorBank\(bundle, 'swap_zu'\)",
    ),
    "donors that are no collection": (
        lambda path: Augment(digits_bundle(), "swap_zu", donors=3),
        TypeError,
        r"donors of type int. Pass donors=examples \| DonorBank",
    ),
    "a recipe for whole data sets": (
        lambda path: Augment(digits_bundle(), "recombine_factors"),
        ValueError,
        "Augment sees one example at a time.*Run `latentloom generate`",
    ),
    "a bank for a recipe without donors": (
        lambda path: DonorBank(digits_bundle(), "sample_class"),
        ValueError,
        "Leave the bank out",
    ),
    "one donor that may be the anchor": (
        lambda path: DonorBank(digits_bundle(), "interpolate_zu", donors_per_class=1),
        ValueError,
        "no anchor is its own donor",
    ),
    "a bank without memory": (
        lambda path: DonorBank(
            digits_bundle(), "swap_zu", donors_per_class=100_000, donor_memory=1
        ),
        ValueError,
        "The donor bank would exceed its memory",
    ),
    "no variants": (
        lambda path: Augment(digits_bundle(), variants=0),
        ValueError,
        "In the arguments of Augment: 'variants' is wrong.*Received: variants=0",
    ),
    "a misspelt setting of the gate": (
        lambda path: Augment(digits_bundle(), gate={"min_confidense": 0.5}),
        ValueError,
        "min_confidence",
    ),
    "an unknown option": (
        lambda path: Augment(digits_bundle(), options={"temprature": 1.0}),
        ValueError,
        "temperature",
    ),
    "an unknown factor": (
        lambda path: Augment(digits_bundle(), differ=[("label", "inc")]),
        ValueError,
        "Factor 'inc' is missing",
    ),
    "another output": (
        lambda path: Augment(digits_bundle(), output="tensors"),
        ValueError,
        "Received: output='tensors'",
    ),
    "empty batches": (
        lambda path: Augment(digits_bundle(), batch_size=0),
        ValueError,
        "Expected: 1 to 65536 examples. Received: batch_size=0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_mistake_is_told_at_construction(tmp_path, case):
    construct, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        construct(tmp_path)


def test_donors_for_a_recipe_without_donors_are_refused(elements):
    def build(examples):
        donors = examples | DonorBank(digits_bundle(), "swap_zu")
        return examples | Augment(digits_bundle(), donors=donors)

    with pytest.raises(ValueError, match="takes no donors.*Leave `donors` out"):
        ran(elements[:3], build)


@pytest.mark.parametrize("construct", [Augment, lambda bundle: DonorBank(bundle, "swap_zu")])
def test_beam_checks_the_types_of_what_goes_in(construct):
    transform = construct(digits_bundle())
    with pytest.raises(TypeCheckError, match="Input type hint violation.*got <class 'int'>"):
        ran([1, 2], lambda examples: examples | transform)


@pytest.mark.parametrize(("output", "hint"), [("examples", bytes), ("dicts", Dict[str, Any])])
def test_beam_knows_the_types_of_what_comes_out(elements, output, hint):
    examples = beam.Pipeline(runner=make_runner("FnApiRunner")) | beam.Create(elements[:1])
    transform = Augment(digits_bundle(), output=output)
    assert (examples | transform).element_type == hint
    good, _ = examples | "Handled" >> transform.with_exception_handling()
    assert good.element_type == hint
    bank = examples | DonorBank(digits_bundle(), "swap_zu")
    assert bank.element_type is Donors


BAD = {
    "no example": (lambda r: b"no example", "not a tf.train.Example|'label' is missing"),
    "no id": (lambda r: with_feature(r, "example_id"), "'example_id' is missing"),
    "no label": (lambda r: with_feature(r, "label"), "'label' is missing or not one integer"),
    "an unknown label": (lambda r: with_feature(r, "label", 10), "'label' is 10, outside 0..9"),
    "no image": (lambda r: with_feature(r, "image"), "'image' is missing"),
    "a damaged image": (lambda r: damaged(r), "the PNG is damaged"),
}


def damaged(record):
    """The record with other bytes in the pixels of its image."""
    png = bytearray(feature(record, "image"))
    png[50] ^= 0xFF
    return with_feature(record, "image", bytes(png))


BAD_DICTS = {
    "no id": ({"example_id": None}, ValueError, "'example_id' is missing"),
    "no label": ({"label": None}, ValueError, "'label' is missing or not one integer"),
    "a label that is no integer": ({"label": 1.5}, ValueError, "'label' is missing or not one"),
    "a label out of range": ({"label": -1}, ValueError, r"'label' is -1, outside 0\.\.9"),
    "another shape": (
        {"image": np.zeros((7, 8, 1), np.uint8)},
        ValueError,
        r"image of shape \(8, 8, 1\). Received: 'image' has shape \(7, 8, 1\)",
    ),
    "another dtype": (
        {"image": np.zeros((8, 8, 1))},
        TypeError,
        "Expected: uint8.*dtype=float64.*astype",
    ),
    "too bright": ({"image": np.full((8, 8, 1), 300)}, (TypeError, ValueError), "uint8|0 to 255"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_example_stops_the_pipeline_with_a_clear_error(elements, case):
    spoil, message = BAD[case]
    with pytest.raises(Exception, match=message):
        ran([*elements[:3], spoil(elements[3])], plain())


@pytest.mark.parametrize("case", BAD_DICTS)
def test_a_bad_dictionary_stops_the_pipeline_with_a_clear_error(dicts, case):
    change, error, message = BAD_DICTS[case]
    with pytest.raises(error, match=message):
        ran([dicts[0], dicts[1] | change], plain())


def test_dead_letters_are_the_bad_elements_with_their_errors(elements):
    bad = [spoil(record) for (spoil, _), record in zip(BAD.values(), elements[10:], strict=False)]
    mixed = [element for pair in zip(elements, bad, strict=False) for element in pair]

    def build(examples):
        handled = Augment(digits_bundle(), variants=2, **UNGATED).with_exception_handling()
        good, letters = examples | handled
        return good, letters

    result, [good, letters] = ran(mixed, build)
    _, [wanted] = ran(elements[: len(bad)], plain(variants=2))
    assert sorted(good) == sorted(wanted)
    assert len(good) == 2 * len(bad)
    assert sorted(element for element, _ in letters) == sorted(bad)
    for element, (kind, told, trace) in letters:
        assert issubclass(kind, ValueError)
        assert told.startswith("ValueError(")
        assert any("read_example" in line or "bad_example" in line for line in trace), element
    assert counters(result)["dead_letters"] == len(bad)


def test_errors_of_another_class_still_stop_the_pipeline(dicts):
    wrong = dicts[1] | {"image": np.zeros((8, 8, 1))}
    handled = Augment(digits_bundle()).with_exception_handling(exc_class=ValueError)
    with pytest.raises(TypeError, match="Expected: uint8"):
        ran([dicts[0], wrong], lambda examples: list(examples | handled))


def test_tags_and_resource_hints_are_kept(elements):
    transform = Augment(digits_bundle(), **UNGATED).with_resource_hints(min_ram="3GB")
    handled = transform.with_exception_handling("made", "dead")
    pipeline = beam.Pipeline(runner=make_runner("FnApiRunner"))
    outputs = pipeline | beam.Create(elements[:1]) | handled
    assert outputs.made.tag != outputs.dead.tag
    components = pipeline.to_runner_api().components
    (work,) = (
        each
        for name, each in components.transforms.items()
        if each.unique_name.endswith("/VaryExamples")
    )
    hints = components.environments[work.environment_id].resource_hints
    assert hints["beam:resources:min_ram_bytes:v1"] == b"3000000000"


def test_an_error_handler_of_beam_takes_the_dead_letters(elements):
    with Engine().pipeline() as pipeline:
        examples = pipeline | beam.Create([*elements[:2], b"no example"])
        with ErrorHandler(beam.Map(lambda letter: letter[0])) as handler:
            transform = Augment(digits_bundle(), **UNGATED)
            good = Kept(examples | transform.with_exception_handling(error_handler=handler))
        bad = Kept(handler.output())
    assert len(good.found()) == 2
    assert bad.found() == [b"no example"]


def test_an_anchor_without_a_donor_is_a_dead_letter(elements):
    zeros = [record for record in elements if feature(record, "label") == 0][:5]
    ones = [record for record in elements if feature(record, "label") == 1][:1]
    within = {"options": {"same_class": 1}}

    def build(examples):
        donors = examples | DonorBank(digits_bundle(), "swap_zu", **within)
        swap = Augment(digits_bundle(), "swap_zu", donors=donors, **within, **UNGATED)
        return list(examples | swap.with_exception_handling())

    _, [good, letters] = ran(zeros + ones, build)
    assert len(good) == 5
    ((element, (_, told, _)),) = letters
    assert element == ones[0]
    assert "found no donor for anchor" in told


def test_a_bad_donor_is_a_dead_letter_of_the_bank(elements):
    bad = [with_feature(elements[0], "label"), damaged(elements[1])]

    def build(examples):
        donors, letters = examples | DonorBank(digits_bundle(), "swap_zu").with_exception_handling()
        few = examples.pipeline | "Few" >> beam.Create(elements[2:5])
        return few | Augment(digits_bundle(), "swap_zu", donors=donors, **UNGATED), letters

    _, [good, letters] = ran(elements[2:40] + bad, build)
    assert len(good) == 3
    assert sorted(element for element, _ in letters) == sorted(bad)


def test_an_empty_bank_is_told_even_where_errors_are_handled(elements):
    def build(examples):
        none = examples | beam.Filter(lambda element: False)
        donors = none | DonorBank(digits_bundle(), "swap_zu")
        swap = Augment(digits_bundle(), "swap_zu", donors=donors)
        return list(examples | swap.with_exception_handling())

    with pytest.raises(ValueError, match="has no donors. Expected.*examples of the same window"):
        ran(elements[:3], build)


@pytest.mark.parametrize(
    ("recipe", "seed", "told"),
    [
        ("interpolate_class", 0, r"blocks=\('zu',\). Received: blocks=\('zs',\)"),
        ("swap_zu", 1, "seed=0. Received: seed=1"),
    ],
)
def test_a_bank_for_other_variants_is_told(elements, recipe, seed, told):
    def build(examples):
        donors = examples | DonorBank(digits_bundle(), recipe, seed=seed)
        swap = Augment(digits_bundle(), "swap_zu", donors=donors)
        return list(examples | swap.with_exception_handling())

    with pytest.raises(ValueError, match=f"Expected: {told}. Give DonorBank the bundle, recipe"):
        ran(elements[:3], build)


def test_recipes_that_take_the_same_blocks_share_a_bank(elements):
    def build(examples):
        donors = examples | DonorBank(digits_bundle(), "swap_zu")
        return [
            examples | recipe >> Augment(digits_bundle(), recipe, donors=donors, **UNGATED)
            for recipe in ("swap_zu", "interpolate_zu")
        ]

    def build_alone(examples):
        donors = examples | DonorBank(digits_bundle(), "interpolate_zu")
        return examples | Augment(digits_bundle(), "interpolate_zu", donors=donors, **UNGATED)

    _, [_, shared] = ran(elements, build)
    _, [alone] = ran(elements, build_alone)
    assert sorted(shared) == sorted(alone)


def test_two_examples_of_one_id_have_variants_of_one_id(dicts):
    twice = [dicts[0], dicts[0] | {"image": dicts[1]["image"]}]
    _, [found] = ran(twice, plain(output="dicts"))
    (first, second) = found
    assert first["example_id"] == second["example_id"]
    _, [alone] = ran(twice[1:], plain(output="dicts"))
    assert any(np.array_equal(alone[0]["image"], each["image"]) for each in found)


def test_the_counters_of_beam_add_up(elements):
    gate = {"min_confidence": 0.6, "attempts": 2}
    result, [found] = ran(
        elements, lambda examples: examples | Augment(digits_bundle(), variants=3, gate=gate)
    )
    counted = counters(result)
    assert counted["requested"] == 3 * len(elements)
    assert counted["accepted"] == len(found) > 0
    rejected = sum(n for name, n in counted.items() if name.startswith("rejected_"))
    assert counted["made"] == counted["accepted"] + rejected
    assert {"rejected_wrong_class", "rejected_low_confidence"} <= set(counted)


@pytest.mark.parametrize("windows", [FixedWindows(10), SlidingWindows(20, 10)])
def test_variants_are_in_the_window_and_at_the_time_of_their_anchor(elements, windows):
    times = {feature(record, "example_id").decode(): 3 * n for n, record in enumerate(elements[:9])}

    def stamp(variant, time=beam.DoFn.TimestampParam, window=beam.DoFn.WindowParam):
        return feature(variant, "anchor_id").decode(), float(time), float(window.start)

    def build(examples):
        stamped = examples | beam.Map(
            lambda record: TimestampedValue(record, times[feature(record, "example_id").decode()])
        )
        made = stamped | beam.WindowInto(windows) | Augment(digits_bundle(), **UNGATED)
        return made | beam.Map(stamp)

    _, [found] = ran(elements[:9], build)
    wanted = {
        (name, time, float(window.start))
        for name, time in times.items()
        for window in windows.assign(windows.AssignContext(time))
    }
    assert sorted(found) == sorted(wanted)


def test_donors_of_a_window_serve_that_window(elements):
    def build(examples):
        windowed = (
            examples
            | beam.Map(lambda record: TimestampedValue(record, feature(record, "label")))
            | beam.WindowInto(FixedWindows(5))
        )
        donors = windowed | DonorBank(digits_bundle(), "swap_zu")
        return windowed | Augment(digits_bundle(), "swap_zu", donors=donors, **UNGATED)

    _, [found] = ran(elements, build)
    label_of = {feature(r, "example_id"): feature(r, "label") for r in elements}
    assert len(found) == len(elements)
    for record in found:
        donor = label_of[feature(record, "donor_ids")]
        anchor = label_of[feature(record, "anchor_id")]
        assert donor != anchor
        assert donor // 5 == anchor // 5


def test_a_process_loads_a_model_once(elements, monkeypatch):
    loaded = []

    def load(folder, load=codec_worker.load_bundle):
        loaded.append(folder)
        return load(folder)

    monkeypatch.setattr(codec_worker, "load_bundle", load)
    monkeypatch.setattr(batches, "_HANDLES", {})

    def build(examples):
        donors = examples | DonorBank(digits_bundle(), "swap_zu")
        swap = Augment(digits_bundle(), "swap_zu", donors=donors, **UNGATED)
        return examples | swap, examples | "Plain" >> Augment(digits_bundle(), **UNGATED)

    ran(elements[:20], build, THREADS)
    assert len(loaded) == 1


def test_worker_processes_make_the_same_variants(elements, tmp_path):
    processes = Engine(
        beam_args=("--direct_num_workers=2", "--direct_running_mode=multi_processing")
    )
    with processes.pipeline() as pipeline:
        _ = (
            pipeline
            | beam.Create(elements)
            | Augment(digits_bundle(), variants=2, **UNGATED)
            | beam.io.WriteToTFRecord(str(tmp_path / "made"))
        )
    _, [wanted] = ran(elements, plain(variants=2))
    assert sorted(read_tfrecords(tmp_path)) == sorted(wanted)


def test_beams_own_tfrecord_files_go_in_and_out(elements, tmp_path):
    with Engine().pipeline() as pipeline:
        _ = (
            pipeline
            | beam.io.ReadFromTFRecord(f"{digits_data()}/*-train.tfrecord-*")
            | Augment(digits_bundle(), **UNGATED)
            | beam.io.WriteToTFRecord(str(tmp_path / "made"))
        )
    _, [wanted] = ran(elements, plain())
    assert sorted(read_tfrecords(tmp_path)) == sorted(wanted)


def read_tfrecords(folder):
    files = sorted(map(str, folder.glob("made*")))
    return list(tf.data.TFRecordDataset(files).as_numpy_iterator())
