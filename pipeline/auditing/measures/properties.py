"""Properties of the images: how they differ from class to class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentloom.model_zoo.metrics.image_properties import PROPERTIES
from latentloom.pipeline.auditing.measures.ties import SIGNIFICANT
from latentloom.pipeline.auditing.schema import ImageProperty, Tie
from latentloom.pipeline.auditing.survey import Survey

OF_SOURCE = {
    "source_size": "height and width of the source file",
    "source_aspect": "width over height of the source file",
    "jpeg_quality": "compression of the source file",
}
"""What a data set directory does not keep: an import stores pixels of one size as PNG."""


def describe_properties(
    survey: Survey, ties: Sequence[Tie], classes: Sequence[str]
) -> list[ImageProperty]:
    """Describes every property of the training images; none for other observations."""
    if not survey.is_of_images:
        return []
    labels, p_values = survey.examples.labels[survey.train], {t.factor: t.p_value for t in ties}
    found = []
    for name, column in survey.properties.items():
        numbers = column[survey.train].astype(np.float64)
        counts = np.bincount(labels, minlength=len(classes))
        sums = [np.bincount(labels, number, len(classes)) for number in numbers.T]
        means = np.stack(sums, axis=1) / np.maximum(counts, 1)[:, None]
        total = np.sum((numbers - numbers.mean(axis=0)) ** 2)
        between = np.sum(counts[:, None] * (means - numbers.mean(axis=0)) ** 2)
        named = zip(classes, means.tolist(), counts, strict=True)
        found.append(
            ImageProperty(
                name=name,
                meaning=PROPERTIES[name],
                known=True,
                varies=bool(total > 0),
                differs=p_values.get(name, 1.0) <= SIGNIFICANT,
                between=float(min(1.0, between / total)) if total > 0 else 0.0,
                means={name: mean for name, mean, count in named if count},
            )
        )
    unknown = [ImageProperty(name=n, meaning=m, known=False) for n, m in OF_SOURCE.items()]
    return [*found, *unknown]
