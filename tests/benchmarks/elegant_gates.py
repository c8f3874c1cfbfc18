"""The gates of ELEGANT on images with overlays, whose pixels are known: bundles side by side.

Of test images only. Anchors get one attribute from a donor of the other value; the auditor reads
every factor of the result. Prints a row of Markdown for each figure, a column for each bundle, and
what the anchor unchanged and the donor itself would reach in its place.

    latentloom import builtin:letters runs/overlaid --overlays frame,bar
    latentloom train configs/elegant_letters.yaml --data runs/overlaid --out runs/elegant_0
    python tests/benchmarks/elegant_gates.py --data runs/overlaid --models runs/elegant_*

With `--judges BUNDLE` its auditor reads the images of all, so that settings are compared by one
auditor, and their own judges need few steps:

    latentloom train configs/elegant_letters.yaml --data runs/overlaid --out runs/cir_0 \
        --set model.args.cir_weight=0.5 --set judge.steps=5
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from latentloom.augment import Latents
from latentloom.model_zoo.bundle import Bundle, load_bundle
from latentloom.model_zoo.metrics.pixels import mean_squared_error
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.evaluation.latents.class_split import partners
from latentloom.pipeline.generation.worker.codec_worker import limit_threads
from latentloom.pipeline.importing.overlays import OVERLAYS

Figures = dict[str, float]
AUDITOR = ("auditor", "auditor_network", "auditor_temperatures", "judge_width", "judge_factors")
"""Fields of a bundle that belong to its auditor."""


def with_auditor_of(bundle: Bundle, other: Bundle) -> Bundle:
    """Returns a bundle with the auditor of another one."""
    return replace(bundle, **{name: getattr(other, name) for name in AUDITOR})


def change_of(images: np.ndarray, others: np.ndarray) -> float:
    """Mean squared difference, of `[-1, 1]`."""
    return mean_squared_error(images, others) / 127.5**2


def looks(made: np.ndarray, donors: np.ndarray, others: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute difference to the donor in a mask over that to another donor."""
    near, far = (
        np.abs(made[:, mask].astype(np.float32) - each[:, mask]).mean() for each in (donors, others)
    )
    return float(near / max(far, 1e-9))


