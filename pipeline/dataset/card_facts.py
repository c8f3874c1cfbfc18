"""What the dataset card repeats of the manifest, so that `verify` can compare the two."""

from __future__ import annotations

import hashlib
import html
import json
import re

from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.storage.texts import printable

CARD_FILE = "README.md"
_MARKUP = re.compile(r"[\\`*\[\]|~#]|(?<![^\W_])_|_(?![^\W_])")


def escape(text: str) -> str:
    """Returns Markdown that shows a text as it is, in a paragraph or a cell of a table.

    An underscore between letters is one already.
    """
    return _MARKUP.sub(r"\\\g<0>", html.escape(printable(text), quote=False))


def code_span(text: str) -> str:
    """Returns Markdown that shows a text as code, in a paragraph or a cell of a table."""
    text = printable(text)
    if not re.search(r"[`|<]", text):
        return f"`{text}`"
    return f"<code>{escape(text)}</code>"


def card_facts(manifest: Manifest) -> dict[str, str]:
    """Returns rows of the card by their heading: the bundle, its data and cells, and the job.

    Args:
        manifest: Manifest of a generated data set.

    Raises:
        ValueError: If its details are invalid.
    """
    details = GeneratedDetails.read(manifest.details)
    data, cells = details.trained_on, json.dumps(details.hold_out, sort_keys=True)
    groups = ", ".join(map(code_span, details.hold_out))
    digest = hashlib.sha256(cells.encode()).hexdigest()
    return {
        "Model bundle": code_span(details.bundle_digest),
        "Trained on": f"{code_span(data.name)}, digest {code_span(data.digest)}" if data else "-",
        "Held out": f"{groups}, digest {code_span(digest)}" if groups else "-",
        "Generation job": code_span(details.job),
    }
