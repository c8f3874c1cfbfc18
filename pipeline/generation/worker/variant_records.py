"""Turns accepted variants into records."""

from __future__ import annotations

import numpy as np

from latentloom.augment import Anchors, DonorBank
from latentloom.pipeline.generation.job import GenerationJob
from latentloom.pipeline.generation.worker.attempts import Accepted
from latentloom.pipeline.observations import Kind
from latentloom.pipeline.storage.tf_example import serialize


def variant_records(
    job: GenerationJob,
    kind: Kind,
    anchors: Anchors,
    accepted: Accepted,
    donors: DonorBank | None,
) -> dict[int, bytes]:
    """Serialises accepted variants with their provenance.

    Args:
        job: The job, whose plan names the factors to write.
        kind: The kind of observation.
        anchors: The anchors that the plan of the variants points to.
        accepted: The variants.
        donors: The donor bank, for recipes that take donors.

    Returns:
        Each record as a serialised `tf.train.Example`, by its slot in the chunk.
    """
    plan = accepted.plan
    columns = {name: plan.factors[name].tolist() for name in job.plan.written}
    columns["seen_combination"] = job.plan.seen(plan.factors).tolist()
    columns |= {name: column.tolist() for name, column in accepted.confidences.items()}
    rows_of_donors = np.stack(list(plan.donors.values()), axis=1)
    records = {}
    for row, value in enumerate(kind.encode(accepted.observations)):
        anchor_id = anchors.ids[plan.anchor[row]]
        used = sorted({int(donor) for donor in rows_of_donors[row] if donor >= 0})
        records[int(accepted.slots[row])] = serialize(
            {
                kind.feature: value,
                **{name: codes[row] for name, codes in columns.items()},
                "example_id": f"{anchor_id}/{plan.recipe}/{plan.variant[row]:04d}",
                "anchor_id": anchor_id,
                "donor_ids": [str(donors.ids[donor]) for donor in used] if donors else [],
                "recipe": plan.recipe,
                "seed": int(plan.keys[row].view(np.int64)),
            }
        )
    return records
