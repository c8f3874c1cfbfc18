"""Selects and balances batches of serialized records, by what they say beside the observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latentloom.pipeline.dataset.manifest import CONFIDENCE
from latentloom.pipeline.reader.selection import RECIPE, Selection

if TYPE_CHECKING:
    import tensorflow as tf

RECORD = "serialized record"
"""Name of the column with the records themselves."""


def parse_choices(records: tf.Tensor) -> dict[str, Any]:
    """Returns a batch of records with what they are selected and balanced by."""
    import tensorflow as tf

    one = tf.io.FixedLenFeature
    features = {
        "label": one((), tf.int64),
        RECIPE: one((), tf.string, ""),
        CONFIDENCE: one((), tf.float32, 1.0),
    }
    return {**tf.io.parse_example(records, features), RECORD: records}


def keep_selected(selection: Selection) -> Any:
    """Returns a filter that keeps the selected records of a parsed batch."""
    import tensorflow as tf

    recipes = tf.constant(list(selection.recipes), tf.string)

    def keep(records):
        wanted = records[CONFIDENCE] >= selection.min_confidence
        if selection.recipes:
            wanted &= tf.reduce_any(records[RECIPE][:, None] == recipes, axis=1)
        return {name: tf.boolean_mask(column, wanted) for name, column in records.items()}

    return keep


def repeat_to_the_largest(stream: tf.data.Dataset, counts: np.ndarray) -> tf.data.Dataset:
    """Repeats records until all classes are as large as the largest, the first ones once more."""
    import tensorflow as tf

    times, more = np.divmod(counts.max(), np.maximum(counts, 1))
    times, more = tf.constant(times, tf.int64), tf.constant(more, tf.int64)

    def repeat(seen, records):
        labels = records["label"]
        is_class = tf.one_hot(labels, len(counts), dtype=tf.int64)
        rank = tf.gather(seen + tf.cumsum(is_class, exclusive=True), labels, batch_dims=1)
        numbers = tf.gather(times, labels) + tf.cast(rank < tf.gather(more, labels), tf.int64)
        repeated = {name: tf.repeat(column, numbers, axis=0) for name, column in records.items()}
        return seen + tf.reduce_sum(is_class, axis=0), repeated

    return stream.scan(tf.zeros(len(counts), tf.int64), repeat)
