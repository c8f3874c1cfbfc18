"""Mutated configurations give a `Config` or one of our messages, in bounded time and memory."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from latentloom.pipeline.config import Config, load_config, parse_config
from latentloom.pipeline.terminal.exit_codes import is_refusal

CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))
TEXTS = [path.read_bytes() for path in CONFIGS]
SECONDS = 5.0
LONGEST = 2000
"""Characters of a message."""
MEMORY = 1 << 30
"""Bytes that all examples together may take beyond those of the process."""

SNIPPETS = [
    *(b"true", b"no", b"~", b"3.0", b"'3'", b"-1", b"1e3", b".inf", b"-.inf", b".nan", b"0x10"),
    *(b"99999999999999999999", b"9" * 5000, b"1:30:00", b"2001-01-01", b"2001-01-01 10:00:00"),
    *(b"[]", b"{}", b"[1, a]", b"{a: 1}", b"? [a]\n: b\n", b"<<: {a: 1}\n", b"<<: 3\n", b"<<: [3]"),
    *(b"&a ", b"*a", b"&a [*a]", b"&a {b: *a}", b"!!int x", b"!!binary x", b"!!set {a, b}"),
    *(
        b"!!omap [a: 1]",
        b"!!timestamp x",
        b"!!bool 3",
        b"!!python/name:os.system",
        b"!x",
        b"!<x> y",
    ),
    *(b"%YAML 3.0\n---\n", b"--- 1\n--- 2\n", b"...", b"\xff", b"\x00", b"\xef\xbb\xbf", b"\r"),
    *(b"[" * 300, b"{a: " * 300, b"- " * 300, b"&a [x, x]\n", b"\t", b": ", b", ", b"# ", b"\n"),
    *(b"smoke: 3\n", b"study:\n", b"  pools: {a: {gate: 3}}\n", "\u202e\u2028".encode()),
]
LAUGHS = b"".join(
    b"%s: &%s [%s]\n" % (name, name, b", ".join([b"*" + before if before else b"x"] * 9))
    for before, name in zip(
        [b"", b"a", b"b", b"c", b"d", b"e"], b"a b c d e f".split(), strict=True
    )
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A configuration with some slices replaced, doubled or removed."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 60)))
        if draw(st.booleans()):  # whole lines, below the header
            start = text.rfind(b"\n", 0, start) + 1
            stop = text.find(b"\n", stop) + 1 or len(text)
        others = st.one_of(st.sampled_from([*SNIPPETS, LAUGHS]), st.binary(max_size=12))
        kind = draw(st.sampled_from(["replace", "double", "insert"]))
        part = 2 * text[start:stop] if kind == "double" else draw(others)
        text = text[:start] + part + text[start if kind == "insert" else stop :]
    return text


@pytest.fixture(scope="module", autouse=True)
def bounded_memory() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def config_or_message(read) -> None:
    """Checks that reading gives a configuration that reads back, or one of our messages."""
    begun, refusal = time.monotonic(), None
    try:
        config = read()
    except (ValueError, FileNotFoundError) as error:
        refusal = error
    else:
        assert isinstance(config, Config)
        config.to_yaml()
    assert time.monotonic() - begun < SECONDS
    if refusal is not None:
        assert is_refusal(refusal), repr(refusal)
        assert "Expected: " in str(refusal)
        assert len(str(refusal)) < LONGEST


def fuzz(max_examples: int):
    """Runs a test with so many examples, the same ones every time."""
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    return settings(
        max_examples=max_examples, deadline=None, derandomize=True, suppress_health_check=checks
    )


def read_mutated(tmp_path: Path, text: bytes, smoke: bool) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(text)
    config_or_message(lambda: load_config(path, smoke=smoke))
    assert [file.name for file in tmp_path.iterdir()] == ["config.yaml"]


@fuzz(100)
@given(text=mutated(), smoke=st.booleans())
def test_a_mutated_file_is_a_configuration_or_a_message(tmp_path, text, smoke):
    read_mutated(tmp_path, text, smoke)


@pytest.mark.slow
@fuzz(2000)
@given(text=mutated(), smoke=st.booleans())
def test_many_mutated_files_are_configurations_or_messages(tmp_path, text, smoke):
    read_mutated(tmp_path, text, smoke)


KEYS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [f"{section}.{key}" for section in Config.model_fields for key in ("seed", "a.b", "epochs")]
    ),
)
VALUES = st.one_of(st.text(max_size=20), st.sampled_from([s.decode("latin-1") for s in SNIPPETS]))


@fuzz(100)
@given(key=KEYS, value=VALUES)
def test_any_override_is_a_configuration_or_a_message(key, value):
    config_or_message(lambda: parse_config({}, "here", [f"{key}={value}"]))


@pytest.mark.slow
@fuzz(2000)
@given(key=KEYS, value=VALUES)
def test_many_overrides_are_configurations_or_messages(key, value):
    config_or_message(lambda: parse_config({}, "here", [f"{key}={value}"]))
