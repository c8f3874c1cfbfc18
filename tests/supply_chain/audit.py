"""`make audit`: licences of the installed packages, known vulnerabilities of the locked ones.

Exit codes: 0 for nothing found, 1 for a finding, 3 if the data on vulnerabilities are out of reach
and nothing else was found.
"""

from __future__ import annotations

import sys
from pathlib import Path

from licences import find_problems, installed
from vulnerabilities import run_audit

FOUND, UNREACHABLE = 1, 3
ROOT = Path(__file__).parents[2]


def main() -> int:
    """Runs both audits; returns the exit code."""
    packages = installed()
    problems = find_problems(packages)
    print("\n".join(problems) or f"Licences: none of {len(packages)} packages is GPL or unknown.")
    audit = run_audit(Path(sys.executable).with_name("uvx"), ROOT / "requirements.lock")
    for finding in audit.findings:
        print(f"Vulnerability: {finding}. Run `make lock`.")
    if audit.unreachable:
        print(
            "Vulnerabilities: not audited, because the data source is out of reach "
            f"({audit.unreachable}). Run `make audit` where https://pypi.org can be reached."
        )
    elif not audit.findings:
        print(f"Vulnerabilities: none known of {audit.audited} packages.")
    if problems or audit.findings:
        return FOUND
    return UNREACHABLE if audit.unreachable else 0


if __name__ == "__main__":
    sys.exit(main())
