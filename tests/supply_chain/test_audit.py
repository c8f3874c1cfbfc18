"""What `make audit` makes of licences and of the answers of pip-audit."""

import json
from pathlib import Path

import pytest
from audit import main
from licences import find_problems, installed, is_forbidden
from vulnerabilities import Audit, command, read_audit


@pytest.mark.parametrize(
    "licence",
    [
        *("GPL-3.0-or-later", "LGPL-2.1", "AGPL-3.0-only", "GPLv2", "MIT AND LGPL-3.0-or-later"),
        "GNU General Public License v3 (GPLv3)",
        "GNU Lesser General Public License v2 or later (LGPLv2+)",
        "GPL-2.0 OR LGPL-2.1",
    ],
)
def test_the_gpl_family_is_forbidden(licence):
    assert is_forbidden(licence)


@pytest.mark.parametrize(
    "licence",
    [
        *("MIT", "Apache-2.0", "MPL-2.0 AND MIT", "BSD-3-Clause", "MIT OR GPL-2.0-only"),
        "BSD-3-Clause AND GPL-3.0-or-later WITH GCC-exception-3.1",
    ],
)
def test_other_licences_and_choices_are_allowed(licence):
    assert not is_forbidden(licence)


def test_a_package_without_a_licence_is_named():
    nothing = {"License-Expression": [], "License": ["x" * 500], "Classifier": []}
    assert find_problems([("odd", nothing)]) == [
        "odd: its licence is unknown. Look it up and add it to REVIEWED."
    ]
    gpl = nothing | {"Classifier": ["License :: OSI Approved :: GNU General Public License (GPL)"]}
    assert (
        "odd: its licence is GNU General Public License (GPL)" in find_problems([("odd", gpl)])[0]
    )


def test_no_installed_package_is_forbidden():
    assert find_problems(installed()) == []


def answer(*packages: dict) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("output", "errors", "audit"),
    [
        (answer(CLEAN), "", Audit(1)),
        (answer(CLEAN, BAD), "Found 1", Audit(2, ["b 2: PYSEC-1, fixed in 3"])),
        (answer(CLEAN, SKIPPED), "", Audit(1, [], "its index has no data on 1 of 2 packages")),
        ("", "Traceback\nConnectionError: no route", Audit(0, [], "ConnectionError: no route")),
        ("", "", Audit(0, [], "no answer")),
    ],
)
def test_an_answer_is_findings_or_out_of_reach(output, errors, audit):
    assert read_audit(output, errors) == audit


@pytest.mark.parametrize(
    ("audit", "code", "line"),
    [
        (Audit(9), 0, "Vulnerabilities: none known of 9 packages."),
        (Audit(9, ["b 2: PYSEC-1, fixed in 3"]), 1, "Vulnerability: b 2: PYSEC-1"),
        (Audit(0, [], "no answer"), 3, "the data source is out of reach (no answer)"),
        (Audit(1, ["b 2: PYSEC-1, fixed in 3"], "no data"), 1, "out of reach (no data)"),
    ],
)
def test_the_exit_code_tells_a_finding_from_a_source_out_of_reach(
    monkeypatch, capsys, audit, code, line
):
    monkeypatch.setattr("audit.run_audit", lambda *words: audit)
    assert main() == code
    assert line in capsys.readouterr().out


def test_the_lock_is_audited_with_its_hashes():
    words = command(Path("uvx"), Path("requirements.lock"))
    assert words[:2] == ["uvx", "--from"]
    assert "--require-hashes" in words
    assert "--disable-pip" in words
