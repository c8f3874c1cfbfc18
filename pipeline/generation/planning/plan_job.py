"""Checks that recipe, data and bundle fit, and divides the quotas among the shards."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.augment import find_recipe, share_out_classes
from latentloom.model_zoo.bundle import read_description
from latentloom.model_zoo.priors_file import read_priors
from latentloom.model_zoo.realism_file import read_realism
from latentloom.pipeline.codec.compatibility import check_compatible
from latentloom.pipeline.codec.detail import check_detail
from latentloom.pipeline.codec.realism import check_realism
from latentloom.pipeline.codec.spec import spec_of
from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.dataset.class_counts import ClassCounts, add_up
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.held_out_cells import read_hold_out
from latentloom.pipeline.dataset.known_names import check_generate_names
from latentloom.pipeline.dataset.writing import shard_file
from latentloom.pipeline.generation.engines import IN_PROCESS, Engine
from latentloom.pipeline.generation.job import GenerationJob, ShardTask, output_name
from latentloom.pipeline.generation.planning.cell_counts import count_by_cell, count_classes
from latentloom.pipeline.generation.planning.class_quotas import class_quotas
from latentloom.pipeline.generation.planning.factor_plan import plan_factors
from latentloom.pipeline.generation.planning.slices import Slice, cut
from latentloom.pipeline.storage.files import local_folder


def plan_job(
    settings: GenerateConfig,
    data: str,
    model: str,
    out: str,
    engine: Engine = IN_PROCESS,
) -> GenerationJob:
    """Checks that recipe, data and bundle fit, and divides the quotas among the shards.

    If the factors of a variant come from several examples, a first Beam graph counts the cells.

    Raises:
        ValueError: Recipe, data and bundle do not fit, or a class lacks examples for its quota.
        FileNotFoundError: The data or the bundle are missing.
    """
    find_recipe(settings.recipe).resolve(settings.options)
    dataset = DatasetDir.open(data)
    with local_folder(model) as folder:
        description = read_description(folder)
        priors, realism = read_priors(folder, description), read_realism(folder, description)
    manifest = dataset.manifest
    check_compatible(manifest, description)
    check_generate_names(settings, manifest.factors)
    check_detail(settings.detail, dataset.observation_kind)
    if settings.gate.realism:
        check_realism(realism)
    _check_split(dataset, settings.split)
    hold_out = read_hold_out(description["details"], manifest.factors, manifest.name)
    slices = cut(dataset.shards(settings.split), settings.slice_records)
    counts = count_classes(dataset, settings.split, slices, out, hold_out, engine)
    tasks = share_quotas(settings, dataset, slices, counts)
    plan = plan_factors(
        settings,
        manifest.factors,
        spec_of(description["latent_spec"], priors),
        description.get("judge_factors", ["label"]),
        lambda factors: count_by_cell(
            dataset, settings.split, slices, factors, out, hold_out, engine
        ),
    )
    return GenerationJob(
        data=data,
        model=model,
        out=out,
        settings=settings,
        bundle_digest=description["digest"],
        tasks=tasks,
        plan=plan,
        hold_out=hold_out,
        trained_on=BundleDetails.read(description["details"]).data,
    )


def _check_split(dataset: DatasetDir, split: str) -> None:
    if not sum(shard.records for shard in dataset.shards(split)):
        raise ValueError(
            f"Split '{split}' of data set '{dataset.manifest.name}' is empty. Expected: examples "
            f"to make variants of. Received: generate.split={split}, 0 records. Name another split "
            "or import some."
        )


def share_quotas(
    settings: GenerateConfig,
    dataset: DatasetDir,
    slices: Sequence[Slice],
    counts: Sequence[Sequence[int]],
) -> tuple[ShardTask, ...]:
    """Divides the quotas of the classes among the slices.

    Args:
        settings: Section `generate` of the configuration.
        dataset: The data set directory.
        slices: The slices of its split, one per output shard.
        counts: Examples of each class in each slice.

    Raises:
        ValueError: A class lacks examples or donors for its quota.
    """
    manifest, shards = dataset.manifest, dataset.shards(settings.split)
    totals = add_up(counts, len(manifest.class_names))
    quotas = class_quotas(dict(zip(manifest.class_names, totals.tolist(), strict=True)), settings)
    asked = np.array([quotas.get(name, 0) for name in manifest.class_names])
    shares = share_out_classes(asked, totals, map(np.asarray, counts))
    name = output_name(manifest, settings)
    return tuple(
        ShardTask(
            index=index,
            source=shards[part.shard].file,
            sha256=shards[part.shard].sha256,
            start=part.start,
            stop=part.stop,
            class_counts=counts[index],
            quotas=ClassCounts(of_slice),
            file=shard_file(name, settings.split, index, len(slices)),
        )
        for index, (part, of_slice) in enumerate(zip(slices, shares, strict=True))
    )
