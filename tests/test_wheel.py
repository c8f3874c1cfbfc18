"""The wheel installs one package, `latentloom`, and a user's modules cannot stand in its way."""

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cluster import free_port
from own_modules import OWN_MODULES, folder_with_own_modules

ROOT = Path(__file__).parents[1]
PARTS = (".src", "augment", "model_zoo", "pipeline", "pyproject.toml", "README.md", "LICENSE")
CONFIG = """
data: {limit: 200}
model: {name: zszu_vae, args: {network: dense, hidden_dim: 16, zu_dim: 4}}
train: {epochs: 1}
judge: {epochs: 1, width: 4}
generate: {variants_per_example: 1, gate: {enabled: false}}
evaluate: {anchors: 20, variants: 2, accuracy_steps: 2}
study: {sizes: [6], seeds: [0], arms: [real, classical], steps: 4, batch_size: 16, width: 4}
"""
DATA, MODEL = ("--data", "data"), ("--model", "bundle")
GENERATE = ("generate", "config.yaml", *DATA, *MODEL)
EVALUATE = ("evaluate", *DATA, *MODEL, "--out", "evaluation")
STUDY = ("study", "config.yaml", *DATA, "--out", "study")
SECONDS = 900

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built of a copy that leaves nothing in the checkout."""
    copy = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / part, copy / part, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / part, copy)
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    run(copy, sys.executable, "-c", build)
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory) -> Path:
    """A bare folder in which the wheel is installed, and nothing that it depends on."""
    folder = tmp_path_factory.mktemp("site")
    options = "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--quiet"
    run(folder, sys.executable, "-m", "pip", "install", *options, "--target", folder, wheel)
    return folder


@pytest.fixture(scope="module")
def environment(site) -> dict[str, str]:
    """The variables of a shell in which `latentloom` is the installed one and `python` this one."""
    path = f"{site / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PYTHONPATH": str(site), "PATH": path}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A user's working folder, with modules of the names that our folders have."""
    folder = folder_with_own_modules(tmp_path_factory.mktemp("work"))
    (folder / "config.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def latentloom(folder, environment) -> Run:
    """Runs a verb in the folder, with `python -m`, which looks for modules there first."""
    command = "python", "-m", "latentloom.pipeline.command"
    return lambda *words: run(folder, *command, *words, env=environment)


@pytest.fixture(scope="module")
def data(folder, latentloom) -> Path:
    """An imported data set."""
    latentloom("import", "builtin:digits", "data", "--max-examples", "200", "--shards", "2")
    return folder / "data"


@pytest.fixture(scope="module")
def bundle(folder, data, latentloom) -> Path:
    """A trained bundle."""
    latentloom("train", "config.yaml", *DATA, "--out", "bundle")
    return folder / "bundle"


def run(folder: Path, *words: object, **options) -> subprocess.CompletedProcess[str]:
    """Runs a command in a folder."""
    line = [str(word) for word in words]
    options |= {"capture_output": True, "text": True, "timeout": SECONDS}
    done = subprocess.run(line, cwd=folder, check=False, **options)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def shards(folder: Path) -> dict[str, bytes]:
    return {shard.name: shard.read_bytes() for shard in sorted(folder.glob("*.tfrecord-*"))}


def test_the_wheel_installs_latentloom_and_its_metadata_alone(site):
    names = {path.name for path in site.iterdir()} - {"bin"}
    assert len(names) == 2
    assert {name.partition("-")[0] for name in names} == {"latentloom"}
    assert [path.name for path in (site / "bin").iterdir()] == ["latentloom"]


def test_the_wheel_holds_every_module_once_and_the_data_of_the_package(wheel):
    held = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    parts = [ROOT / part for part in ("augment", "model_zoo", "pipeline")]
    modules = [path.relative_to(ROOT) for part in parts for path in part.rglob("*.py")]
    report = ["pipeline/report/template.html.j2", "pipeline/report/style.css"]
    providers = "pipeline/beam_transforms/yaml_providers.yaml"
    faces = [path.name for path in (ROOT / ".src" / "latentloom").glob("*.py")]
    expected = ["py.typed", *faces, *map(str, modules), *report, providers]
    assert sorted(held) == sorted(f"latentloom/{name}" for name in expected)


@pytest.mark.parametrize("module", OWN_MODULES)
def test_the_modules_of_the_user_come_first_by_their_own_names(folder, environment, module):
    name = Path(module).parts[0].removesuffix(".py")
    found = subprocess.run(
        ["python", "-c", f"import {name}"], cwd=folder, env=environment, capture_output=True
    )
    assert f"{module} of the user was imported" in found.stderr.decode()


def test_every_module_imports_beside_them(folder, environment):
    script = (
        "import importlib, pkgutil, latentloom\n"
        "for module in pkgutil.walk_packages(latentloom.__path__, 'latentloom.'):\n"
        "    if not module.name.endswith('.__main__'):\n"
        "        importlib.import_module(module.name)"
    )
    run(folder, "python", "-c", script, env=environment)


def test_the_reader_reads_beside_them(folder, environment, data, site):
    script = (
        "import latentloom\n"
        "from latentloom.pipeline.reader import load, read\n"
        "print(latentloom.__file__, len(list(read('data'))), len(load('data', batch_size=50)))"
    )
    found = run(folder, "python", "-c", script, env=environment).stdout.split()
    assert found == [str(site / "latentloom/__init__.py"), "200", "4"]


def test_the_names_of_the_package_are_there_beside_them(folder, environment, data):
    script = (
        "import latentloom\n"
        "print(len(latentloom.open_dataset('data')), latentloom.verify('data').ok)\n"
        "print(*(getattr(latentloom, name).__name__ for name in latentloom.__all__))"
    )
    said = run(folder, "python", "-c", script, env=environment).stdout.splitlines()
    assert said[0] == "200 True"
    assert "load_bundle" in said[1].split()


def test_the_console_script_runs_beside_them(folder, environment, data):
    said = run(folder, "latentloom", "inspect", "data", env=environment).stdout
    assert "digits" in said


@pytest.mark.slow  # what they import is imported in the quick run, too
@pytest.mark.parametrize(
    ("words", "writes"),
    [
        pytest.param(("verify", "data"), "data", id="verify"),
        pytest.param(EVALUATE, "evaluation/evaluation.html", id="evaluate"),
        pytest.param(STUDY, "study/study.html", id="study"),
        pytest.param(("demo", "--out", "demo"), "demo/recombined/report.html", id="demo"),
    ],
)
def test_a_verb_runs_beside_them(folder, bundle, latentloom, words, writes):
    latentloom(*words)
    assert (folder / writes).exists()


@pytest.fixture
def pool(folder, environment) -> Iterator[str]:
    """The address of a pool that was started in the folder, as machines of a cluster have one."""
    port = free_port()
    main = "apache_beam.runners.worker.worker_pool_main"
    command = ["python", "-m", main, f"--service_port={port}"]
    process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True)
    yield f"localhost:{port}"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def variants(folder, bundle, latentloom) -> dict[str, bytes]:
    """The shards that `generate` writes with two worker processes, which Beam starts with `-m`."""
    beam = "--direct_num_workers=2", "--direct_running_mode=multi_processing"
    latentloom(*GENERATE, "--out", "variants", "--", *beam)
    return shards(folder / "variants")


def test_two_worker_processes_run_beside_them(variants):
    assert len(variants) == 2


def test_the_workers_of_a_pool_run_beside_them(folder, latentloom, variants, pool):
    beam = "--environment_type=EXTERNAL", f"--environment_config={pool}", "--job_endpoint=embed"
    latentloom(*GENERATE, "--out", "pooled", "--runner", "PortableRunner", "--", *beam)
    assert shards(folder / "pooled") == variants
