"""Generated examples of a study, by generators trained on its real examples alone."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from latentloom.model_zoo.bundle import read_description
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.details import BundleDetails, DataIdentity, GeneratedDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.manifest import MANIFEST_FILE
from latentloom.pipeline.evaluation.variants_report import report_on
from latentloom.pipeline.generation.generate import generated
from latentloom.pipeline.study.subsets import write_subset
from latentloom.pipeline.terminal.progress import silent_display
from latentloom.pipeline.training.train import train_bundle

logger = logging.getLogger(__name__)

Remark = Callable[[str], None]


def make_pools(
    config: Config, source: DatasetDir, real: Examples, seed: int, folder: Path, remark: Remark
) -> dict[str, Examples]:
    """Trains a generator on real examples and generates every pool; a rerun skips finished steps.

    Args:
        config: The configuration; `train.seed` and `generate.seed` are replaced.
        source: The data set of the real examples.
        real: The real examples.
        seed: Seed of generator and pools.
        folder: Folder for data, bundle and pools of this size and seed.
        remark: Called with the name of every step.

    Returns:
        The generated examples by pool.
    """
    data, bundle = folder / "data", folder / "bundle"
    if not (data / MANIFEST_FILE).exists():
        write_subset(source, real, data, seed)
    seeded = scaled(config, len(real), seed)
    remark("training the generator")
    train_bundle(seeded, data, bundle, resume=True, display=silent_display())
    return generate_pools(seeded, data, bundle, folder, remark)


def generate_pools(
    config: Config, data: Path, bundle: Path, folder: Path, remark: Remark
) -> dict[str, Examples]:
    """Generates every pool with its report; reads pools that are finished."""
    pools = {}
    for name, changes in config.study.pools.items():
        out = folder / file_name(name)
        measured = config.evaluate.model_copy(update={"accuracy_steps": 0})  # the study's own task
        changed = config.model_copy(
            update={"generate": config.generate.changed(changes), "evaluate": measured}
        )
        if not (out / "report.html").exists():
            remark(f"generating {name}")
            with generated(changed, data, bundle, out):
                report_on(changed, data, bundle, out)
        made = DatasetDir.open(out)
        counts = made.manifest.label_counts("train")
        if missing := [label for label, count in counts.items() if not count]:
            logger.warning("%s: the gate rejected every example of %s.", out, ", ".join(missing))
        pools[name] = made.read("train")
    return pools


def scaled(config: Config, count: int, seed: int) -> Config:
    """The configuration with a seed, and with epochs for the training steps of the study."""
    tree, study = config.model_dump(), config.study
    for section, steps, examples in (
        ("train", study.generator_steps, count),
        ("judge", study.judge_steps, count // 2),
    ):
        batch_size = min(tree[section]["batch_size"], max(1, examples))
        per_epoch = max(1, math.ceil(examples / batch_size))
        epochs = math.ceil(steps / per_epoch)
        tree[section] |= {"batch_size": batch_size, "epochs": epochs, "steps": None}
    tree["train"]["minutes"] = tree["judge"]["minutes"] = None
    tree["train"]["seed"] = tree["generate"]["seed"] = seed
    tree["generate"]["variants_per_example"] = math.ceil(max(study.ratios))
    return Config.model_validate(tree)


def given_pools(
    config: Config,
    source: DatasetDir,
    folder: Path,
    given: Mapping[str, Path],
    remark: Remark,
) -> dict[str, Examples]:
    """Reads given generated examples, or generates every pool with a given bundle.

    Args:
        config: The configuration.
        source: The data set; the generator was trained on its whole training split.
        folder: Folder for the pools of the bundle.
        given: `--generated`, a directory of generated examples, the only pool of the study; or
            `--model`, a bundle directory, which generates every pool.
        remark: Called with the name of every step.
    """
    if "--generated" in given:
        made = DatasetDir.open(given["--generated"]).read("train")
        return dict.fromkeys(config.study.pools, made)
    return generate_pools(config, Path(source.path), given["--model"], folder, remark)


def check_given(config: Config, source: DatasetDir, given: Mapping[str, Path]) -> None:
    """Rejects a bundle or generated examples that may have seen more than the training split.

    Raises:
        ValueError: The bundle or the examples come from other data, the examples lack a class, or
            the study has several pools for one directory.
    """
    if "--model" in given:
        details = BundleDetails.read(read_description(given["--model"])["details"])
        _check_trained_on(f"Bundle '{given['--model']}'", details.data, source)
    if "--generated" not in given:
        return
    if len(config.study.pools) != 1:
        raise ValueError(
            "--generated gives one pool. Expected: one pool. Received: study.pools "
            f"{', '.join(config.study.pools)}. Keep one, or pass --model instead of --generated."
        )
    made = DatasetDir.open(given["--generated"])
    if made.manifest.kind != "generated":
        raise ValueError(
            f"'{made.path}' holds no generated examples. Expected: the output of `latentloom "
            f"generate`. Received: kind={made.manifest.kind}. Pass its directory."
        )
    known = {shard.sha256 for shard in source.shards("train")}
    if unknown := set(made.manifest.source["shards"]) - known:
        raise ValueError(
            f"'{made.path}' was not generated from the training split of '{source.path}' alone. "
            f"Expected: its shards. Received: {len(unknown)} others, which may hold test examples. "
            "Generate from that split."
        )
    trained_on = GeneratedDetails.read(made.manifest.details).trained_on
    _check_trained_on(f"The model of '{made.path}'", trained_on, source)
    counts = made.manifest.label_counts("train")
    if missing := [name for name, count in counts.items() if not count]:
        raise ValueError(
            f"'{made.path}' lacks classes, so mixing it would shift the class frequencies. "
            f"Expected: examples of every class. Received: none of {missing}. "
            "Generate some, or lower `generate.gate.min_confidence` if the gate rejected them."
        )


def _check_trained_on(what: str, trained_on: DataIdentity | None, source: DatasetDir) -> None:
    expected = source.manifest.digest
    if not trained_on or trained_on.digest != expected:
        found = f"'{trained_on.name}', {trained_on.digest[:12]}" if trained_on else "nothing"
        raise ValueError(
            f"{what} was not trained on '{source.path}', so it may have seen test examples. "
            f"Expected: the data set with digest {expected[:12]}. Received: {found}. Train on "
            "this data set; training uses only its split 'train'."
        )


def file_name(name: str) -> str:
    """The name of a pool or an arm as part of a path."""
    return name.replace(" ", "_")
