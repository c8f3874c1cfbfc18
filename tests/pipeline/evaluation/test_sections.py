"""The sections of an evaluation: what they give, and how their results add up."""

import re
from pathlib import Path

import pytest
from known_codes import CLASSES, KnownCodec, known_examples

import latentloom.pipeline.evaluation as room
from latentloom.model_zoo.metrics.posteriors import GaussianPosteriors
from latentloom.pipeline.config import parse_config
from latentloom.pipeline.evaluation import sections
from latentloom.pipeline.evaluation.bundle_report import in_page_order
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.folds import EvaluationFolds
from latentloom.pipeline.evaluation.section_result import SectionResult
from latentloom.pipeline.evaluation.sections import SECTIONS, evaluate_sections
from latentloom.pipeline.report.measure import Measure, by_key
from latentloom.pipeline.report.schema import FigureTable, Picture, Table

PNG = b"\x89PNG\r\n\x1a\n"


class SampledCodec(KnownCodec):
    """The known code with posteriors and judges of the class, and without topics."""

    def __init__(self):
        super().__init__()
        self.bundle.judge_sizes = {"label": CLASSES}

    def posteriors(self, images, seed):
        loc, scale = self.posterior_moments(images)["zu"]
        return {"zu": GaussianPosteriors(loc, 0.1 * scale, loc)}

    def topic_weights(self):
        return None


@pytest.fixture(scope="module")
def context() -> EvaluationContext:
    """An evaluation of a code that is known, on examples of four classes."""
    encoded = EncodedExamples.encode(SampledCodec(), known_examples(80), "test", 0)
    train = known_examples(120)
    folds = EvaluationFolds(train, encoded.examples, "test", {}, encoded.examples, train, {})
    settings = parse_config({}, "a test", ["evaluate.anchors=8"])
    return EvaluationContext(encoded, folds, None, settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def by_section(context) -> dict[str, SectionResult]:
    return {name: section(context) for name, section in SECTIONS.items()}


def test_every_section_gives_keys_and_pictures_of_its_own(by_section):
    keys = [m.key for result in by_section.values() for m in result.measures]
    pictures = [name for result in by_section.values() for name in result.pictures]
    assert all(re.fullmatch(r"[a-z_]+(/[a-z_0-9 -]+)+", key) for key in keys), keys
    assert len(set(keys)) == len(keys) > 30
    assert len(set(pictures)) == len(pictures) > 2
    assert all(p.caption for result in by_section.values() for p in result.pictures.values())


def test_a_new_figure_takes_a_function_and_a_line(context, by_section, monkeypatch):
    def evaluate_mean_label(context: EvaluationContext) -> SectionResult:
        return SectionResult([Measure(name="Mean", key="label/mean", value=1.5, meaning="Half.")])

    few = {"swap": SECTIONS["swap"], "mean label": evaluate_mean_label}
    monkeypatch.setattr(sections, "SECTIONS", few)
    told = []
    found = evaluate_sections(context, lambda *done: told.append(done))
    assert list(found.measures[:-1]) == list(by_section["swap"].measures)
    assert found.measures[-1].key == "label/mean"
    assert told == [(0, 2, "swap"), (1, 2, "mean label"), (2, 2)]


def test_results_add_up_in_their_order():
    measures = [Measure(name=key, key=key, value=1) for key in "abc"]
    table = Table(title="T", columns=["a"], rows=[])
    figures = FigureTable(title="F", text="", columns={}, rows={})
    first = SectionResult(measures[:2], {"x": Picture(PNG)}, ["one"], [table], {"zs": {}})
    second = SectionResult(measures[2:], {"y": Picture(PNG, "Y.")}, ["two"], [figures], {"zu": {}})
    both = first + second
    assert [measure.key for measure in both.measures] == ["a", "b", "c"]
    assert list(both.pictures) == ["x", "y"]
    assert (both.notes, both.tables) == (["one", "two"], [table, figures])
    assert list(both.axes) == ["zs", "zu"]
    assert SectionResult() + both == both + SectionResult() == both


def test_two_results_with_one_key_or_one_picture_do_not_add_up():
    measure = SectionResult([Measure(name="a", key="a/b", value=1)])
    with pytest.raises(ValueError, match=r"the same measure.*'a/b' twice\. Rename"):
        measure + measure
    picture = SectionResult(pictures={"map": Picture(PNG)})
    with pytest.raises(ValueError, match=r"the same picture.*'map' twice\. Rename"):
        picture + picture
    old = SectionResult([Measure(name="written without keys", value=1)])
    assert len((old + old).measures) == 2
    assert by_key((old + measure).measures) == {"a/b": measure.measures[0]}


def test_the_map_and_the_tables_open_the_page_and_all_else_keeps_its_order():
    names = ("copies", "axis_table", "traversal_of_zu", "code_map", "new")
    ordered = in_page_order({name: Picture(PNG) for name in names})
    assert list(ordered) == ["code_map", "axis_table", "copies", "traversal_of_zu", "new"]


def test_no_figure_is_looked_up_by_its_sentence():
    folder = Path(str(room.__file__)).parent
    for path in [*folder.rglob("*.py"), *(folder.parent / "study").glob("*.py")]:
        code = path.read_text()
        assert not re.search(r"\.name: \w+(\.value)? for \w+ in \w*(numbers|measures)", code), path
        assert "name.startswith(" not in code, path
        assert "name.removeprefix(" not in code, path
