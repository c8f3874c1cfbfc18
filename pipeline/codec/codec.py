"""Encodes, decodes and judges observations with the compiled functions of a bundle.

An argument `images` may hold any kind of observation, as stored: images are uint8
`(n, height, width, channels)`, vectors float32 `(n, features)`, counts int32 `(n, words)`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from keras import ops

from latentloom.augment import Latents, LatentSpec
from latentloom.model_zoo.bundle import Bundle
from latentloom.model_zoo.contract import HasClassPrior, HasTopics
from latentloom.model_zoo.metrics.posteriors import Posteriors
from latentloom.pipeline.codec.batching import Batched, Gathered
from latentloom.pipeline.codec.densities import read_posteriors
from latentloom.pipeline.codec.judges import Judges, image_row
from latentloom.pipeline.codec.model_functions import DETAIL, JUDGE_FEATURES, ModelFunctions
from latentloom.pipeline.codec.realism import Realism
from latentloom.pipeline.codec.spec import spec_of
from latentloom.pipeline.observations import KINDS, Kind


class Codec:
    """Encodes, decodes and judges whole arrays with the model and the judges of a bundle.

    Results for a row do not depend on the rows beside it.

    Args:
        bundle: The loaded bundle.
    """

    def __init__(self, bundle: Bundle):
        self.bundle, self.judges = bundle, Judges(bundle)
        functions, model = ModelFunctions(bundle, self.judges), [bundle.model]
        self._functions = functions
        self._encoders: dict[tuple[str, ...], Batched] = {}
        image, label = image_row(bundle), {"labels": ((), "int32")}
        codes = {
            name: ((block["dim"],), "float32") for name, block in bundle.model.latent_spec.items()
        }
        batched = functools.partial(Batched, observation_shape=bundle.observation_shape)
        self._sample = batched(functions.sample, model, image, seeded=True)
        self._moments = batched(functions.moments, model, image)
        self._densities = batched(functions.densities, model, image, seeded=True)
        self._evidence = batched(functions.evidence, model, image, seeded=True)
        self._prior = batched(functions.prior, model, label, seeded=True)
        self._class_scores = batched(functions.class_scores, model, codes)
        self._decode = batched(functions.decode, model, codes)
        self._detail = batched(functions.detail, model, {**image, **codes})
        added = {DETAIL: (bundle.observation_shape, "float32")}
        networks = [*model, bundle.judge]
        self._render, self._render_with_features = (
            {False: batched(f, networks, codes), True: batched(f, networks, codes | added)}
            for f in (functions.render, functions.render_with_features)
        )

    @property
    def kind(self) -> Kind:
        """The kind of observation that the bundle was trained on."""
        return KINDS[self.bundle.scaling.kind]

    @functools.cached_property
    def spec(self) -> LatentSpec:
        """The blocks of the model's code with the priors that training exported."""
        return spec_of(self.bundle.model.latent_spec, self.bundle.priors)

    def encode(self, images: np.ndarray, blocks: Sequence[str] | None = None) -> Latents:
        """Encodes images to latents without noise.

        Args:
            images: Images as stored.
            blocks: Names of the blocks to encode; all by default. Runs only what these need.
        """
        spec = self.bundle.model.latent_spec
        names = tuple(name for name in spec if blocks is None or name in blocks)
        if not names:
            return {}
        if names not in self._encoders:
            encode = functools.partial(self._functions.encode, names)
            row, shape = image_row(self.bundle), self.bundle.observation_shape
            self._encoders[names] = Batched(encode, [self.bundle.model], row, shape)
        return self._encoders[names]({"images": images})

    def sample_posterior(self, images: np.ndarray, seed: int) -> Latents:
        """Draws one sample of every block's posterior for each image."""
        return self._sample({"images": images}, seed)

    def posterior_moments(self, images: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Mean and standard deviation of the posterior for each image, `(n, dim)` each.

        Skips blocks whose distribution does not implement them.
        """
        columns = self._moments({"images": images})
        blocks = [name for name in self.bundle.model.latent_spec if f"{name}/loc" in columns]
        return {name: (columns[f"{name}/loc"], columns[f"{name}/scale"]) for name in blocks}

    def posteriors(self, images: np.ndarray, seed: int) -> dict[str, Posteriors]:
        """The posterior of every block that has a density, for each image.

        Returns diagonal Gaussians, with one sample each, and one-hot categorical distributions.
        Skips points and every other distribution.
        """
        if not len(images):
            return {}
        return read_posteriors(self._densities({"images": images}, seed))

    def evidence_bound(self, images: np.ndarray, seed: int) -> np.ndarray:
        """Lower bounds on the log probability of observations, `(n,)` in nats, one draw each."""
        return self._evidence({"images": images}, seed)["bound"]

    @property
    def has_prior(self) -> bool:
        """Whether the model has its own class prior, besides the prior fitted for export."""
        return isinstance(self.bundle.model, HasClassPrior)

    def sample_prior(self, labels: np.ndarray, seed: int) -> Latents:
        """Draws the blocks that carry the label from the model's own prior, given `(n,)` labels."""
        return self._prior({"labels": labels.astype(np.int32)}, seed)

    def topic_weights(self) -> np.ndarray | None:
        """Weight of each word in each dimension of the code, `(dim, words)`; None without topics.

        The rows are the dimensions of the learnt blocks, in the order of the code.
        """
        model = self.bundle.model
        weights = model.topic_weights() if isinstance(model, HasTopics) else None
        return None if weights is None else np.asarray(ops.convert_to_numpy(weights))

    def class_scores(self, latents: Latents) -> np.ndarray:
        """The model's own class scores of codes, `(n, num_classes)`."""
        return self._class_scores(latents)["scores"]

    def classify(self, latents: Latents) -> np.ndarray:
        """The class to which the model itself assigns each code, `(n,)` int64."""
        return np.argmax(self.class_scores(latents), axis=-1)

    def decode(self, latents: Latents) -> np.ndarray:
        """Decodes latents to images as stored."""
        return self._decode(latents)["image"]

    def render(self, latents: Latents) -> tuple[np.ndarray, np.ndarray]:
        """Decodes latents to images as stored and classifies these with the judge.

        Returns:
            Images and the judge's probabilities `(n, num_classes)` float32, NaN where codes or
            image were not finite.
        """
        images, probabilities = self.render_factors(latents)
        return images, probabilities["label"]

    def render_factors(
        self, latents: Latents, detail: Gathered | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Like `render`, with probabilities `(n, num_values)` for each factor of the judge.

        Args:
            latents: Codes, `(n, dim)` a block.
            detail: What is added to each decoded code, as `detail` returns it; None for nothing.
        """
        result = self._render[detail is not None](_with_detail(latents, detail))
        return result.pop("image"), result

    def render_with_features(
        self, latents: Latents, detail: Gathered | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
        """Like `render_factors`, with the judge's last hidden layer, `(n, features)` float32."""
        result = self._render_with_features[detail is not None](_with_detail(latents, detail))
        return result.pop("image"), result, result.pop(JUDGE_FEATURES)

    def detail(self, images: np.ndarray, latents: Latents) -> np.ndarray:
        """What the model leaves out of images: the images less what their codes decode to.

        Returns:
            `(n, ...)` float32, in units of the model.
        """
        return self._detail({"images": images, **latents})[DETAIL]

    @functools.cached_property
    def realism(self) -> Realism:
        """What the gate for realism compares variants with.

        Raises:
            ValueError: The bundle has nothing for it.
        """
        return Realism(self.bundle.realism, self.kind, tuple(self.bundle.model.latent_spec))

    def judge(self, images: np.ndarray, judge: str = "auditor") -> np.ndarray:
        """Class probabilities `(n, num_classes)` of images by `"judge"` or `"auditor"`."""
        return self.judge_factors(images, judge)["label"]

    def judge_factors(self, images: np.ndarray, judge: str = "auditor") -> dict[str, np.ndarray]:
        """Probabilities `(n, num_values)` of each factor, by `"judge"` or `"auditor"`."""
        return self.judges.probabilities(images, judge)

    def features(self, images: np.ndarray, judge: str = "auditor") -> np.ndarray:
        """Last hidden layer of `"judge"` or `"auditor"` for images as stored, `(n, features)`."""
        return self.judges.features(images, judge)


def _with_detail(latents: Latents, detail: Gathered | None) -> dict[str, np.ndarray | Gathered]:
    return {**latents} if detail is None else {**latents, DETAIL: detail}
