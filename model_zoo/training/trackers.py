"""The running means of the figures that a model reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import keras

Trackers = dict[str, keras.metrics.Mean]
"""One running mean for each figure; Keras resets those of a model every epoch."""


def make_trackers(names: Iterable[str]) -> Trackers:
    """Makes the running means of figures with these names."""
    return {name: keras.metrics.Mean(name=name) for name in names}


def update_trackers(trackers: Trackers, figures: Mapping[str, Any], batch_size: Any) -> None:
    """Adds the figures of a batch, weighted by its number of examples."""
    for name, value in figures.items():
        trackers[name].update_state(value, sample_weight=batch_size)
