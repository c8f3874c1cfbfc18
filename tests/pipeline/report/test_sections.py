"""Sections of a page have their own pictures, and other reports have none."""

from latentloom.pipeline.report.charts.bars_and_curves import class_counts
from latentloom.pipeline.report.page import render_report
from latentloom.pipeline.report.schema import PageSection, Picture, Report, SectionedReport, Table

PNG = class_counts(["a"], [1], [2])


def test_a_section_holds_text_commands_pictures_and_tables_in_this_order():
    table = Table(title="Numbers of it", columns=["what", "how many"], rows=[["<b>", "3"]])
    section = PageSection(
        title="What is wrong",
        text=["It & that."],
        commands=["latentloom train x", "latentloom generate x"],
        pictures=["shown"],
        tables=[table],
    )
    report = SectionedReport(title="t", summary=["s"], sections=[section])
    pictures = {"shown": Picture(PNG, "Below it."), "other": Picture(PNG)}
    _, files = render_report(report, pictures)
    page = files["report.html"].decode()
    parts = ["What is wrong", "It &amp; that.", "latentloom generate x", "Below it.", "&lt;b&gt;"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)
    assert page.count("Below it.") == 2  # as text and as its alternative
    assert page.index("&lt;b&gt;") < page.index("<h2>Pictures</h2>")


def test_other_reports_have_no_key_of_it():
    _, files = render_report(Report(title="t", summary=["s"]), {})
    assert b"sections" not in files["report.json"]