class Gates:
    """Figures of one bundle on test images.

    Args:
        codec: The codec of a bundle.
        test: Test images with the factors `label` and the attributes.
        seed: Seed of the pairs.
    """

    def __init__(self, codec: Codec, test: Examples, seed: int = 0):
        self.codec, self.test = codec, test
        self.codes = codec.encode(test.observations)
        self.names = [name for name in OVERLAYS if name in test.factors]
        sides = test.observations.shape[1:3]
        self.masks = {name: OVERLAYS[name](*sides) for name in self.names}
        keys = np.random.default_rng(seed).integers(0, 1 << 63, len(test), np.uint64)
        self.donors = {
            name: partners(test.factors[name], keys ^ np.uint64(place))
            for place, name in enumerate(self.names)
        }

    def read(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Values of every factor as the auditor reads them."""
        found = self.codec.judge_factors(images, "auditor")
        return {name: scores.argmax(axis=-1) for name, scores in found.items()}

    def blended(self, name: str, share: float) -> Latents:
        """Codes with a share of the donor's block."""
        own, given = self.codes[name], self.codes[name][self.donors[name]]
        return self.codes | {name: ((1 - share) * own + share * given).astype(np.float32)}

    def decode(self, codes: Latents) -> np.ndarray:
        """Decodes codes to images."""
        return self.codec.render({name: codes[name] for name in self.codec.spec.names})[0]

    def of_attribute(self, name: str, images: np.ndarray) -> dict:
        """Shares that the auditor reads right in images that got an attribute."""
        wanted = dict(self.test.factors) | {name: self.test.factors[name][self.donors[name]]}
        right = {each: found == wanted[each] for each, found in self.read(images).items()}
        others = [right[each] for each in self.names if each != name]
        return {
            f"donor's {name} read": right[name].mean(),
            f"others kept, {name} exchanged": min(map(np.mean, others), default=1.0),
            f"label kept, {name} exchanged": right["label"].mean(),
            f"all right, {name} exchanged": np.mean(np.all(list(right.values()), axis=0)),
        }

    def changes(self, name: str, images: np.ndarray) -> Figures:
        """Looks where the attribute was added, and changes outside it."""
        real, values = self.test.observations, self.test.factors[name]
        added, donors = np.flatnonzero(values == 0), self.donors[name]
        others, outside = np.roll(donors[added], 1), ~self.masks[name]
        taken = np.flatnonzero(values == 1)
        return {
            f"looks, {name} added": looks(
                images[added], real[donors[added]], real[others], self.masks[name]
            ),
            f"outside, {name} added": change_of(images[added][:, outside], real[added][:, outside]),
            f"outside, {name} taken off": change_of(
                images[taken][:, outside], real[taken][:, outside]
            ),
        }

    def leak(self, name: str, share: float) -> float:
        """Error of the other blocks, encoded again, over twice their variance."""
        again = self.codec.encode(self.decode(self.blended(name, share)))
        others = [each for each in self.names if each != name]
        errors = [
            np.mean(np.square(again[each] - self.codes[each]))
            / (2 * np.mean(np.var(self.codes[each], axis=0)))
            for each in others
        ]
        return float(np.mean(errors))

    def both(self) -> float:
        """Share right in every factor with all attributes from donors of their own."""
        codes, wanted = dict(self.codes), dict(self.test.factors)
        for name in self.names:
            codes[name] = self.codes[name][self.donors[name]]
            wanted[name] = wanted[name][self.donors[name]]
        read = self.read(self.decode(codes))
        return float(np.mean(np.all([read[name] == wanted[name] for name in read], axis=0)))

    def figures(self) -> Figures:
        """All figures of the bundle."""
        real = self.test.observations
        read = self.read(real)
        found = {f"auditor on real: {n}": np.mean(read[n] == self.test.factors[n]) for n in read}
        for name in self.names:
            images = self.decode(self.blended(name, 1.0))
            found |= self.of_attribute(name, images) | self.changes(name, images)
            half = self.read(self.decode(self.blended(name, 0.5)))
            kept = [half[n] == self.test.factors[n] for n in half if n != name]
            found[f"half way, others read, {name}"] = np.mean(np.all(kept, axis=0))
            found[f"leak half way, {name}"] = self.leak(name, 0.5)
            found[f"leak, {name} exchanged"] = self.leak(name, 1.0)
        found["both from two donors, all right"] = self.both()
        found["reconstruction"] = change_of(self.decode(self.codes), real)
        return {name: float(figure) for name, figure in found.items()}

    def control(self, use_donor: bool) -> Figures:
        """The figures of the anchor unchanged, or of the donor itself, in place of the result."""
        real, found = self.test.observations, {}
        for name in self.names:
            images = real[self.donors[name]] if use_donor else real
            found |= self.of_attribute(name, images) | self.changes(name, images)
        return {name: float(figure) for name, figure in found.items()}


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--judges", type=Path, help="bundle whose auditor reads the images of all")
    parser.add_argument("--anchors", type=int, default=1000)
    args = parser.parse_args()
    limit_threads(1)
    test = DatasetDir.open(args.data).read("test")
    test = test.take(np.arange(min(args.anchors, len(test)))).loaded()
    bundles = [load_bundle(model) for model in args.models]
    if args.judges:
        bundles = [with_auditor_of(bundle, load_bundle(args.judges)) for bundle in bundles]
    gates = [Gates(Codec(bundle), test) for bundle in bundles]
    columns = [each.figures() for each in gates]
    columns += [gates[0].control(use_donor) for use_donor in (False, True)]
    heads = ["figure", *(model.name for model in args.models), "anchor unchanged", "donor itself"]
    print("|", " | ".join(heads), "|\n|" + "---|" * len(heads))
    for name in columns[0]:
        cells = [f"{found[name]:.4f}" if name in found else "-" for found in columns]
        print("|", " | ".join([name, *cells]), "|", flush=True)


if __name__ == "__main__":
    main()
