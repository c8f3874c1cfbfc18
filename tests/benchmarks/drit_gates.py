"""The gates of translation between domains: bundles side by side, by one auditor.

Of test images only. Prints a row of Markdown for each figure and a column for each bundle: how well
the auditor reads real images and reconstructions; class kept and domain reached in each direction,
in drawn looks and in those of donors; how far content drifts; what blocks tell.

    latentloom import builtin:letters runs/renderings --domains plain,colour
    latentloom train configs/drit_letters.yaml --data runs/renderings --out runs/drit_0
    python tests/benchmarks/drit_gates.py --data runs/renderings --models runs/drit_*

With `--judges BUNDLE` its auditor reads the images of all, so that settings are compared by one
auditor, and their own judges need few steps:

    latentloom train configs/drit_letters.yaml --data runs/renderings --out runs/squared \
        --set model.args.squared_weight=10 --set judge.steps=5
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from elegant_gates import change_of, with_auditor_of

from latentloom.model_zoo.bundle import load_bundle, read_description
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.held_out_cells import read_hold_out
from latentloom.pipeline.evaluation.context import EvaluationContext
from latentloom.pipeline.evaluation.encoded_examples import EncodedExamples
from latentloom.pipeline.evaluation.evaluate import stored_config
from latentloom.pipeline.evaluation.factors.blocks import measure_blocks
from latentloom.pipeline.evaluation.factors.domain_translation import measure_translation, weakest
from latentloom.pipeline.evaluation.factors.translations import translations
from latentloom.pipeline.evaluation.folds import read_folds
from latentloom.pipeline.generation.worker.codec_worker import limit_threads
from latentloom.pipeline.report.measure import Measure

Figures = dict[str, float]


def context_of(model: Path, data: DatasetDir, judges: Path | None, anchors: int):
    """The context of an evaluation, with the auditor of another bundle if there is one."""
    bundle = load_bundle(model)
    if judges:
        bundle = with_auditor_of(bundle, load_bundle(judges))
    overrides = [f"evaluate.anchors={anchors}"]
    config, codec = stored_config(read_description(model), overrides), Codec(bundle)
    hold_out = read_hold_out(bundle.details, data.manifest.factors, data.manifest.name)
    folds = read_folds(data, config, hold_out)
    encoded = EncodedExamples.encode(codec, folds.scored, folds.name, config.generate.seed)
    return EvaluationContext(encoded, folds, data.manifest, config, hold_out)


def of_reconstructions(encoded: EncodedExamples) -> Iterator[tuple[str, float]]:
    """What the auditor reads of real images and of their reconstructions, by domain."""
    real = encoded.examples.observations
    made = encoded.decode(encoded.latents)
    yield "reconstruction, mean squared", change_of(made, real)
    (domain,) = (name for name in encoded.examples.factors if name != "label")
    for name, images in (("real", real), ("reconstructed", made)):
        right = encoded.audit(images) == encoded.labels
        yield f"label read, {name}", right.mean()
        for code, value in enumerate(encoded.codec.bundle.factors[domain]):
            chosen = encoded.examples.factors[domain] == code
            yield f"label read, {name} {value}", right[chosen].mean()


def figures(context: EvaluationContext) -> Figures:
    """All figures of a bundle."""
    measures: list[Measure] = []
    for made in translations(context):
        measures += measure_translation(context.encoded, made)
    measures = [*weakest(measures), *measures]
    measures += measure_blocks(context.encoded, context.train, context.config)
    shown = {each.name: each.value for each in measures if each.value is not None}
    return dict(of_reconstructions(context.encoded)) | shown


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--judges", type=Path, help="bundle whose auditor reads the images of all")
    parser.add_argument("--anchors", type=int, default=500)
    args = parser.parse_args()
    limit_threads(1)
    data = DatasetDir.open(args.data)
    contexts = (context_of(model, data, args.judges, args.anchors) for model in args.models)
    columns = [figures(context) for context in contexts]
    print("|", " | ".join(["figure", *(model.name for model in args.models)]), "|")
    print("|" + "---|" * (len(columns) + 1))
    for name in columns[0]:
        cells = [f"{found[name]:.4f}" if name in found else "-" for found in columns]
        print("|", " | ".join([name, *cells]), "|", flush=True)


if __name__ == "__main__":
    main()
