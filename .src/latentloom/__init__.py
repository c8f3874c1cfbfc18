"""Structured latent models that turn a labelled data set into a larger, labelled one, at scale.

The names below are loaded when they are first used: `import latentloom` imports nothing else.
Errors are those of the command: `ValueError`, `TypeError` and `OSError` for a mistake in the call.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import latentloom.beam
    import latentloom.keras
    from latentloom.pipeline.api.bundle import LoadedBundle, load_bundle
    from latentloom.pipeline.api.datasets import open_dataset, verify
    from latentloom.pipeline.api.exports import export
    from latentloom.pipeline.api.runs import evaluate, generate, train
    from latentloom.pipeline.reader import Records, load

__all__ = [
    "LoadedBundle",
    "Records",
    "evaluate",
    "export",
    "generate",
    "load",
    "load_bundle",
    "open_dataset",
    "train",
    "verify",
]

_ROOMS = {
    "pipeline.api.bundle": ("LoadedBundle", "load_bundle"),
    "pipeline.api.datasets": ("open_dataset", "verify"),
    "pipeline.api.exports": ("export",),
    "pipeline.api.runs": ("evaluate", "generate", "train"),
    "pipeline.reader": ("Records", "load"),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = ("beam", "keras")
"""Imported when they are asked for; not by `import *`, since they load TensorFlow or Keras."""


if not TYPE_CHECKING:  # with it, a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
