"""A trained bundle for programs: NumPy arrays in, NumPy arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from latentloom.augment import BlockPrior, LatentSpec
from latentloom.pipeline.api.arguments import input_path, prepare
from latentloom.pipeline.observations.stored import as_stored
from latentloom.pipeline.storage.files import Location, local_folder

if TYPE_CHECKING:  # loads TensorFlow
    from latentloom.model_zoo.bundle import Bundle


def load_bundle(path: Location) -> LoadedBundle:
    """Loads a bundle that `train` wrote, and checks it against its digest.

    Args:
        path: Directory of the bundle, local or remote.

    Raises:
        FileNotFoundError: If it is missing, or one of its files.
        ValueError: If it is damaged, or of a newer version.

    Example:
        >>> bundle = latentloom.load_bundle("bundle")
        >>> images = np.stack([record["image"] for record in latentloom.open_dataset("data")[:3]])
        >>> latents = bundle.encode(images)
        >>> {name: block.shape for name, block in latents.items()}
        {'zs': (3, 8), 'zu': (3, 16)}
        >>> decoded = bundle.decode(latents)
        >>> decoded.shape, decoded.dtype
        ((3, 8, 8, 1), dtype('uint8'))
        >>> bundle.judge(decoded)["label"].shape
        (3, 10)
    """
    path = input_path(path, "path")
    prepare()
    from latentloom.model_zoo.bundle import load_bundle as load

    with local_folder(path) as folder:
        return LoadedBundle(load(folder))


class LoadedBundle:
    """A trained model with its judge. Get one from `load_bundle` or `train`.

    Observations are as stored: images uint8 `(n, height, width, channels)` in 0 to 255, vectors
    float32 `(n, features)` in their own units, bags of words int32 counts `(n, words)`. `n` may be
    0. Results for an observation do not depend on those beside it.

    Args:
        bundle: The bundle.
    """

    def __init__(self, bundle: Bundle):
        from latentloom.pipeline.codec.codec import Codec

        self._bundle, self._codec = bundle, Codec(bundle)

    @property
    def spec(self) -> LatentSpec:
        """The blocks of the code: name, size, factors that each carries, and prior."""
        return self._codec.spec

    @property
    def priors(self) -> dict[str, BlockPrior]:
        """The prior of every block, which NumPy samples.

        Example:
            >>> bundle = latentloom.load_bundle("bundle")
            >>> keys = np.arange(5, dtype=np.uint64)  # the same keys give the same draws
            >>> labels = np.array([3, 3, 3, 7, 7])
            >>> drawn = {name: prior.sample(keys, labels) for name, prior in bundle.priors.items()}
            >>> bundle.decode(drawn).shape
            (5, 8, 8, 1)
        """
        return {block.name: block.prior for block in self.spec}

    @property
    def factors(self) -> dict[str, list[str]]:
        """Names of the values of `label` and of every other factor, in the order of the codes."""
        return {name: list(values) for name, values in self._bundle.factors.items()}

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of the labels."""
        return self._bundle.class_names

    @property
    def judged_factors(self) -> list[str]:
        """Names of the factors that the judge reads, `label` first."""
        return list(self._bundle.judge_factors)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one observation, `(height, width, channels)` for images."""
        return tuple(self._bundle.observation_shape)

    @property
    def observation_dtype(self) -> np.dtype:
        """Type of observations as stored."""
        return np.dtype(self._bundle.scaling.dtype)

    @property
    def digest(self) -> str:
        """Hexadecimal SHA-256 over the files of the bundle."""
        return self._bundle.digest

    def encode(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """Encodes observations, without noise.

        Args:
            observations: `(n, *observation_shape)`, of `observation_dtype`.

        Returns:
            For each block of the code float32 of shape `(n, dim)`, in the order of `spec`.

        Raises:
            TypeError: If the observations are of another type.
            ValueError: If they have another shape, or values out of range.
        """
        return self._codec.encode(self._checked(observations))

    def decode(self, latents: Mapping[str, np.ndarray]) -> np.ndarray:
        """Decodes codes to observations, rounded and clipped as they are stored.

        Args:
            latents: For each block of the code floats of shape `(n, dim)`, in any order.

        Returns:
            Observations `(n, *observation_shape)`, of `observation_dtype`.

        Raises:
            TypeError: If a block does not hold floats.
            ValueError: If blocks are missing or unknown, have another shape, or are not finite.
        """
        arrays = {name: np.asarray(block) for name, block in latents.items()}
        ordered = {name: arrays.pop(name) for name in self.spec.names if name in arrays}
        self.spec.check(ordered | arrays)
        return self._codec.decode({name: a.astype(np.float32) for name, a in ordered.items()})

    def judge(self, observations: np.ndarray) -> dict[str, np.ndarray]:
        """Classifies observations with the judge, which accepts or rejects variants.

        Args:
            observations: `(n, *observation_shape)`, of `observation_dtype`.

        Returns:
            For each of `judged_factors` the probabilities of its values, float32 of shape
            `(n, num_values)`; each row sums to 1.

        Raises:
            TypeError: If the observations are of another type.
            ValueError: If they have another shape, or values out of range.
        """
        return self._codec.judge_factors(self._checked(observations), "judge")

    def __repr__(self) -> str:
        blocks = ", ".join(f"{block.name} {block.dim}" for block in self.spec)
        return (
            f"<LoadedBundle {self._bundle.model_name} {self.digest[:12]}: {self.observation_shape} "
            f"to {blocks}; {len(self.class_names)} classes>"
        )

    def _checked(self, observations: np.ndarray) -> np.ndarray:
        return as_stored(observations, self._bundle.scaling.dtype, self.observation_shape)
