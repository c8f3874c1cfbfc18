"""The README of the room lists the sources as the registry has them."""

import re
from pathlib import Path

from latentloom.pipeline.importing import specs

README = Path(specs.__file__).with_name("README.md")


def test_the_table_of_sources_is_that_of_the_registry():
    _, _, table = README.read_text().partition("| source | reads |\n")
    rows = re.findall(r"^\| (`[^`]+`) +\| (.+?) +\|$", table.partition("\n\n")[0], re.M)
    assert rows == [(f"`{entry.spec}`", entry.holds) for entry in specs.SOURCES]
