"""What a configuration is chosen from, read from the manifest of a data set."""

from __future__ import annotations

from latentloom.pipeline.config.automatic import Seen
from latentloom.pipeline.dataset.manifest import Manifest


def seen_in(manifest: Manifest) -> Seen:
    """Returns what a configuration is chosen from, of the split `train`."""
    return Seen(
        manifest.observation,
        manifest.observation_shape,
        manifest.num_examples("train"),
        min(manifest.label_counts("train").values()),
        {name: len(values) for name, values in manifest.factors.items()},
    )
