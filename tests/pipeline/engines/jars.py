"""The jars of an engine: Beam's runner for it with all that it depends on, the engine among them.

Beam's job server, which its Python runners start for every job, is a jar that names them as its
class path.
"""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

JOB_SERVER = "job-server.jar"
# What the engines read of the JDK by reflection, as their own scripts open it.
OPENED = [
    f"java.base/{package}"
    for package in (
        *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.net", "java.io", "java.nio"),
        *("java.text", "java.time", "java.util", "java.util.concurrent"),
        *("java.util.concurrent.atomic", "java.util.concurrent.locks"),
        *("sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"),
    )
]


def fetch(pom: Path, main: str, jars: Path) -> None:
    """Fetches the jars with Maven, unless they are there, and makes the job server of them.

    Args:
        pom: The Maven project that names them.
        main: The class that is the job server.
        jars: The folder for them.
    """
    if not (jars / JOB_SERVER).exists():
        maven = ["mvn", "--quiet", "--batch-mode", "--file", str(pom)]
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={jars.resolve()}"]
        subprocess.run([*maven, *copy], check=True)
        _write_job_server(main, jars)


def _write_job_server(main: str, jars: Path) -> None:
    """Writes the jar that `java -jar` starts the job server with."""
    attributes = {
        "Manifest-Version": "1.0",
        "Main-Class": main,
        "Class-Path": " ".join(sorted(jar.name for jar in jars.glob("*.jar"))),
        "Add-Opens": " ".join(OPENED),
    }
    lines = [_folded(f"{name}: {value}") for name, value in attributes.items()]
    temporary = jars / f".{JOB_SERVER}"
    with zipfile.ZipFile(temporary, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "\r\n".join(lines) + "\r\n\r\n")
    temporary.replace(jars / JOB_SERVER)


def _folded(line: str) -> str:
    """A line of a manifest, which may be 72 bytes long; what goes on begins with a space."""
    parts = [line[:72], *(line[start : start + 71] for start in range(72, len(line), 71))]
    return "\r\n ".join(parts)


def java(jars: Path, *words: str, options: Sequence[str] = (), settings: str = "") -> list[str]:
    """The command that starts a class of the jars.

    Args:
        jars: Their folder.
        *words: The class and its arguments.
        options: Options of the JVM.
        settings: A folder of settings, before the jars on the class path.
    """
    opens = [f"--add-opens={package}=ALL-UNNAMED" for package in OPENED]
    path = f"{settings}:{jars}/*" if settings else f"{jars}/*"
    return ["java", *opens, *options, "-cp", path, *words]
