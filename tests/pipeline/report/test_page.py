"""The page of a report: self-contained, safe with any name, and the same facts as its JSON."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from latentloom.pipeline.dataset.manifest import ShardEntry
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.page import _format_number, format_bytes, render_page, write_report
from latentloom.pipeline.report.schema import FigureTable, Picture, Report

_VOID = {"img", "meta"}
_EVIL = "<script>alert('x')</script>"


def _png(color: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), color, np.uint8)).save(buffer, format="png")
    return buffer.getvalue()


def _report(**changes) -> Report:
    shard = ShardEntry(
        file="glyphs-train.tfrecord-00000-of-00001",
        records=7,
        num_bytes=1234,
        sha256="a" * 64,
        label_counts=[3, 4],
    )
    facts = {
        "title": "Two classes",
        "summary": ["Seven variants were written.", "Nothing else."],
        "numbers": [
            Measure(name="Agreement", value=0.91, chance=0.5, threshold=0.95, meaning="Of labels."),
            Measure(name="Leak", value=0.5, threshold=0.6, better="lower", unit="bits"),
            Measure(name="Gain", value=None),
        ],
        "class_names": ["cat", "dog"],
        "counts_before": {"cat": 10, "dog": 3},
        "counts_after": {"cat": 13, "dog": 7},
        "rejections": {"dog": {"wrong_class": 2}},
        "totals": {"requested": 10, "written": 7, "rejected": 2, "dead": 1},
        "config_yaml": "seed: 0\n",
        "versions": {"numpy": "2.4.6"},
        "bundle_digest": "sha256:b",
        "shards": [shard],
        "notes": ["The gate has errors of its own."],
    }
    return Report.model_validate(facts | changes)


def _pictures(caption: str = "Left, the anchor.") -> dict[str, Picture]:
    names = ("class_counts", "variants", "rejections", "loss_curves", "rejected")
    captions = {"variants": caption}
    return {n: Picture(_png(shade), captions.get(n, "")) for shade, n in enumerate(names)}


class _Outline(HTMLParser):
    """Collects the tags of a page and insists that they nest."""

    def __init__(self, page: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_tags_of_the_page_nest_and_close():
    outline = _Outline(render_page(_report(), _pictures()))
    assert outline.open == []
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("section") == 7


def test_page_needs_no_network_and_no_script():
    page = render_page(_report(), _pictures())
    outline = _Outline(page)
    assert not re.search("https?:|url\\(|@import", page)
    assert not {"script", "link", "iframe"} & set(outline.tags)
    sources = [value for _, name, value in outline.attributes if name in ("src", "href")]
    assert len(sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_a_share_has_its_examples_interval_and_balanced_accuracy_beside_it():
    right, classes = np.arange(24) < 18, np.repeat([0, 1], [18, 6])
    numbers = [
        Measure.of_share(right, classes, name="Accuracy"),
        Measure.of_share(right, anchors=np.arange(24) // 12, name="Rejected"),
        Measure.of_share(right[:2], classes[:2], fewest=5, name="Probe"),
    ]
    outline = _Outline(page := render_page(_report(numbers=numbers), {}))
    text = " ".join(" ".join(outline.text).split())
    assert "Accuracy 0.75 0.55 to 0.88 0.50 – 24 in 2 classes" in text
    assert "Rejected 0.75 0.20 to 0.97 – – 24 of 2 anchors" in text
    assert "Probe not measured – – 2 in 1 class " in text
    assert "95 % interval (Wilson)" in text
    assert outline.open == []
    old = render_page(_report(), {})
    assert ">n<" in page
    assert ">n<" not in old
    assert "Wilson" not in old


def test_browser_is_told_to_load_nothing_from_elsewhere():
    page = render_page(_report(), {})
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page


def test_every_picture_of_the_page_is_the_one_given():
    pictures = _pictures()
    page = render_page(_report(), pictures)
    shown = [base64.b64decode(code) for code in re.findall('base64,([^"]+)"', page)]
    assert sorted(shown) == sorted(picture.png for picture in pictures.values())
    assert {Image.open(io.BytesIO(data)).size for data in shown} == {(6, 4)}


def test_grids_come_first_then_classes_rejects_losses_numbers_provenance():
    page = render_page(_report(), _pictures())
    order = ["<h1>", "requested", 'id="pictures"', 'id="classes"', 'id="rejections"']
    order += ['id="losses"', 'id="numbers"', 'id="notes"', 'id="provenance"', "Configuration"]
    places = [page.index(mark) for mark in order]
    assert places == sorted(places)
    grids = page[page.index('id="pictures"') : page.index('id="classes"')]
    assert grids.count("<img") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"title": _EVIL},
        {"summary": [_EVIL]},
        {"class_names": [_EVIL], "counts_before": {_EVIL: 1}, "counts_after": {}, "rejections": {}},
        {"rejections": {"cat": {_EVIL: 1}}},
        {"config_yaml": f"</pre>{_EVIL}"},
        {"notes": [_EVIL]},
        {"measured_on": {_EVIL: _EVIL}},
        {"versions": {_EVIL: _EVIL}},
        {"numbers": [{"name": _EVIL, "value": 1, "unit": _EVIL, "meaning": _EVIL}]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_markup_in_a_field_is_shown_and_not_run(changes):
    outline = _Outline(render_page(_report(**changes), _pictures()))
    assert "script" not in outline.tags
    assert "onerror" not in {name for _, name, _ in outline.attributes}
    values = [value for _, _, value in outline.attributes if value]
    assert any("alert('x')" in text for text in outline.text + values)


def test_markup_in_a_caption_is_shown_and_not_run():
    outline = _Outline(render_page(_report(), _pictures(f'" onerror="x{_EVIL}')))
    assert "script" not in outline.tags
    assert "onerror" not in {name for _, name, _ in outline.attributes}
    assert any("alert('x')" in text for text in outline.text)


def test_a_caption_stands_below_its_picture_and_in_the_json_file(tmp_path):
    written = write_report(tmp_path, _report(), _pictures())
    assert written.captions == {"variants": "Left, the anchor."}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<figcaption>") == page.count("<figcaption>Left, the anchor.") == 1
    assert json.loads((tmp_path / "report.json").read_text())["captions"] == written.captions


def test_markup_in_the_name_of_a_picture_is_shown_and_not_run():
    outline = _Outline(render_page(_report(), {_EVIL: Picture(_png())}))
    assert "script" not in outline.tags
    assert outline.tags.count("img") == 1


def test_threshold_is_called_met_or_missed_and_a_gap_not_measured():
    rows = re.findall("<tr>.*?</tr>", render_page(_report(), {}), flags=re.DOTALL)
    agreement, leak, gain = (
        next(row for row in rows if name in row) for name in ("Agreement", "Leak", "Gain")
    )
    assert "0.91" in agreement
    assert "≥ 0.95" in agreement
    assert ">missed<" in agreement
    assert "≤ 0.6" in leak
    assert ">met<" in leak
    assert "bits" in leak
    assert "not measured" in gain


def test_tables_add_up_what_was_added_and_rejected():
    text = re.sub("<[^>]+>", " ", render_page(_report(), {}))
    text = " ".join(text.split())
    assert "dog 3 7 4" in text
    assert "All 13 20 7" in text
    assert "Class Wrong class All cat 0 0 dog 2 2 All 2 2" in text


def test_rejects_without_reasons_are_not_called_none():
    page = render_page(_report(rejections={}), {})
    assert "2 variants were rejected; their reasons were not recorded." in page
    nothing = {"requested": 7, "written": 7, "rejected": 0, "dead": 0}
    page = render_page(_report(rejections={}, totals=nothing), {})
    assert "No variant was rejected." in page


def test_page_of_a_bare_report_has_no_empty_section():
    outline = _Outline(render_page(Report(title="Bare", summary=["Nothing ran."]), {}))
    assert outline.tags.count("section") == 1
    assert "table" not in outline.tags


def test_written_json_is_the_report_again(tmp_path):
    report = write_report(tmp_path, _report().model_dump(), _pictures())
    text = (tmp_path / "report.json").read_text(encoding="utf-8")
    assert Report.model_validate_json(text) == report
    assert json.loads(text)["counts_after"] == {"cat": 13, "dog": 7}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page == render_page(report, _pictures())


def test_writing_again_replaces_both_files_and_leaves_nothing_else(tmp_path):
    write_report(tmp_path, _report(), _pictures())
    write_report(tmp_path, _report(title="Second"), {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert "<h1>Second</h1>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '"Second"' in (tmp_path / "report.json").read_text(encoding="utf-8")


def test_another_name_is_that_of_both_files_and_the_page_says_so(tmp_path):
    write_report(tmp_path, _report(), {}, "evaluation")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["evaluation.html", "evaluation.json"]
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert "<code>evaluation.json</code>" in page
    assert "report.json" not in page


def test_what_was_measured_on_is_among_the_provenance():
    page = render_page(_report(measured_on={"split": "test", "num_examples": 12345}), {})
    text = " ".join(re.sub("<[^>]+>", " ", page[page.index('id="provenance"') :]).split())
    assert "Split test Num examples 12,345" in text


def test_without_demands_there_is_no_column_for_them():
    numbers = [Measure(name="Agreement", value=0.9)]
    assert "Required" not in render_page(_report(numbers=numbers), {})
    assert "Required" in render_page(_report(), {})


def test_picture_that_is_no_png_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"Picture 'variants'.*Encode it as PNG\."):
        write_report(tmp_path, _report(), {"variants": Picture(b"GIF89a")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (3, "3"),
        (12345, "12,345"),
        (1834.2, "1,834"),
        (0.98124, "0.9812"),
        (3.0, "3"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_are_short_and_readable(number, text):
    assert _format_number(number) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (999_900, "1 MB"), (2_500_000_000, "2.5 GB")],
)
def test_sizes_are_in_the_unit_that_keeps_them_short(size, text):
    assert format_bytes(size) == text


def test_tables_of_unseen_combinations_have_a_section_with_what_their_columns_mean():
    table = FigureTable(
        title="Errors",
        text=f"Of {_EVIL}.",
        columns={"Nats": "In nats.", _EVIL: "Bad."},
        rows={"label 7": {"Nats": 0.12345, _EVIL: None}, _EVIL: {"Nats": 2, _EVIL: 1.0}},
    )
    empty = FigureTable(title="Generation", text="Left out.", columns={}, rows={})
    page = render_page(_report(unseen_combinations=[table, empty]), {})
    _Outline(page)
    assert _EVIL not in page
    section = page[page.index('id="unseen-combinations"') :].split("</section>")[0]
    for words in ("<h3>Errors</h3>", "0.1235", "–", "In nats.", "Left out."):
        assert words in section
    assert section.count("<table>") == 1
    assert "unseen-combinations" not in render_page(_report(), {})
