"""Runs a study: every arm at every size with every seed, one file of figures per run."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import fmean

from latentloom.model_zoo.scaling import PIXELS
from latentloom.pipeline.config import Config
from latentloom.pipeline.config.ranges import SEEDS
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.sampling import choose
from latentloom.pipeline.storage.atomic_files import write_atomic
from latentloom.pipeline.storage.files import Location
from latentloom.pipeline.storage.output_directories import check_apart
from latentloom.pipeline.storage.run_marker import RunMarker
from latentloom.pipeline.study.arms import MORE_REAL, Arm, Run, parse_arm, plan_runs
from latentloom.pipeline.study.classifier import Downstream, MixedBatches, Scores
from latentloom.pipeline.study.generator_checks import check_generators, check_pools
from latentloom.pipeline.study.generators import check_given, file_name
from latentloom.pipeline.study.own_files import RESULTS, STUDY, STUDY_FILE
from latentloom.pipeline.study.samples import RealSample, StudyData, more_real
from latentloom.pipeline.study.subsets import draw_subset
from latentloom.pipeline.study.tie_auditor import Auditor
from latentloom.pipeline.study.ties import check_ties
from latentloom.pipeline.study.transforms import TRANSFORMS
from latentloom.pipeline.terminal.progress import Advance, ProgressDisplay, silent_display
from latentloom.pipeline.terminal.stops import kept_if_stopped

STOPPED = "Finished runs are kept. To go on, run the same command again, without --overwrite."
SEEDS_APART = 1000
"""Difference between the seeds of two classifiers of one run."""


@dataclass(frozen=True)
class Reading:
    """A pool of one size and seed, which the auditor of ties scores."""

    pool: str
    size: int | None
    seed: int


@dataclass(frozen=True)
class Results:
    """The results of a study.

    Attributes:
        runs: The figures of every run: `accuracy`, `cross_entropy`, `calibration_error`.
        readings: The figures of every pool if the label is tied: `count`, the number of examples
            off the ties, and `read`, the share of these that the auditor classifies as planned.
    """

    runs: dict[Run, Scores] = field(default_factory=dict)
    readings: dict[Reading, Scores] = field(default_factory=dict)


def run_study(config: Config, data: Location, out: Path, **options) -> Results:
    """Trains the classifiers of all arms: `studied` without a report.

    Takes the arguments of `studied` and raises its errors.

    Returns:
        The figures of every run, and of every pool if the label is tied.
    """
    with studied(config, data, out, **options) as results:
        return results


@contextlib.contextmanager
def studied(
    config: Config,
    data: Location,
    out: Path,
    *,
    generated: Path | None = None,
    model: Path | None = None,
    overwrite: bool = False,
    display: ProgressDisplay | None = None,
) -> Iterator[Results]:
    """Runs a study and holds its directory while the block reports on it.

    Trains the classifiers of all arms; skips runs that are finished in `out`.
    Without `generated` and `model`, trains a generator for every size and seed, on the real
    examples that the classifiers of that size and seed see. With one of them, uses all real
    examples and ignores the sizes.

    Args:
        config: The configuration; its section `study` applies.
        data: Data set directory with the splits `train` and `test`.
        out: Directory of the study.
        generated: Directory of examples generated from the whole training split. Excludes `model`.
        model: Directory of a bundle trained on the whole training split. Excludes `generated`.
        overwrite: Whether to replace the content of `out`.
        display: Where to show progress; nowhere by default.

    Yields:
        The figures of every run, and of every pool if the label is tied.

    Raises:
        ValueError: An arm is unknown, a class has too few examples, the test split is missing, or
            both `generated` and `model` are given.
        FileExistsError: `out` holds other files, or a study of another configuration.
    """
    given = {"--generated": generated, "--model": model}
    given = {name: path for name, path in given.items() if path is not None}
    if len(given) > 1:
        raise ValueError(
            "--generated and --model exclude each other. Expected: at most one of them. Received: "
            "both. Drop one."
        )
    check_apart(out, {"--data": data, **given})
    dataset = DatasetDir.open(data)
    _check_data(dataset)
    study = config.study
    arms = [parse_arm(name, tuple(study.pools)) for name in dict.fromkeys(study.arms)]
    sizes = [None] if given else study.sizes
    runs = list(plan_runs(arms, sizes, study.ratios, study.seeds))
    train, test = dataset.read("train"), dataset.read("test")
    test = choose(test, study.test_examples or len(test), 0, "study test")
    study_data = StudyData(config, dataset, train, test, given, out)
    _check_arms(study_data, arms, runs)
    marker = _marker(config, dataset, given, out)
    with kept_if_stopped(STOPPED), marker.held(STUDY, overwrite=overwrite):
        with (display or silent_display()).stage("study") as advance:
            results = _Study(study_data, advance, len(runs)).run_all(runs)
            advance(len(runs), len(runs))
        yield results


@dataclass(frozen=True)
class _Study:
    """A study in progress."""

    data: StudyData
    advance: Advance
    total: int
    results: Results = field(default_factory=Results)

    def run_all(self, runs: Sequence[Run]) -> Results:
        """Runs all runs in their order; runs of one size and seed must be adjacent."""
        study, dataset = self.data.config.study, self.data.dataset
        auditor = Auditor(
            self.data.train, dataset.manifest.factors, study.ties, study.auditor_steps
        )
        downstream = Downstream(
            self.data.test.observations.shape[1:], len(dataset.manifest.class_names), study
        )
        for (size, seed), group in groupby(runs, lambda run: (run.size, run.seed)):
            sample = RealSample(self.data, size, seed, self._teller(size, seed))
            for run in group:
                sample.remark(run.name)
                training = _training(sample, run, downstream)
                self.results.runs[run] = self._stored(sample, run.name, training)
            for pool in study.pools if study.ties else ():
                sample.remark(f"auditor of {pool}")
                figures = self._stored(sample, f"read {pool}", _reading(sample, pool, auditor))
                self.results.readings[Reading(pool, size, seed)] = figures
        return self.results

    def _teller(self, size: int | None, seed: int) -> Callable[[str], None]:
        about = f"{size or 'all'} a class, seed {seed}"
        return lambda what: self.advance(len(self.results.runs), self.total, f"{about}: {what}")

    def _stored(self, sample: RealSample, name: str, make: Callable[[], Scores]) -> Scores:
        """Reads figures from their file; makes and writes them if the file is missing."""
        path = self.data.out / RESULTS / f"{sample.name}_{file_name(name)}.json"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            write_atomic(path, json.dumps(make()) + "\n")
        return json.loads(path.read_text())


def _training(sample: RealSample, run: Run, downstream: Downstream) -> Callable[[], Scores]:
    """Returns a function that trains the classifiers of a run and returns their mean figures."""
    study = sample.data.config.study
    transform = TRANSFORMS[run.arm.transform] if run.arm.transform else None

    def train(seed: int) -> Scores:
        batches = MixedBatches(
            sample.base(run.arm),
            sample.mixed(run),
            run.ratio,
            downstream.classes,
            study,
            seed,
            transform(seed, study.flip) if transform else None,
        )
        return downstream.train_and_score(batches, sample.data.test, seed)

    def make() -> Scores:
        numbers = range(study.classifiers)
        seeds = [(sample.seed + SEEDS_APART * number) % SEEDS for number in numbers]
        found = [train(seed) for seed in seeds]
        return {name: fmean(figures[name] for figures in found) for name in found[0]}

    return make


def _reading(sample: RealSample, pool: str, auditor: Auditor) -> Callable[[], Scores]:
    return lambda: auditor.figures(sample.pools[pool])


def _check_arms(study_data: StudyData, arms: Sequence[Arm], runs: Sequence[Run]) -> None:
    """Checks arms, ties and data before anything is trained.

    Raises:
        ValueError: A class has too few examples, an arm is `untied` without ties, ties are set
            with given data, or given data do not fit the training split.
    """
    study, manifest = study_data.config.study, study_data.dataset.manifest
    check_ties(study.ties, manifest.factors)
    if study.ties and study_data.given:
        raise ValueError(
            "Ties need generators trained by the study. Expected: no --generated or --model. "
            f"Received: study.ties={study.ties} and {', '.join(study_data.given)}. Drop one."
        )
    if not study.ties and (untied := [arm.name for arm in arms if arm.untied]):
        raise ValueError(
            f"Arm '{untied[0]}' needs ties. Expected: factors in study.ties. "
            "Received: none. Declare the ties, or drop the arm."
        )
    check_given(study_data.config, study_data.dataset, study_data.given)
    check_pools(study_data)
    samples = list(dict.fromkeys((run.size, run.seed) for run in runs))
    if not study_data.given and (study.ties or {arm.pool for arm in arms} & set(study.pools)):
        check_generators(study_data, samples)
    for size, seed in samples:
        rows = study_data.draw_rows(size, seed)
        more = [more_real(r) for r in runs if r.arm.pool == MORE_REAL and r.size == size]
        if more:
            draw_subset(study_data.others(rows), max(more), seed)


def _check_data(dataset: DatasetDir) -> None:
    """Rejects a data set without a test split, without images, or with missing classes."""
    if not dataset.manifest.num_examples("test"):
        raise ValueError(
            f"Data set '{dataset.manifest.name}' has no test split. Expected: a split 'test'. "
            f"Received: splits {sorted(dataset.splits)}. Import it with one."
        )
    manifest, kind = dataset.manifest, dataset.observation_kind
    if manifest.observation != PIXELS.kind:
        raise ValueError(
            f"A study classifies images only. Expected: images. Received: '{manifest.name}' "
            f"of {kind.many} of shape {manifest.observation_shape}. Study another data set."
        )
    for split in ("train", "test"):
        found = [name for name, count in manifest.label_counts(split).items() if count]
        missing = sorted(set(manifest.class_names) - set(found))
        if missing or len(found) < 2:
            raise ValueError(
                f"Split '{split}' of '{manifest.name}' has too few classes. "
                f"Expected: examples of every class, two classes or more. Received: {len(found)} "
                f"of {len(manifest.class_names)} classes, without {missing or 'others'}. Import "
                "examples of these classes."
            )


def _marker(config: Config, dataset: DatasetDir, given: Mapping[str, Path], out: Path) -> RunMarker:
    """The marker of a study."""
    inputs = [dataset.manifest.digest, *(f"{name} {path}" for name, path in given.items())]
    tree = config.model_dump(exclude={"study": {"arms", "sizes", "seeds"}})  # these only add runs
    described = json.dumps([tree, inputs], sort_keys=True)
    digest = hashlib.sha256(described.encode()).hexdigest()
    return RunMarker(out, STUDY_FILE, {"digest": digest})
