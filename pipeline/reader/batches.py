"""Reads data set directories as batches for `fit`; mixes real and generated examples, balances."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latentloom.pipeline.dataset.directory import DatasetDir
from latentloom.pipeline.dataset.manifest import CONFIDENCE
from latentloom.pipeline.reader.selection import RECIPE, Selection
from latentloom.pipeline.storage.png import decode_png

if TYPE_CHECKING:
    import tensorflow as tf

SHUFFLE_BYTES = 128 << 20
"""Size of the shuffle buffer, in bytes of undecoded records."""
PARSED_AT_ONCE = 1024
_RECORD = "serialized record"

Path = str | os.PathLike[str]


def load(
    path: Path,
    split: str = "train",
    *,
    generated: Path | Sequence[Path] = (),
    share: float = 0.5,
    balanced: bool = False,
    recipes: Sequence[str] = (),
    min_confidence: float = 0.0,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int = 0,
) -> tf.data.Dataset:
    """Returns batches of a data set directory, ready for `fit`.

    An epoch has every example of `path` once. If `balanced`, it repeats examples until every class
    is as frequent as the largest. It adds generated examples up to their share, and repeats them if
    there are too few.

    Args:
        path: A data set directory, real or generated.
        split: Name of its split. Generated examples always come from their split `train`.
        generated: Directories of generated examples to mix in.
        share: Share of generated examples in an epoch, in `(0, 1)`.
        balanced: Whether to make all classes equally frequent, among real and among generated
            examples.
        recipes: Recipes to keep, for generated records; all by default.
        min_confidence: Least probability of the class by the judge, in `[0, 1]`, for generated
            records.
        batch_size: Integer, examples per batch; the last batch has the remainder.
        shuffle: Whether to shuffle, anew in every epoch; larger data than `SHUFFLE_BYTES` are
            shuffled within a moving window of that size.
        seed: Integer, seed of the order.

    Returns:
        A `tf.data.Dataset` of known length: batches of observations, float32 of shape
        `(batch_size, height, width, channels)` in `[0, 1]`, for vectors `(batch_size, features)` in
        their own units, or for bags of words counts `(batch_size, words)`; and of labels, int64 of
        shape `(batch_size,)`.

    Raises:
        FileNotFoundError: If a directory or one of its files is missing.
        ValueError: If a directory or a setting is invalid, or the directories do not fit together.
    """
    import tensorflow as tf

    real = DatasetDir.open(path)
    others = [generated] if isinstance(generated, (str, os.PathLike)) else list(generated)
    made = [DatasetDir.open(other) for other in others]
    selection = Selection(tuple(recipes), min_confidence)
    _check(real, made, selection, share)
    order = seed if shuffle else None
    stream, size = _records([real], split, Selection() if made else selection, balanced, order)
    if made:
        other, count = _records(made, "train", selection, balanced, order)
        wanted = max(1, round(size * share / (1 - share)))
        turns = np.random.default_rng(seed).permutation(np.repeat([0, 1], [size, wanted]))
        choice = tf.data.Dataset.from_tensor_slices(turns.astype(np.int64))
        stream = tf.data.Dataset.choose_from_datasets([stream, other.repeat()], choice)
        size += wanted
    stream = stream.apply(tf.data.experimental.assert_cardinality(size)).batch(batch_size)
    stream = stream.map(_decoder(real), num_parallel_calls=tf.data.AUTOTUNE)
    return stream.prefetch(tf.data.AUTOTUNE)


def _records(
    datasets: list[DatasetDir],
    split: str,
    selection: Selection,
    balanced: bool,
    seed: int | None,
) -> tuple[tf.data.Dataset, int]:
    """Returns the selected records, serialized, and their number in an epoch."""
    import tensorflow as tf

    paths = [d.shard_path(split, i) for d in datasets for i in range(len(d.shards(split)))]
    stream, everything = tf.data.TFRecordDataset(paths), selection.wants_all
    shape = datasets[0].manifest.observation_shape
    at_once = datasets[0].observation_kind.batch_size(shape, PARSED_AT_ONCE)
    chosen = stream.batch(at_once).map(_choices)
    chosen = chosen if everything else chosen.map(_filter(selection))
    counts = _count_labels(datasets, split, None if everything else chosen)
    if not counts.any() or (balanced and not counts.all()):
        classes = datasets[0].manifest.class_names
        missing = [name for name, count in zip(classes, counts, strict=True) if not count]
        raise ValueError(
            f"'{datasets[0].path}' has no selected example of {', '.join(missing)} in its split "
            f"'{split}'. Expected: at least one. Received: recipes={list(selection.recipes)}, "
            f"min_confidence={selection.min_confidence}. Select more, or do not balance."
        )
    if balanced:
        chosen = _repeat_to_the_largest(chosen, counts)
        counts = np.full(len(counts), counts.max())
    if balanced or not everything:
        stream = chosen.map(lambda records: records[_RECORD]).unbatch()
    size = int(counts.sum())
    if seed is not None:
        stream = stream.shuffle(_buffer_size(datasets, split, size), seed)
    return stream, size


def _buffer_size(datasets: Sequence[DatasetDir], split: str, size: int) -> int:
    """Returns how many of `size` records the shuffle buffer holds, by their mean bytes."""
    shards = [shard for dataset in datasets for shard in dataset.shards(split)]
    records = sum(shard.records for shard in shards)
    num_bytes = sum(shard.num_bytes for shard in shards)
    return max(1, min(size, SHUFFLE_BYTES * records // max(num_bytes, 1)))


def _choices(records: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns a batch of records with what they are selected and balanced by."""
    import tensorflow as tf

    one = tf.io.FixedLenFeature
    features = {
        "label": one((), tf.int64),
        RECIPE: one((), tf.string, ""),
        CONFIDENCE: one((), tf.float32, 1.0),
    }
    return {**tf.io.parse_example(records, features), _RECORD: records}


