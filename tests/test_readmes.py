"""The READMEs keep their size, and what they say of files, options and settings is there."""

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from latentloom.pipeline.command import app
from latentloom.pipeline.config import parse_config

ROOT = Path(__file__).parents[1]
MOST_BYTES = 9_000
MOST_LINES = {
    "README.md": 180,
    "augment/README.md": 150,
    "configs/README.md": 90,
    "findings/README.md": 120,
    "model_zoo/README.md": 120,
    "model_zoo/drit/README.md": 120,
    "model_zoo/elegant/README.md": 120,
    "model_zoo/gzs_net/README.md": 120,
    "model_zoo/hfvae/README.md": 120,
    "model_zoo/st_rkm/README.md": 120,
    "model_zoo/zszu_vae/README.md": 150,
    "pipeline/README.md": 120,
    "pipeline/api/README.md": 100,
    "pipeline/auditing/README.md": 90,
    "pipeline/beam_transforms/README.md": 70,
    "pipeline/dataset/README.md": 60,
    "pipeline/evaluation/README.md": 120,
    "pipeline/exporting/README.md": 60,
    "pipeline/generation/README.md": 130,
    "pipeline/importing/README.md": 90,
    "pipeline/reader/README.md": 70,
    "pipeline/storage/README.md": 60,
    "pipeline/study/README.md": 130,
    "pipeline/verification/README.md": 60,
    "tests/benchmarks/README.md": 120,
}
MOST_HEADER_LINES = 12
PAGES = (*MOST_LINES, ".github/CONTRIBUTING.md")
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
VERBS = get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def blocks(language: str) -> list:
    """The fenced blocks of a language on all pages, named after page and place."""
    return [
        pytest.param(code, id=f"{page}-{number}")
        for page in PAGES
        for number, code in enumerate(
            re.findall(rf"```{language}\n(.*?)```", text_of(page), re.DOTALL)
        )
    ]


def header(path: Path) -> list[str]:
    """The comment lines that open a configuration."""
    lines = path.read_text().splitlines()
    return [line for line in lines if line.startswith("#")]


def shell_lines(code: str) -> list[list[str]]:
    """The commands of a shell block as words, without comments."""
    return [shlex.split(line, comments=True) for line in code.replace("\\\n", " ").splitlines()]


def commands_in(code: str) -> list[list[str]]:
    """The words after `latentloom` of each command, without those that go to Beam."""
    calls = []
    for words in shell_lines(code):
        if "latentloom" in words:
            call = words[words.index("latentloom") + 1 :]
            calls.append(call[: call.index("--")] if "--" in call else call)
    return calls


def anchors(page: str) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: str) -> list[str]:
    """The links of a page that lead to files."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "code", text_of(page), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'src="([^"]+)"', prose)
    return [link for link in found if "://" not in link]


def test_every_readme_is_tested():
    rooms = ("augment", "configs", "model_zoo", "pipeline")
    found = {path for room in rooms for path in ROOT.glob(f"{room}/**/README.md")}
    listed = {page for page in MOST_LINES if page.startswith(rooms)}
    assert {path.relative_to(ROOT).as_posix() for path in found} == listed


def test_the_front_page_is_a_page():
    assert len((ROOT / "README.md").read_bytes()) <= MOST_BYTES


@pytest.mark.parametrize("page", MOST_LINES)
def test_a_page_keeps_its_length(page):
    assert len(text_of(page).splitlines()) <= MOST_LINES[page]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent.joinpath(name).resolve() if name else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.relative_to(ROOT).as_posix()), link


@pytest.mark.parametrize("page", PAGES)
def test_every_configuration_and_benchmark_that_is_named_exists(page):
    for name in re.findall(r"\b((?:configs|tests/[\w/]+)/[\w.]+\.(?:yaml|py|sh))\b", text_of(page)):
        assert (ROOT / name).is_file(), name


@pytest.mark.parametrize("code", blocks("python"))
def test_every_python_block_imports_what_there_is(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("latentloom"):
            module = importlib.import_module(node.module or "")
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]


def test_the_example_of_augment_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", text_of("augment/README.md"), re.DOTALL)
    exec(compile(code, "augment/README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == code.split("# ")[-1].strip()


@pytest.mark.parametrize("code", blocks("yaml"))
def test_every_yaml_block_is_a_configuration(code):
    parse_config(yaml.safe_load(code), "the README")


HEADERS = [
    pytest.param("\n".join(line[2:] for line in header(path)), id=path.name) for path in CONFIGS
]


@pytest.mark.parametrize("code", [*blocks("bash"), *HEADERS])
def test_every_command_has_the_options_that_it_is_given(code):
    code = "\n".join(re.findall(r"^.*latentloom [a-z]+ (?:.*\\\n)*.*$", code, re.MULTILINE))
    for verb, *words in commands_in(code):
        known = {name for option in VERBS[verb].params for name in option.opts}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert not given - known, verb
        settings = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
        parse_config({}, "the README", settings)


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_in_the_prose_is_one(page):
    for span in re.findall(r"`(--set [^`]*=[^`]*)`", text_of(page)):
        (_, setting) = shlex.split(span)
        if setting.islower():
            parse_config({}, page, [setting])


def test_every_finding_is_listed():
    listed = re.findall(r"^\| `(\w+\.sh)` \|", text_of("findings/README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (ROOT / "findings").glob("*.sh"))


def test_every_test_that_the_findings_name_exists():
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text_of("findings/README.md"))
    assert named
    for path, test in named:
        assert f"def {test}(" in (ROOT / "tests" / path).read_text(), f"{path}::{test}"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_configuration_is_listed_and_has_a_short_header(path):
    assert f"| `{path.name}` |" in text_of("configs/README.md")
    assert len(header(path)) <= MOST_HEADER_LINES
