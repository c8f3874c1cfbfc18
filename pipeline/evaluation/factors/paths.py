"""Measures paths between two codes of a block, which lead from one value of a factor to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentloom.augment import Latents, identity_keys
from latentloom.pipeline.codec.codec import Codec
from latentloom.pipeline.config import Config
from latentloom.pipeline.dataset.examples import Examples
from latentloom.pipeline.dataset.sampling import sample
from latentloom.pipeline.report.measure import Measure

PLACES = np.linspace(0, 1, 11, dtype=np.float32)
"""Places on a path, from its start to its end."""
INNER = slice(1, -1)
"""Places between start and end."""
MOST_PATHS = 500
"""Most paths per block."""
FIGURES = {
    "others": (
        "other factors kept",
        "Share that the auditor classifies as at the start, {between}.",
    ),
    "confidence": (
        "confidence",
        "The auditor's largest probability of a {factor}, {between}.",
    ),
    "middle": (
        "mid-points of a value",
        "Share of mid-points {between} with a largest probability of at least {least:g}.",
    ),
    "steps": (
        "steps towards the end",
        "Share of steps {between} that change the decoded image towards the second image.",
    ),
    "shift": (
        "shift of other blocks",
        "Mean squared change of the other blocks, encoded again, {between}; 1 for two unrelated "
        "examples.",
    ),
}
"""Name and meaning of each figure."""


@dataclass(frozen=True)
class Paths:
    """Paths of one block with all other blocks fixed, decoded and encoded again.

    Attributes:
        block: The block that moves from the code of one example to the code of another.
        name: Factor of the block; the two examples have different values of it.
        factors: The factors of the examples at the start.
        latents: Codes of the examples at the start.
        observations: The decoded images, places first: `(11, n, ...)`.
        found: Codes of the decoded images, places first.
        read: The auditor's probabilities of every judged factor, `(11, n, values)`.
    """

    block: str
    name: str
    factors: dict[str, np.ndarray]
    latents: Latents
    observations: np.ndarray
    found: Latents
    read: dict[str, np.ndarray]


def measure_paths(codec: Codec, test: Examples, config: Config) -> list[Measure]:
    """Measures the images decoded between two codes of one block, with all other blocks fixed.

    A path leads in ten steps from an example to one with another value of the factor. Ge et al.,
    WACV 2023, interpolate in training to make blocks convex; these figures measure the result.

    Args:
        codec: The codec of a bundle.
        test: Examples that the model was not trained on.
        config: The configuration; sections `generate` and `evaluate` apply.
    """
    most = min(MOST_PATHS, config.evaluate.anchors)
    hosts = sample(test, most, config.generate.seed, "paths", of_each=1 + len(PLACES))
    latents = codec.encode(hosts.observations)
    least = config.generate.gate.build()
    measures = []
    for block in codec.spec:
        for name in block.factors[:1]:
            starts, ends = draw_ends(hosts, name, config.generate.seed)
            if name in codec.bundle.judge_sizes and len(starts):
                paths = walk(codec, hosts, latents, (block.name, name), (starts, ends))
                measures += _measures(codec, paths, least.threshold(name))
    return measures


def draw_ends(hosts: Examples, name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of start examples, and rows of end examples with another value of the factor."""
    order = np.argsort(identity_keys(seed, f"path {name}", hosts.ids), kind="stable")
    ends = np.empty(len(hosts), np.int64)
    ends[order] = np.roll(order, 1)
    starts = np.flatnonzero(hosts.factors[name] != hosts.factors[name][ends])
    return starts, ends[starts]


def walk(
    codec: Codec,
    hosts: Examples,
    latents: Latents,
    of: tuple[str, str],
    rows: tuple[np.ndarray, np.ndarray],
) -> Paths:
    """Decodes the paths of a block and its factor from start rows to end rows."""
    (block, name), (starts, ends) = of, rows
    weights = np.repeat(PLACES, len(starts))[:, None]
    codes = {other: np.tile(code[starts], (len(PLACES), 1)) for other, code in latents.items()}
    codes[block] = (1 - weights) * codes[block] + weights * np.tile(
        latents[block][ends], (len(PLACES), 1)
    )
    images = codec.render_factors(codes)[0]

    def by_place(column: np.ndarray) -> np.ndarray:
        return column.reshape(len(PLACES), len(starts), *column.shape[1:])

    return Paths(
        block=block,
        name=name,
        factors={other: values[starts] for other, values in hosts.factors.items()},
        latents={other: code[starts] for other, code in latents.items()},
        observations=by_place(images),
        found={other: by_place(code) for other, code in codec.encode(images).items()},
        read={other: by_place(p) for other, p in codec.judge_factors(images, "auditor").items()},
    )


def kept_share(codec: Codec, paths: Paths) -> float | None:
    """Share of other factors that the auditor classifies as at the start; None without others."""
    others = [name for name in paths.read if name != paths.name and codec.spec.carriers(name)]
    kept = [paths.read[o][INNER].argmax(axis=-1) == paths.factors[o] for o in others]
    return float(np.mean(kept)) if kept else None


def steady_share(images: np.ndarray) -> float:
    """Share of steps that advance in the direction from start to end.

    Args:
        images: The decoded images, places first.

    Returns:
        A share in `[0, 1]`; 1 if every image is further along that direction than the one before.
    """
    return float(np.mean([_advances(path) for path in np.swapaxes(images, 0, 1)]))


def _advances(path: np.ndarray) -> np.ndarray:
    """Returns for each step of one path whether it advances."""
    pixels = path.reshape(len(path), -1).astype(np.float32)
    return np.diff(pixels, axis=0) @ (pixels[-1] - pixels[0]) > 0


def shift_of_others(paths: Paths) -> float | None:
    """Mean squared change of the other blocks on a path; 1 for two unrelated examples.

    The change is relative to the code of the image decoded at the start, so the error of decoding
    does not count. None for a code of one block.
    """
    others = [name for name in paths.found if name != paths.block]
    shifts = [
        np.mean(np.square(paths.found[o][INNER] - paths.found[o][0]))
        / max(2 * float(np.mean(paths.latents[o].var(axis=0))), 1e-12)
        for o in others
    ]
    return float(np.mean(shifts)) if shifts else None


def _measures(codec: Codec, paths: Paths, least: float) -> list[Measure]:
    """The figures of `FIGURES`; a mid-point needs a probability of `least`."""
    sure, middle = paths.read[paths.name].max(axis=-1), len(PLACES) // 2
    middles = Measure.of_share(sure[middle] >= least, name="")
    values = {
        "others": kept_share(codec, paths),
        "confidence": float(sure[INNER].mean()),
        "middle": middles.value,
        "steps": steady_share(paths.observations),
        "shift": shift_of_others(paths),
    }
    between = f"between two codes of {paths.block} of different {paths.name}"
    return [
        Measure(
            name=f"Path of {paths.name}: {what}",
            key=f"path/{paths.name}/{key}",
            value=values[key],
            n=middles.n,
            interval=middles.interval if key == "middle" else None,
            better="lower" if key == "shift" else "higher",
            meaning=meaning.format(between=between, factor=paths.name, least=least),
        )
        for key, (what, meaning) in FIGURES.items()
    ]
