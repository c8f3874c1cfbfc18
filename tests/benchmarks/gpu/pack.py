"""What a GPU machine without TensorFlow and network needs: wheels, and data set directories.

    bash tests/benchmarks/gpu.sh pack [DIR] [--data mnist=FOLDER_OF_IDX_FILES ...]

`LEAVE_OUT` names packages that the machine has; `PYTHON_VERSION` the versions of its Python.
Written afresh are DIR/wheels, DIR/requirements.txt and DIR/data. Wheels have the versions that
are installed here. Where all is too large, scikit-learn and matplotlib stay behind, and with them
all but rates.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE
from latentloom.pipeline.importing.import_dataset import import_dataset
from latentloom.pipeline.importing.specs import SPECS

ROOT = Path(__file__).resolve().parents[3]
LIMIT_MIB = 64

PACKAGES = (
    ("keras", "absl-py", "h5py", "namex", "optree", "packaging", "rich")
    + ("markdown-it-py", "mdurl", "pygments")  # of rich
    + ("tensorflow-probability", "decorator", "dm-tree", "six")
    + ("pydantic", "pydantic-core", "annotated-types", "typing-extensions", "typing-inspection")
    + ("pyyaml", "pyspng", "isal", "zlib-ng", "google-crc32c", "protobuf")
)
"""What is imported on JAX beyond JAX itself, its NumPy, SciPy and ml_dtypes."""

PROBE_PACKAGES = (
    ("scikit-learn", "cloudpickle", "joblib", "narwhals", "threadpoolctl")
    + ("matplotlib", "contourpy", "cycler", "fonttools", "kiwisolver", "pillow")
    + ("pyparsing", "python-dateutil")
)
"""What is imported to measure quality, in addition."""
EXACT = ("keras", "pydantic", "tensorflow-probability")
"""Installed in the version of here, whatever the machine has."""

GLIBC_MINORS = (17, 24, 27, 28)


def requirements(packages: Sequence[str]) -> list[str]:
    """What the machine must have: the packages, as new as they need one another."""
    demands = {
        name: SpecifierSet(f"=={importlib.metadata.version(name)}" if name in EXACT else "")
        for name in packages
    }
    for name in packages:
        for line in importlib.metadata.requires(name) or ():
            need = Requirement(line)
            if need.name in demands and (not need.marker or need.marker.evaluate({"extra": ""})):
                demands[need.name] &= need.specifier
    return [f"{name}{demand}" for name, demand in demands.items()]


def download(packages: Sequence[str], python_version: str, folder: Path) -> None:
    """Downloads wheels for Linux on x86-64."""
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in GLIBC_MINORS]
    platforms += ["manylinux2014_x86_64", "manylinux1_x86_64"]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={python_version}", f"--dest={folder}"]
    command += [f"--platform={name}" for name in platforms]
    command += [f"{name}=={importlib.metadata.version(name)}" for name in packages]
    subprocess.run(command, check=True)


def write_data(name: str, source: str, folder: Path) -> None:
    """Imports a source, or copies a data set directory."""
    out = folder / name
    if (Path(source) / MANIFEST_FILE).is_file():
        shutil.copytree(source, out)
    else:
        is_idx = Path(source).is_dir() and not source.startswith(("folder:", "idx:"))
        import_dataset(f"idx:{source}" if is_idx else source, out)
    dataset = DatasetDir.open(out)
    sizes = {split: sum(dataset.manifest.label_counts(split).values()) for split in dataset.splits}
    told = ", ".join(f"{size:,} {split}" for split, size in sizes.items())
    print(f"{name}: {told} images, {mebibytes(files_of(out)):.1f} MiB")


def files_of(folder: Path) -> list[Path]:
    """Every file in a folder and the folders in it."""
    return [path for path in folder.rglob("*") if path.is_file()]


def mebibytes(files: Sequence[Path]) -> float:
    """Size of some files."""
    return sum(file.stat().st_size for file in files) / 2**20


def carried(folder: Path) -> list[Path]:
    """Every file that was packed."""
    packed = [folder / "requirements.txt", *(folder / "wheels").glob("*")]
    return [*packed, *files_of(folder / "data")]


def pack_wheels(folder: Path, packages: Sequence[str], versions: Sequence[str]) -> None:
    """Downloads all wheels and says what must be installed."""
    for version in versions:
        download(packages, version, folder / "wheels")
    (folder / "requirements.txt").write_text("\n".join(requirements(packages)) + "\n")
    size = mebibytes([*(folder / "wheels").glob("*")])
    print(f"{len(packages)} packages for Python {', '.join(versions)}: {size:.1f} MiB")


def without_probes(folder: Path) -> None:
    """Leaves scikit-learn and matplotlib behind."""
    for package in PROBE_PACKAGES:
        for wheel in (folder / "wheels").glob(f"{package.replace('-', '_')}-*"):
            wheel.unlink()
    file = folder / "requirements.txt"
    kept = [line for line in file.read_text().split() if not line.startswith(PROBE_PACKAGES)]
    file.write_text("\n".join(kept) + "\n")
    print(
        "scikit-learn and matplotlib are left out for their size: without them only times and "
        "rates are measured. If the GPU machine has them, nothing is lost."
    )


def data_sets(pairs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names and sources, checked."""
    for pair in pairs:
        name, equals, source = pair.partition("=")
        known = {file.stem.split("_", 1)[1] for file in (ROOT / "configs").glob("zszu_*.yaml")}
        if not equals or name not in known:
            raise SystemExit(
                f"The data cannot be carried. Expected: NAME=SOURCE, NAME one of {sorted(known)}, "
                f"SOURCE a folder of idx files, a data set directory or one of "
                f"{', '.join(SPECS)}. Received: --data {pair}. Correct it."
            )
        yield name, source


def main() -> None:
    """Packs and tells the size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "gpu")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=SOURCE")
    options = parser.parse_args()
    folder, pairs = options.folder, list(data_sets(options.data))
    versions = os.environ.get("PYTHON_VERSION", "").replace(",", " ").split()
    left_out = os.environ.get("LEAVE_OUT", "").replace(",", " ").split()
    packages = [name for name in (*PACKAGES, *PROBE_PACKAGES) if name not in left_out]
    for part in ("wheels", "data"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
    major_minor = ".".join(platform.python_version_tuple()[:2])
    pack_wheels(folder, packages, versions or [major_minor])
    for name, source in pairs:
        write_data(name, source, folder / "data")
    if mebibytes(carried(folder)) > LIMIT_MIB:
        without_probes(folder)
    size = mebibytes(carried(folder))
    print(f"{folder}: {size:.1f} MiB of at most {LIMIT_MIB}")
    if size > LIMIT_MIB:
        raise SystemExit(
            f"That is too much. Expected: at most {LIMIT_MIB} MiB. Received: {size:.1f} MiB. Carry "
            "fewer data sets or versions of Python, or name packages that the machine has in "
            "LEAVE_OUT."
        )


if __name__ == "__main__":
    main()
