"""The licences of installed packages: none may be of the GPL family, none may be unknown."""

from __future__ import annotations

import importlib.metadata
import re
import sysconfig
from collections.abc import Iterable, Mapping

REVIEWED = {"namex": "Apache-2.0"}
"""Licences of packages whose metadata name none, read by a person in their file LICENSE."""

_FORBIDDEN = re.compile(r"\b[AL]?GPL|GNU (Lesser |Library |Affero )?General Public", re.IGNORECASE)
_EXCEPTION = re.compile(r"WITH\s+[\w.-]*exception[\w.-]*", re.IGNORECASE)
_LONGEST = 100
"""Characters of a line that names a licence; a longer one is its text."""

Fields = Mapping[str, list[str]]


def fields_of(package: importlib.metadata.Distribution) -> dict[str, list[str]]:
    """Returns the fields of a package that tell its licence."""
    known = package.metadata
    return {name: known.get_all(name) or [] for name in ("License-Expression", "License")} | {
        "Classifier": [c for c in known.get_all("Classifier") or [] if c.startswith("License ::")]
    }


def licence_of(name: str, fields: Fields) -> str:
    """Returns the licence that the metadata of a package name, or an empty string.

    The expression counts; without one the classifiers, then the first line of `License`.
    """
    if fields["License-Expression"]:
        return fields["License-Expression"][0]
    classified = [line.rpartition(":: ")[2] for line in fields["Classifier"]]
    if classified:
        return " OR ".join(classified)
    first = "".join(fields["License"]).strip().partition("\n")[0].strip()
    names_one = first not in ("", "UNKNOWN") and len(first) <= _LONGEST
    return first if names_one else REVIEWED.get(name, "")


def is_forbidden(licence: str) -> bool:
    """Returns whether every alternative of a licence is of the GPL family.

    An exception, such as that of GCC for its runtime libraries, lifts the obligations.
    """
    choices = re.split(r"\s+OR\s+", licence.strip("()"))
    parts = [[p for p in re.split(r"\s+AND\s+", choice)] for choice in choices]
    return all(
        any(_FORBIDDEN.search(p) and not _EXCEPTION.search(p) for p in part) for part in parts
    )


def find_problems(packages: Iterable[tuple[str, Fields]]) -> list[str]:
    """Returns one line for each package whose licence is forbidden or unknown."""
    problems = []
    for name, fields in packages:
        licence = licence_of(name, fields)
        if not licence:
            problems.append(f"{name}: its licence is unknown. Look it up and add it to REVIEWED.")
        elif is_forbidden(licence):
            problems.append(f"{name}: its licence is {licence}. Remove the package.")
    return problems


def installed() -> list[tuple[str, Fields]]:
    """Returns the packages of this environment by name, without what setuptools carries along."""
    places = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    found = importlib.metadata.distributions(path=sorted(places))
    return sorted(
        ((str(package.metadata["Name"]), fields_of(package)) for package in found),
        key=lambda pair: pair[0],
    )
