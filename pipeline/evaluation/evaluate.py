"""The verb `evaluate`: measures a bundle on a data set and writes the figures as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.codec.compatibility import check_compatible
from latentloom.pipeline.config import Config, parse_config
from latentloom.pipeline.dataset.details import BundleDetails
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.held_out_cells import read_hold_out
from latentloom.pipeline.dataset.terciles import Terciles
from latentloom.pipeline.evaluation.bundle_report import compose
from latentloom.pipeline.evaluation.decoded.copies import draw_copies, measure_copies
from latentloom.pipeline.evaluation.decoded.fidelity import measure_fidelity
from latentloom.pipeline.evaluation.decoded.prior_draws import measure_prior
from latentloom.pipeline.evaluation.decoded.reconstruction import measure_reconstruction
from latentloom.pipeline.evaluation.decoded.variants import draw_sample, measure_variants
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.factors.axes import (
    FactorCodes,
    draw_factor_codes,
    measure_factor_codes,
)
from latentloom.pipeline.evaluation.factors.blocks import draw_blocks, measure_factors
from latentloom.pipeline.evaluation.folds import read_folds
from latentloom.pipeline.evaluation.latents.class_probes import measure_split
from latentloom.pipeline.evaluation.latents.class_split import (
    measure_information,
    measure_swap,
    measure_units,
)
from latentloom.pipeline.evaluation.latents.code_map import draw_map
from latentloom.pipeline.evaluation.latents.information import (
    CodeInformation,
    draw_code_information,
    measure_code_information,
)
from latentloom.pipeline.evaluation.latents.topics import (
    Topics,
    find_topics,
    measure_topics,
    topic_tables,
)
from latentloom.pipeline.evaluation.unseen.combinations import UnseenCombinations
from latentloom.pipeline.evaluation.unseen.full_model import load_full
from latentloom.pipeline.evaluation.unseen.recombined_cells import measure_unseen_cells
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.page import write_report
from latentloom.pipeline.report.schema import Report
from latentloom.pipeline.storage.files import Location, local_folder
from latentloom.pipeline.storage.output_directories import check_apart, claim_directory
from latentloom.pipeline.terminal.progress import Advance, ProgressDisplay, silent_display

STAGES = (
    *("probes", "swap", "decoder", "fidelity", "copies", "variants"),
    *("factors", "unseen cells", "axes", "information", "topics", "unseen combinations", "map"),
)


def evaluate(
    data: Location,
    model: Location,
    out: Path,
    *,
    full_model: Location | None = None,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    display: ProgressDisplay | None = None,
) -> Report:
    """Measures a bundle on examples it was not trained on; writes `evaluation.html` and `.json`.

    Args:
        data: Data set directory with a split `train`, which probes are trained on. Everything is
            scored on the split `test`, or without one on the validation share of `train`.
        model: Bundle directory. The configuration stored in it holds.
        out: Output directory.
        full_model: Bundle of the same recipe that was trained on the held-out cells, too, for the
            figures of unseen combinations.
        overrides: `section.key=value` settings of the sections `evaluate` and `generate`.
        overwrite: Whether to replace what is in `out`.
        display: Where to show progress; nowhere by default.

    Returns:
        The report.

    Raises:
        ValueError: Data, bundle and settings do not fit each other.
        FileExistsError: `out` holds something and `overwrite` was not given.
        FileNotFoundError: Data or bundle are missing.
    """
    dataset = DatasetDir.open(data)
    with local_folder(model) as folder:
        description = read_description(folder)
        check_compatible(dataset.manifest, description)
        config = stored_config(description, overrides)
        inputs = {"--data": data, "--model": model}
        inputs |= {"--full-model": full_model} if full_model is not None else {}
        check_apart(out, inputs)
        full = load_full(full_model, description) if full_model is not None else None
        bundle = load_bundle(folder)
    hold_out = read_hold_out(bundle.details, dataset.manifest.factors, dataset.manifest.name)
    folds = read_folds(dataset, config, hold_out)
    train, codec = folds.train, Codec(bundle)
    held_out = EncodedExamples.encode(codec, folds.scored, folds.name, config.generate.seed)
    terciles = Terciles.from_details(dataset.manifest.details)
    combinations = UnseenCombinations(
        codec, Codec(full) if full else None, folds, hold_out, terciles, config
    )
    claim_directory(out, overwrite=overwrite)
    with (display or silent_display()).stage("evaluate") as advance:
        factor_codes = FactorCodes.choose(held_out, config)
        information, topics = CodeInformation(held_out, config), find_topics(held_out, train)
        numbers = measure(
            held_out, factor_codes, information, topics, train, config, folds.unseen, advance
        )
        unseen = combinations.tabulate()
        advance(len(STAGES) - 1, len(STAGES), STAGES[-1])
        pictures = {"code_map": draw_map(held_out)} | draw_blocks(held_out, numbers)
        pictures |= draw_factor_codes(factor_codes) | draw_copies(held_out, train)
        pictures |= draw_code_information(information)
        report = compose(
            config=config,
            dataset=dataset,
            bundle=bundle,
            held_out=held_out,
            factor_codes=factor_codes,
            information=information,
            probe_examples=len(train),
            numbers=numbers,
            tables=topic_tables(topics),
            unseen_combinations=unseen,
            pictures=list(pictures),
        )
        write_report(out, report, pictures, "evaluation")
        advance(len(STAGES), len(STAGES))
    return report


def stored_config(description: Mapping[str, Any], overrides: Sequence[str]) -> Config:
    """The configuration in the description of a bundle, with overrides put into it.

    Raises:
        ValueError: An override is wrong, or would change what training did.
    """
    origin = "the configuration stored in the bundle"
    tree = BundleDetails.read(description["details"]).config
    config = parse_config(tree, origin, overrides)
    if config.run_settings() != parse_config(tree, origin).run_settings():
        raise ValueError(
            "An override changes what the bundle was trained with. Expected: settings of the "
            f"sections `evaluate` and `generate`. Received: --set {' '.join(overrides)}. Drop the "
            "others, or train another bundle."
        )
    return config


def measure(
    held_out: EncodedExamples,
    factor_codes: FactorCodes,
    information: CodeInformation,
    topics: Topics | None,
    train: Examples,
    config: Config,
    unseen: Mapping[str, Examples] | None = None,
    advance: Advance = lambda *_: None,
) -> list[Measure]:
    """Measures everything; the order of the examples makes no difference.

    Args:
        held_out: Encoded examples that everything is scored on.
        factor_codes: Codes of some of them, which are compared with the factors axis by axis.
        information: Posteriors of some of them, which tell what blocks and axes know.
        topics: Those of a model of words.
        train: Examples that probes are trained on.
        config: The configuration; its sections `evaluate` and `generate` decide.
        unseen: Examples of cells that were held out of training, by group.
        advance: Told about every stage.
    """
    codec, examples = held_out.codec, held_out.examples
    generate = config.generate.preserving_class(codec.spec)
    measurements = (
        lambda: measure_split(codec, train, examples, held_out.name, config.evaluate),
        lambda: measure_swap(held_out) + measure_information(held_out) + measure_units(held_out),
        lambda: measure_reconstruction(held_out) + measure_prior(held_out),
        lambda: measure_fidelity(held_out, train),
        lambda: measure_copies(held_out, train),
        lambda: measure_variants(draw_sample(codec, examples, generate, config.evaluate), examples),
        lambda: measure_factors(held_out, train, config),
        lambda: measure_unseen_cells(codec, train, unseen or {}, config),
        lambda: measure_factor_codes(factor_codes),
        lambda: measure_code_information(information),
        lambda: measure_topics(topics, held_out, train, config.evaluate),
    )
    numbers: list[Measure] = []
    for done, measurement in enumerate(measurements):
        advance(done, len(STAGES), STAGES[done])
        numbers += measurement()
    advance(len(measurements), len(STAGES), STAGES[len(measurements)])
    return numbers
