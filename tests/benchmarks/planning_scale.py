"""Plans and completes a job far larger than this machine: what grows with shards and classes.

Makes a data set whose counts are invented and whose shards are sparse files, except for one that
`--dry-run` reads. Then each stage runs in a process of its own, and prints seconds, CPU seconds and
peak memory. No record is rendered or checked: only what is planned, listed and added up. With
`--record-bytes` above 16, the hashes of sparse shards take most of `resume`.

    python tests/benchmarks/planning_scale.py [--shards 12000] [--images 100000000]
        [--classes 1000] [--record-bytes 16] [--stages plan verify] [--python PATH] [--out FILE]
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
from children import Work, arguments, do_work, report, run_works

SHAPE, NAME = (28, 28, 1), "many"


class Scale:
    """The size of a simulated job, and the files that stand for it in a folder."""

    def __init__(self, folder: str, shards: str, images: str, classes: str, record_bytes: str):
        self.folder = Path(folder)
        self.shards, self.classes = int(shards), int(classes)
        self.records, self.record_bytes = -(-int(images) // self.shards), int(record_bytes)
        self.data, self.model = str(self.folder / "data"), str(self.folder / "bundle")
        self.out = str(self.folder / "out")

    def class_names(self) -> list[str]:
        """Names of the classes."""
        return [f"class_{label:06d}" for label in range(self.classes)]

    def config(self):
        """A configuration of `class_preserving` that cuts no shard."""
        from latentloom.pipeline.config import load_config

        configs = Path(__file__).resolve().parents[2] / "configs"
        settings = [f"generate.slice_records={self.records}"]
        return load_config(configs / "zszu_mnist.yaml", settings)

    def job(self):
        """The job, planned."""
        from latentloom.pipeline.generation.planning.plan_job import plan_job

        return plan_job(self.config().generate, self.data, self.model, self.out)

    def sparse(self, folder: str, names: list[str]) -> tuple[int, str]:
        """Writes sparse shards; returns the size and the hash of each."""
        size = self.records * self.record_bytes
        for name in names:
            with open(os.path.join(folder, name), "wb") as file:
                file.truncate(size)
        return size, hashlib.sha256(bytes(size)).hexdigest()


def make_data(scale: Scale) -> None:
    """Writes the data set: sparse shards, one with records, and the manifest."""
    from latentloom.pipeline.dataset.entries import ShardEntry
    from latentloom.pipeline.dataset.manifest import Manifest
    from latentloom.pipeline.dataset.tfds_metadata import metadata_files
    from latentloom.pipeline.dataset.writing import shard_file, write_manifest

    os.makedirs(scale.data)
    names = [shard_file(NAME, "train", i, scale.shards) for i in range(scale.shards)]
    size, sha256 = scale.sparse(scale.data, names[1:])
    rng = np.random.default_rng(0)
    shares = np.full(scale.classes, 1 / scale.classes)
    counts = (rng.multinomial(scale.records, shares).tolist() for _ in names[1:])
    of_sparse = {"records": scale.records, "num_bytes": size, "sha256": sha256}
    entries = [_real_shard(scale, names[0], rng)]
    for name, label_counts in zip(names[1:], counts, strict=True):
        entries.append(ShardEntry(file=name, label_counts=label_counts, **of_sparse))
    images = scale.records * scale.shards
    manifest = Manifest(
        kind="imported",
        name=NAME,
        observation_shape=SHAPE,
        factors={"label": scale.class_names()},
        splits={"train": entries},
        totals={"requested": images, "written": images, "rejected": 0, "dead": 0},
    )
    write_manifest(scale.data, manifest, metadata_files(manifest))


def _real_shard(scale: Scale, file: str, rng: np.random.Generator):
    """Writes one shard with records; returns its entry."""
    from latentloom.pipeline.dataset.examples import Examples
    from latentloom.pipeline.dataset.writing import example_records, shard_entry
    from latentloom.pipeline.observations import KINDS
    from latentloom.pipeline.storage.tfrecords import ShardWriter

    ids = [f"many/{row}" for row in range(scale.records)]
    images = np.zeros((scale.records, *SHAPE), np.uint8)
    labels = rng.integers(scale.classes, size=scale.records)
    examples = Examples(images, {"label": labels}, ids)
    with ShardWriter(os.path.join(scale.data, file)) as writer:
        for record in example_records(KINDS["image"], examples, ids):
            writer.write(record)
    return shard_entry(writer, file, np.bincount(labels, minlength=scale.classes).tolist())


def make_bundle(scale: Scale) -> None:
    """Saves an untrained bundle of so many classes."""
    from latentloom.model_zoo.bundle import Bundle, save_bundle
    from latentloom.model_zoo.networks.classifier import image_classifier
    from latentloom.model_zoo.registry import build_model

    model = build_model("zszu_vae", {}, SHAPE, scale.classes)
    codes = {"zs": np.random.default_rng(0).normal(size=(2 * scale.classes, 16))}
    arrays = model.fitted_priors(codes, np.arange(2 * scale.classes) % scale.classes)
    judge = image_classifier(SHAPE, scale.classes)
    bundle = Bundle(
        model=model,
        judge=judge,
        auditor=judge,
        priors={
            f"{b}/{n}": np.asarray(a, np.float32) for b, of in arrays.items() for n, a in of.items()
        },
        model_name="zszu_vae",
        model_args={},
        factors={"label": scale.class_names()},
    )
    save_bundle(bundle, Path(scale.model))


def make_reports(scale: Scale) -> None:
    """Writes the output shards, sparse, and the reports of a job whose workers have ended."""
    from latentloom.pipeline.dataset.entries import ShardEntry
    from latentloom.pipeline.generation.shard_report import ShardReport

    job = scale.job()
    os.makedirs(os.path.join(scale.out, ".job"))
    job.marker.mark()
    size, sha256 = scale.sparse(scale.out, [task.file for task in job.tasks])
    none = [0] * scale.classes
    for task in job.tasks:
        entry = ShardEntry(
            file=task.file,
            records=sum(task.quotas),
            num_bytes=size,
            sha256=sha256,
            label_counts=task.quotas,
        )
        report = ShardReport(
            job=job.digest,
            entry=entry,
            requested=task.quotas,
            rejected=none,
            dead=none,
            candidates=task.quotas,
            rejections={},
            examples=scale.records,
            dead_letters=[],
        )
        Path(job.report_path(task)).write_text(report.model_dump_json())


def open_data(scale: Scale) -> Work:
    """Opens the data set and adds up its classes."""
    from latentloom.pipeline.dataset.directory import DatasetDir

    return lambda: sum(DatasetDir.open(scale.data).manifest.label_counts("train").values())


def plan(scale: Scale) -> Work:
    """Plans the job and identifies it."""
    config = scale.config()
    from latentloom.pipeline.generation.planning.plan_job import plan_job

    return lambda: len(plan_job(config.generate, scale.data, scale.model, scale.out).digest)


def dry_run(scale: Scale) -> Work:
    """Forecasts the job, with the trial of a few seconds."""
    from latentloom.pipeline.generation.generate import forecast_job

    return lambda: forecast_job(scale.config(), scale.data, scale.model, scale.out).requested


def resume(scale: Scale) -> Work:
    """Runs the job again whose shards are all finished: plans, looks at them, completes."""
    from latentloom.pipeline.generation.generate import generate

    return lambda: len(generate(scale.config(), scale.data, scale.model, scale.out).manifest.shards)


def verify(scale: Scale) -> Work:
    """Verifies all but the records."""
    from latentloom.pipeline.verification import verify as module

    def work() -> int:
        with mock.patch.object(module, "_check_records", return_value=[]):
            found = module.verify(scale.out, None)
        if not found.ok:
            raise RuntimeError(f"{found.problems[:3]}")
        return 1

    return work


def inspect(scale: Scale) -> Work:
    """Describes the output."""
    from latentloom.pipeline.verification.describe import describe, find_changes

    return lambda: len(describe(scale.out)) + len(find_changes(scale.out))


STAGES = {
    "open": open_data,
    "plan": plan,
    "dry_run": dry_run,
    "resume": resume,
    "verify": verify,
    "inspect": inspect,
}


def sizes_of(scale: Scale) -> Iterator[tuple[str, int]]:
    """Yields names and bytes of the files that grow with shards or classes."""
    for folder in (scale.data, scale.out):
        for file in sorted(Path(folder).iterdir()) if os.path.isdir(folder) else ():
            if file.is_file() and ".tfrecord" not in file.name and file.stat().st_size > 1 << 16:
                yield str(file.relative_to(scale.folder)), file.stat().st_size


def _made(make: Callable[[Scale], None]) -> Callable[[Scale], Work]:
    def prepare(scale: Scale) -> Work:
        def work() -> int:
            make(scale)
            return scale.shards

        return work

    return prepare


MAKERS = {
    "make_data": _made(make_data),
    "make_bundle": _made(make_bundle),
    "make_reports": _made(make_reports),
}


def prepared(name: str, *words: str) -> Work:
    """Returns the work of a stage; the words are a room, a folder and sizes."""
    return (STAGES | MAKERS)[name](Scale(*words[1:]))


def main() -> None:
    """Makes the files, runs the stages, and prints what they took."""
    parser = arguments(__doc__)
    parser.set_defaults(repeats=1)
    parser.add_argument("--shards", default="12000")
    parser.add_argument("--images", default="100000000")
    parser.add_argument("--classes", default="1000")
    parser.add_argument("--record-bytes", default="16", help="at least 16, the frame of a record")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    options = parser.parse_args()
    if options.work:
        name, *words = options.work
        do_work({name: functools.partial(prepared, name)}, name, *words)
        return
    size = options.shards, options.images, options.classes, options.record_bytes
    with tempfile.TemporaryDirectory() as folder:
        words = (folder, *size)
        runs = run_works(options, [*MAKERS, *options.stages], *words)
        report(options, {"runs": runs, "bytes": dict(sizes_of(Scale(*words)))})


if __name__ == "__main__":
    main()
