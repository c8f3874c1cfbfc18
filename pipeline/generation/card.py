"""The dataset card: a page of Markdown beside a generated data set."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence

from jinja2 import Environment

from latentloom.pipeline.dataset.card_facts import card_facts, code_span, escape
from latentloom.pipeline.dataset.details import GeneratedDetails
from latentloom.pipeline.dataset.manifest import Manifest
from latentloom.pipeline.observations import KINDS
from latentloom.pipeline.storage.files import is_remote

_TEMPLATE = """\
# {{ m.name }}

{{ m.source["description"] | text }} Made by latentloom {{ m.versions["latentloom"] }}; every \
{{ kind.one }} is synthetic.

| | |
|---|---|
| {{ kind.many | capitalize }} | {{ m.totals["written"] }} of {{ m.totals["requested"] }} \
requested ({{ m.totals["rejected"] }} given up after the gate rejected every attempt, \
{{ m.totals["dead"] }} without a readable anchor) |
| Shape | {{ m.observation_shape | join(" x ") }}, {{ kind.stored_as }} |
| Recipe | {{ settings["recipe"] | code }}, seed {{ settings["seed"] }} |
| Gate | {{ gate }} |
{% for heading, fact in facts.items() -%}
| {{ heading }} | {{ fact }} |
{% endfor -%}
| Source data | {{ m.source["data"] | code }}, split {{ settings["split"] | code }} |

## Classes

| class | {{ kind.many }} |
|---|---|
{% for name, count in counts.items() -%}
| {{ name | text }} | {{ count }} |
{% endfor %}
## Fields of a record

`{{ kind.feature }}` and `label`\
{% if others %}, the factors {{ others | join(", ") }}{% endif %}; \
`example_id`; `anchor_id`, the real {{ kind.one }} that the variant was made from; `donor_ids`, \
real {{ kind.many }} that gave parts of its code; `recipe`; `seen_combination`, whether the \
training data has the cell of its factors; `judge_confidence`, the judge's probability of the \
label{% for name in judged %}; `judge_confidence_{{ name }}`, the judge's probability of \
{{ name }}{% endfor %}; \
`seed`, the key of the random numbers of this {{ kind.one }}.

## How to read it

```python
import tensorflow_datasets as tfds

dataset = tfds.builder_from_directory({{ folder | string_literal }}).as_dataset(split=\
{{ settings["split"] | string_literal }})
```

{{ ("latentloom verify " ~ folder | shell_word) | code }} checks that nothing was damaged. \
The figures on quality are in `report.html`.
"""


def _environment() -> Environment:
    environment = Environment(autoescape=False, trim_blocks=False)  # noqa: S701
    environment.filters |= {
        "text": escape,
        "code": code_span,
        "string_literal": json.dumps,
        "shell_word": shlex.quote,
    }
    return environment


def render_card(out: str, manifest: Manifest, judged: Sequence[str] = ()) -> str:
    """Returns the dataset card of a generated data set.

    Args:
        out: Its directory.
        manifest: Its manifest.
        judged: Factors besides the label that the judge reads.
    """
    details = GeneratedDetails.read(manifest.details)
    settings = details.config["generate"]
    gate = settings["gate"]
    described = f"judge's confidence of at least {gate['min_confidence']}"
    if gate.get("realism"):
        described += f", as realistic as all but {gate['false_refusals']:.0%} of real examples"
    card = _environment().from_string(_TEMPLATE)
    return card.render(
        m=manifest,
        facts=card_facts(manifest),
        kind=KINDS[manifest.observation],
        settings=settings,
        gate=f"{described}, {gate['attempts']} attempts" if gate["enabled"] else "off",
        counts=manifest.label_counts(settings["split"]),
        judged=judged,
        others=[name for name in manifest.factors if name != "label"],
        folder=os.path.basename(out if is_remote(out) else os.path.abspath(out)),
    )
