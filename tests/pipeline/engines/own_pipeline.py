"""Somebody's own Beam pipeline: TFRecord files of examples in, TFRecord files of variants out."""

from __future__ import annotations

import argparse

import apache_beam as beam

from latentloom.beam import Augment, DonorBank
from latentloom.pipeline.generation.engines import Engine


def main() -> None:
    """Runs it on an engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("runner", "data", "bundle", "recipe", "out"):
        parser.add_argument(name)
    known, beam_args = parser.parse_known_args()
    with Engine(known.runner, beam_args).pipeline() as pipeline:
        examples = pipeline | beam.io.ReadFromTFRecord(f"{known.data}/*-train.tfrecord-*")
        donors = None
        if known.recipe == "swap_zu":
            donors = examples | DonorBank(known.bundle, known.recipe)
        augment = Augment(known.bundle, known.recipe, donors=donors, gate=False)
        made, bad = examples | augment.with_exception_handling()
        _ = made | "WriteMade" >> beam.io.WriteToTFRecord(f"{known.out}/made")
        told = bad | beam.Map(lambda letter: letter[1][1])
        _ = told | "WriteBad" >> beam.io.WriteToText(f"{known.out}/bad")


if __name__ == "__main__":
    main()
