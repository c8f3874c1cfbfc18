"""Letters of known code: each factor is a band of pixels, and so is the style."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import ops

from latentloom.model_zoo.bundle import save_bundle
from latentloom.model_zoo.probability import tfd
from latentloom.model_zoo.registry import MODELS
from latentloom.pipeline.config import Config, parse_config
from latentloom.pipeline.dataset_dir import DatasetDir
from latentloom.pipeline.generation import generate
from latentloom.pipeline.importing import import_dataset
from latentloom.pipeline.training import train_bundle

BANDS = ("label", "ink", "back", "style")
COLOURS = ("blue", "green", "red")
NAMES = {"label": ("a", "b", "c"), "ink": COLOURS, "back": COLOURS}
STEP = 80  # pixel levels between values


class PixelBands(keras.Model):
    """Four bands of two rows each; a block is the level of its band. Nothing is learnt."""

    value_range = (0.0, 255.0)
    monitor = "val_loss"

    def __init__(self, image_shape, num_classes, *, class_probabilities=None):
        super().__init__()
        self.image_shape, self.num_classes = tuple(image_shape), num_classes
        self.idle = self.add_weight(shape=(), name="idle")
        self.built = True

    @property
    def latent_spec(self):
        return {name: {"dim": 1, "factors": [name] if name in NAMES else []} for name in BANDS}

    def encode(self, observations):
        return {
            name: ops.mean(observations[:, 2 * band : 2 * band + 2], axis=(1, 2))
            for band, name in enumerate(BANDS)
        }

    def decode(self, latents):
        bands = ops.concatenate([latents[name] for name in BANDS], axis=-1)
        rows = ops.repeat(bands, 2, axis=-1)[:, :, None, None]
        return ops.clip(rows, 0.0, 255.0) * ops.ones((1, 1, 8, 1))

    def posterior(self, observations):
        codes = self.encode(observations)
        return {
            name: tfd.MultivariateNormalDiag(code, ops.ones_like(code))
            for name, code in codes.items()
        }

    def class_scores(self, latents):
        return -ops.abs(
            latents["label"] - STEP * (ops.arange(self.num_classes, dtype="float32") + 0.5)[None]
        )

    def fitted_priors(self, latents, labels):
        return {
            name: {
                "weights": np.ones((1, 1), np.float32),
                "loc": block.mean(axis=0)[None, None],
                "scale": block.std(axis=0)[None, None],
            }
            for name, block in latents.items()
        }

    def call(self, observations, training=False):
        return self.encode(observations)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.square(self.idle) + 0.0 * ops.mean(y_pred["label"])


def letter_arrays(count: int = 120) -> dict[str, np.ndarray]:
    """Letters whose ink and background differ; no `c` has a blue background."""
    rng = np.random.default_rng(0)
    label, ink = np.arange(count) % 3, rng.integers(0, 3, count)
    back = (ink + rng.integers(1, 3, count)) % 3
    back = np.where((label == 2) & (back == 0), 3 - ink, back)
    style = rng.integers(0, 256, count)
    levels = [STEP * (values + 0.5) for values in (label, ink, back)]
    bands = np.stack([*levels, style], axis=1).astype(np.uint8)
    images = np.broadcast_to(np.repeat(bands, 2, axis=1)[:, :, None, None], (count, 8, 8, 1))
    factors = {"label": label, "ink": ink, "back": back}
    named = {name: np.array(NAMES[name])[values] for name, values in factors.items()}
    return {"images": images, "split": np.full(count, "train"), **named}


def exact_judge(network: keras.Model) -> None:
    """Gives a classifier the weights with which it reads all three factors without mistake."""
    hidden, logits = (layer for layer in network.layers if isinstance(layer, keras.layers.Dense))
    kernel, readout = np.zeros(hidden.kernel.shape), np.zeros(logits.kernel.shape)
    offset = np.zeros(logits.bias.shape)
    edges = np.array([STEP, 2 * STEP]) / 127.5 - 1  # between the levels of the values
    for band in range(3):
        pixels = slice(16 * band, 16 * band + 16)
        for sign in (1, -1):  # the level is the difference of its positive and negative part
            unit = 2 * band + (sign < 0)
            kernel[pixels, unit] = sign / 16
            readout[unit, 3 * band : 3 * band + 3] = np.array([-40, 0, 40]) * sign
        offset[3 * band : 3 * band + 3] = [40 * edges[0], 0, -40 * edges[1]]
    hidden.set_weights([kernel, np.zeros(hidden.bias.shape)])
    logits.set_weights([readout, offset])


def letters_config(*overrides: str) -> Config:
    """The configuration of a bundle of letters and of recombinations of them."""
    tree = {
        "data": {"validation_share": 0.1},
        "model": {"name": "pixel_bands"},
        "train": {"epochs": 1},
        "judge": {"epochs": 1},
        "generate": {"recipe": "recombine_factors", "per_cell": 6, "differ": [["ink", "back"]]},
        "evaluate": {"anchors": 40, "variants": 3, "probe_examples": 60},
    }
    return parse_config(tree, "the letters", overrides)


@functools.cache
def letters_data(shards: int = 3) -> Path:
    """The letters in so many shards."""
    folder = Path(tempfile.mkdtemp(prefix="latentloom-test-")) / f"letters{shards}"
    np.savez(folder.with_suffix(".npz"), **letter_arrays())  # type: ignore[arg-type]
    source = f"npz:{folder.with_suffix('.npz')}"
    import_dataset(source, folder, name="letters", shards=shards)
    return folder


@functools.cache
def letters_bundle(*overrides: str) -> Path:
    """A bundle whose judges read all three factors; trained as any other, then made exact."""
    MODELS["pixel_bands"] = PixelBands
    folder = Path(tempfile.mkdtemp(prefix="latentloom-test-")) / "bundle"
    bundle = train_bundle(letters_config(*overrides), letters_data(), folder)
    for judge in (bundle.judge, bundle.auditor):
        exact_judge(judge)
    save_bundle(bundle, folder)
    return folder


def make(out: Path, *overrides: str, shards: int = 3, **options) -> DatasetDir:
    """Runs `generate` on the letters."""
    config = letters_config(*overrides)
    return generate(config, letters_data(shards), letters_bundle(), out, **options)
