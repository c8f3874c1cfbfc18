"""What an import changes in images on the way, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from latentloom.pipeline.dataset.details import ImageChange
from latentloom.pipeline.observations.kind import Kind

PADDED, CROPPED, STRETCHED = "padded", "cropped", "stretched"
CUT, WHITENED, BLANK, CONSTANT = "cut", "whitened", "blank", "constant"

_SENTENCES = {
    PADDED: "were padded to keep their shapes: at most {most:.1%} of an image is border",
    CROPPED: "were cropped to keep their shapes: at most {most:.1%} of an image was cut off",
    STRETCHED: "were stretched: at most {most:.2f} times as much along one side as the other",
    CUT: "have values beyond --range, which were cut to its ends: at most {most:.1%} of an image",
    WHITENED: "had values of 0 and 1 alone, which became black and white",
    BLANK: "became constant when their transparency was laid on the ground: pass another --ground",
    CONSTANT: "are constant, one colour throughout",
}
KINDS_OF_CHANGE = tuple(_SENTENCES)
"""What may become of an image, in the order in which it is told."""


def change_columns(amounts: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    """Returns the changes of `Examples` from the amounts of each kind in each image."""
    kinds = dict.fromkeys(kind for row in amounts for kind in row)
    return {kind: np.array([row.get(kind, 0.0) for row in amounts], np.float32) for kind in kinds}


def constant_images(kind: Kind, images: np.ndarray) -> dict[str, np.ndarray]:
    """Tells which images have one colour throughout, as changes; nothing of other kinds."""
    if not kind.can_resize or not len(images):
        return {}
    return {CONSTANT: (images == images[:, :1, :1]).all(axis=(1, 2, 3)).astype(np.float32)}


class ChangeCounts:
    """Counts the changes of images by kind."""

    def __init__(self):
        self._counts: dict[str, ImageChange] = {}

    def add(self, ids: Sequence[str], changes: Mapping[str, np.ndarray]) -> None:
        """Counts the changes of a batch.

        Args:
            ids: The ids of its images.
            changes: As in `Examples`.
        """
        for kind, amounts in changes.items():
            if not (rows := np.flatnonzero(amounts)).size:
                continue
            known = self._counts.get(kind)
            known = known or ImageChange(count=0, most=0.0, first=ids[int(rows[0])])
            self._counts[kind] = ImageChange(
                count=known.count + len(rows),
                most=max(known.most, round(float(amounts.max()), 4)),
                first=known.first,
            )

    def to_details(self) -> dict[str, dict]:
        """Returns the counts as a detail of a manifest, in the order of `KINDS_OF_CHANGE`."""
        counts = self._counts
        return {kind: counts[kind].model_dump() for kind in KINDS_OF_CHANGE if kind in counts}


def told_changes(changes: Mapping[str, ImageChange], total: int) -> Iterable[str]:
    """Returns a line for each kind of change.

    Args:
        changes: By kind, how many images were changed and by how much at most.
        total: Number of images that were written.
    """
    for kind, change in changes.items():
        what = _SENTENCES[kind].format(most=change.most)
        yield f"{change.count:,} of {total:,} images {what}. The first: {change.first}."