def _count_labels(
    datasets: Sequence[DatasetDir], split: str, stream: tf.data.Dataset | None
) -> np.ndarray:
    """Counts the records of every class, in selected batches or else in the manifests."""
    counts = np.zeros(len(datasets[0].manifest.class_names), np.int64)
    if stream is None:
        for dataset in datasets:
            counts += list(dataset.manifest.label_counts(split).values())
        return counts
    for records in stream.as_numpy_iterator():
        counts += np.bincount(records["label"], minlength=len(counts))
    return counts


def _counts(pairs: Any, num_words: int) -> tf.Tensor:
    """Returns counts of all words, float32, from ragged rows of flat pairs of word and count."""
    import tensorflow as tf

    words, counts = pairs.flat_values[::2], tf.cast(pairs.flat_values[1::2], tf.float32)
    places = tf.stack([pairs.value_rowids()[::2], words], axis=1)
    return tf.scatter_nd(places, counts, tf.stack([pairs.nrows(), np.int64(num_words)]))


def _filter(selection: Selection) -> Any:
    """Returns a filter that keeps the selected records of a parsed batch."""
    import tensorflow as tf

    recipes = tf.constant(list(selection.recipes), tf.string)

    def keep(records):
        wanted = records[CONFIDENCE] >= selection.min_confidence
        if selection.recipes:
            wanted &= tf.reduce_any(records[RECIPE][:, None] == recipes, axis=1)
        return {name: tf.boolean_mask(column, wanted) for name, column in records.items()}

    return keep


def _repeat_to_the_largest(stream: tf.data.Dataset, counts: np.ndarray) -> tf.data.Dataset:
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


def _decoder(dataset: DatasetDir) -> Any:
    """Returns a decoder of a batch of records into observations and labels."""
    import tensorflow as tf

    shape, feature = dataset.manifest.observation_shape, dataset.observation_kind.feature
    one = tf.io.FixedLenFeature
    stored = {
        "image": one((), tf.string),
        "observation": one(shape, tf.float32),
        "words": tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64),
    }
    features = {feature: stored[feature], "label": one((), tf.int64)}

    def decode_images(files: np.ndarray) -> np.ndarray:
        return decode_png(files.tolist(), shape)

    def decode(records):
        parsed = tf.io.parse_example(records, features)
        value, label = parsed[feature], parsed["label"]
        if feature == "words":
            return _counts(value, shape[0]), label
        if feature != "image":
            return value, label
        pixels = tf.numpy_function(decode_images, [value], tf.uint8)
        return tf.cast(tf.ensure_shape(pixels, (None, *shape)), tf.float32) / 255.0, label

    return decode


def _check(
    real: DatasetDir, made: Sequence[DatasetDir], selection: Selection, share: float
) -> None:
    """Rejects directories that do not fit together, and a share out of range."""
    if made and not 0 < share < 1:
        raise ValueError(
            "The share of generated examples is out of range. Expected: 0 < share < 1. "
            f"Received: share={share}. Load generated ones alone from their directory."
        )
    for other in made or [real]:
        selection.check(other.manifest)
    ours = real.manifest
    for other in made:
        theirs = other.manifest
        for what, one, two in (
            ("shape", ours.observation_shape, theirs.observation_shape),
            ("classes", ours.class_names, theirs.class_names),
        ):
            if one != two:
                raise ValueError(
                    f"'{other.path}' does not fit '{real.path}'. Expected: the same "
                    f"{what}, {one}. Received: {two}. Pass variants of that data set."
                )
