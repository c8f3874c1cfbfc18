"""Known vulnerabilities of the locked packages, found by `pip-audit` in an environment of its own.

`pip-audit` ends with 0 where its index has no vulnerability data, because it skips every package;
here a skipped package means that the data are out of reach.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PIP_AUDIT = "pip-audit==2.10.1"
SECONDS = 600


@dataclass
class Audit:
    """What an audit found.

    Args:
        audited: Number of packages that were looked up.
        findings: One line for each vulnerability.
        unreachable: Why the data are out of reach, or an empty string.
    """

    audited: int = 0
    findings: list[str] = field(default_factory=list)
    unreachable: str = ""


def command(uvx: Path, lock: Path) -> list[str]:
    """Returns the command that audits a lock file without installing it."""
    options = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "--timeout=30")
    return [str(uvx), "--from", PIP_AUDIT, "pip-audit", "-f", "json", *options, "-r", str(lock)]


def run_audit(uvx: Path, lock: Path) -> Audit:
    """Audits a lock file."""
    try:
        run = subprocess.run(
            command(uvx, lock), capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Audit(unreachable=" ".join(str(error).split()))
    return read_audit(run.stdout, run.stderr)


def read_audit(output: str, errors: str) -> Audit:
    """Reads what `pip-audit` wrote to its two streams."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        return Audit(unreachable=lines[-1][:300] if lines else "no answer")
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    findings = [
        f"{package['name']} {package['version']}: {found['id']}, fixed in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for package in packages
        for found in package.get("vulns", ())
    ]
    reason = f"its index has no data on {len(skipped)} of {len(packages)} packages"
    return Audit(len(packages) - len(skipped), findings, reason if skipped else "")
