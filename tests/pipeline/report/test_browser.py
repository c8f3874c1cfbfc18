"""Every page in a headless browser: no errors, every picture loads, nothing is cut on a phone."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from bars import bars_data, study_config
from bundles import digits_bundle, digits_config, digits_data, make

from latentloom.pipeline.evaluation.evaluate import evaluate
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.study import report_study, run_study

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
PHONE, DESK = 390, 1100
FRAME = """<!doctype html><iframe id="page" src="{page}" width="{width}" height="2000"></iframe>
<script>
page.onload = () => {{
  const inside = page.contentDocument, root = inside.documentElement;
  const images = [...inside.images];
  document.body.textContent = JSON.stringify({{
    images: images.length,
    loaded: images.filter(image => image.complete && image.naturalWidth > 0).length,
    width: root.scrollWidth,
    background: page.contentWindow.getComputedStyle(inside.body).backgroundColor,
    text: page.contentWindow.getComputedStyle(inside.body).color,
  }});
}};
</script>
"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome on PATH")


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """The page of each verb that writes one, by name."""
    folder = tmp_path_factory.mktemp("pages")
    config = digits_config()
    make(folder / "generated")
    report_on(config, digits_data(), digits_bundle(), folder / "generated")
    evaluate(digits_data(), digits_bundle(), folder / "evaluated")
    bars = bars_data(folder)
    found = run_study(study_config(), bars.path, folder / "studied")
    report_study(study_config(), bars, found, folder / "studied")
    return {
        "report": folder / "generated/report.html",
        "evaluation": folder / "evaluated/evaluation.html",
        "study": folder / "studied/study.html",
    }


def browse(folder: Path, address: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Opens a local page and waits until it has loaded."""
    command = [
        *(str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
        *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
        *("--disable-sync", "--hide-scrollbars", "--allow-file-access-from-files"),
        *("--enable-logging=stderr", "--virtual-time-budget=10000"),
        *(f"--user-data-dir={folder / 'profile'}", *options, address.as_uri()),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def seen(folder: Path, page: Path, width: int, *options: str) -> dict:
    """What a browser makes of a page of so many pixels in width."""
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(page=page.as_uri(), width=width))
    done = browse(folder, frame, "--dump-dom", *options)
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not errors, errors
    found = re.search(r"<body>(.*)</body>", done.stdout, re.DOTALL)
    assert found, done.stdout
    return json.loads(html.unescape(found.group(1)))


@pytest.mark.parametrize("name", ["report", "evaluation", "study"])
def test_a_page_shows_all_its_pictures_on_a_desk_and_on_a_phone(pages, tmp_path, name):
    page = pages[name]
    for width in (PHONE, DESK):
        found = seen(tmp_path, page, width)
        assert found["images"] == found["loaded"] == page.read_text().count("<img ") > 0
        assert found["width"] <= width


def test_a_page_is_light_or_dark_as_the_reader_asks(pages, tmp_path):
    light, dark = (
        seen(tmp_path, pages["report"], DESK, f"--blink-settings=preferredColorScheme={scheme}")
        for scheme in (1, 0)
    )
    assert brightness(light["background"]) > 200 > 100 > brightness(light["text"])
    assert brightness(dark["background"]) < 60 < 150 < brightness(dark["text"])


def brightness(colour: str) -> float:
    """Mean of red, green and blue of a computed colour."""
    levels = [float(level) for level in re.findall(r"[\d.]+", colour)[:3]]
    return sum(levels) / 3


@pytest.mark.parametrize("name", ["report", "evaluation", "study"])
def test_a_screenshot_is_kept(pages, tmp_path, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    kept = SCREENSHOTS / f"{name}.png"
    kept.unlink(missing_ok=True)
    browse(tmp_path, pages[name], f"--screenshot={kept}", "--window-size=1000,3000")
    assert kept.read_bytes().startswith(b"\x89PNG")
    assert kept.stat().st_size > 20_000
