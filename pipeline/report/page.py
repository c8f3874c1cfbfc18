"""Writes a report: one HTML file without network access or scripts, and its data as JSON."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Collection, Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.schema import Picture, Report, SectionedReport
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import exists, remove, sha256_file
from latentloom.pipeline.storage.ownership import read_object

_PNG = b"\x89PNG\r\n\x1a\n"
# Charts with their own section; other pictures without one are at the top of the page.
_CHARTS = ("class_counts", "rejections", "loss_curves")


def write_report(
    out: str | os.PathLike[str],
    report: Report | Mapping[str, Any],
    pictures: Mapping[str, Picture],
    name: str = "report",
) -> Report:
    """Writes `<name>.html` and `<name>.json` into a folder, each file atomically.

    Args:
        out: Existing folder, local or in a bucket; files of these names are replaced.
        report: A `Report`, or a mapping with its fields.
        pictures: Pictures by name. `"class_counts"`, `"rejections"` and `"loss_curves"` go to
            their sections, and so do those that a section of the report names; all others go to
            the top of the page, in their order.
        name: Name of both files without the extension.

    Returns:
        The report as written, with the captions of the pictures.

    Raises:
        ValueError: The report has an invalid field, or a picture is not a PNG.
        FileExistsError: Somebody else wrote or changed a file of one of these names.
    """
    report, files = render_report(report, pictures, name)
    _remove_earlier(out, files, name)
    for file, data in files.items():
        write_atomic(os.path.join(out, file), data)
    return report


def render_report(
    report: Report | Mapping[str, Any], pictures: Mapping[str, Picture], name: str = "report"
) -> tuple[Report, dict[str, bytes]]:
    """Returns the report with the captions of the pictures, and the contents of both files.

    Takes the arguments of `write_report` and raises its errors.
    """
    captions = {name: picture.caption for name, picture in pictures.items() if picture.caption}
    report = Report.model_validate(report).model_copy(update={"captions": captions})
    page = render_page(report, pictures, f"{name}.json")
    page_sha256 = hashlib.sha256(page.encode()).hexdigest()
    report = report.model_copy(update={"page_sha256": page_sha256})
    facts = report.model_dump_json(indent=2) + "\n"
    return report, {f"{name}.json": facts.encode(), f"{name}.html": page.encode()}


def _remove_earlier(out: str | os.PathLike[str], files: Collection[str], name: str) -> None:
    """Removes an earlier report, page first; refuses files that are none."""
    ours = report_files(out, name) or ()
    for file in sorted(filter(lambda file: exists(os.path.join(out, file)), files)):
        if file not in ours:
            raise FileExistsError(
                f"'{os.path.join(out, file)}' is not as latentloom wrote it, or somebody else put "
                f"it there, so it stays. Expected: no other file named {file}. Received: "
                f"out={os.fspath(out)}. Move it away and run the same command again."
            )
        remove(os.path.join(out, file))


def report_files(out: str | os.PathLike[str], name: str) -> Collection[str] | None:
    """Returns the names of the files of a report in a folder; None if there is no report.

    The page is the report's if it has the hash that the report tells.
    """
    found, page = read_object(os.path.join(out, f"{name}.json")), f"{name}.html"
    if not {"title", "numbers", "shards", "versions"} <= set(found):
        return None
    path, told = os.path.join(out, page), found.get("page_sha256")
    is_ours = exists(path) and sha256_file(path) == told
    return (f"{name}.json", *([page] if is_ours else []))


def render_page(
    report: Report, pictures: Mapping[str, Picture], facts_file: str = "report.json"
) -> str:
    """Renders the page; equal arguments give equal text.

    Args:
        report: The report.
        pictures: Pictures by name, as for `write_report`.
        facts_file: Name of the JSON file of the report, beside the page.

    Raises:
        ValueError: A picture is not a PNG.
    """
    for name, picture in pictures.items():
        if not picture.png.startswith(_PNG):
            raise ValueError(
                f"Picture '{name}' is not a PNG file. Expected: the bytes of a PNG file. Received: "
                f"bytes that begin with {picture.png[:8]!r}. Encode it as PNG."
            )
    sections = report.sections if isinstance(report, SectionedReport) else []
    placed = {*_CHARTS, *(name for part in sections for name in (*part.pictures, *part.charts))}
    template = _environment().from_string(_resource("template.html.j2"))
    return template.render(
        report=report,
        sections=sections,
        facts_file=facts_file,
        style=Markup(_resource("style.css")),  # ours, not a user's
        leading=[name for name in pictures if name not in placed],
        captions={name: picture.caption for name, picture in pictures.items()},
        sources={name: _data_uri(picture.png) for name, picture in pictures.items()},
        widths={n: int.from_bytes(picture.png[16:20], "big") for n, picture in pictures.items()},
    )


def _environment() -> Environment:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = _format_number
    environment.filters["measured"] = _format_measured
    environment.filters["num_bytes"] = format_bytes
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment


def _resource(name: str) -> str:
    return resources.files("latentloom.pipeline.report").joinpath(name).read_text(encoding="utf-8")


def _data_uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _format_number(value: float) -> str:
    """Formats a number with four significant digits, or as an integer with separated thousands."""
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _format_measured(value: float, measure: Measure) -> str:
    """Formats a number of a measure, with two decimals if its examples support no more."""
    if isinstance(value, int) or measure.decimals > 2 or abs(value) >= 1000:
        return _format_number(value)
    return f"{value:.{measure.decimals}f}"


def format_bytes(num_bytes: int) -> str:
    """Formats a size in the unit that keeps it below 1,000, at most GB."""
    size = float(num_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} GB"
