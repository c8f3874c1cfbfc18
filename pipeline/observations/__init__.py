"""The kinds of observation: how each is stored in records, scaled for a model and named.

Only this room distinguishes images, vectors and bags of words. Data set directories and bundles
store the name of their kind; all other code looks it up in `KINDS`.
"""

from __future__ import annotations

from latentloom.pipeline.observations.counts import MOST_COUNTED, MOST_WORDS, CountKind
from latentloom.pipeline.observations.images import MOST_PIXELS, ImageKind
from latentloom.pipeline.observations.kind import BATCH_BYTES, BATCH_SIZE, Kind
from latentloom.pipeline.observations.vectors import VectorKind

__all__ = [
    "BATCH_BYTES",
    "BATCH_SIZE",
    "KINDS",
    "MOST_COUNTED",
    "MOST_PIXELS",
    "MOST_WORDS",
    "Kind",
]

KINDS: dict[str, Kind] = {
    kind.scaling.kind: kind for kind in (ImageKind(), VectorKind(), CountKind())
}
"""The kinds by name: `image`, `vector` and `counts`."""
