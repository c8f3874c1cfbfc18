"""Reads any prepared TFDS data set with an image and discrete labels, or a TFDS directory."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latentloom.pipeline.dataset.examples import DeadLetter, Examples
from latentloom.pipeline.dataset.manifest import check_factors
from latentloom.pipeline.importing.changes import BLANK, CUT, WHITENED
from latentloom.pipeline.importing.fitting import FITS
from latentloom.pipeline.importing.formats.tfds_builder import open_builder, stored_splits
from latentloom.pipeline.importing.formats.tfds_fields import (
    column,
    distinct_values,
    factor_paths,
    iterate,
    label_path,
    read,
    scalar_features,
    value_names,
)
from latentloom.pipeline.importing.formats.tfds_images import image_feature, levelled
from latentloom.pipeline.importing.image_form import AS_STORED, ImageForm
from latentloom.pipeline.importing.levels import BLACK_AND_WHITE
from latentloom.pipeline.importing.opacity import has_opacity, opaque
from latentloom.pipeline.importing.source import Ignored, batch_size, path_name, position_ids
from latentloom.pipeline.importing.split_names import SplitRule
from latentloom.pipeline.importing.value_order import are_numbers, in_order

_UNKNOWN = "a factor has no known value"
_AMOUNTS = "/changes"  # no name of a feature
_KINDS = (CUT, WHITENED, BLANK, *FITS.values())


@dataclass(frozen=True)
class TfdsSource:
    """A data set as TFDS reads it.

    TFDS stores the pixels of a data set unchanged, and its metadata omit their range: `dsprites`
    and `binarized_mnist` have pixels 0 and 1, which become 0 and 255; see `find_levels`.

    Args:
        builder: The TFDS builder.
        image_field: Name of the image feature.
        fields: Path of the feature behind each factor, such as `attributes/Smiling`.
        values: Sorted integers behind the codes of each factor without names.
        places: Code of each stored number of a factor whose names are numbers.
        form: The form that images get.
        stored: Names of the splits in the data set, by the split that they are.
        ignored: What an import leaves out.
    """

    name: str
    observation_shape: tuple[int, int, int]
    factors: dict[str, list[str]]
    builder: Any
    image_field: str
    fields: dict[str, str]
    values: dict[str, np.ndarray]
    places: dict[str, np.ndarray]
    form: ImageForm
    label_field: str
    stored: dict[str, list[str]]
    observation: str = "image"
    ignored: list[Ignored] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        where: str,
        label: str | None = None,
        factors: Sequence[str] | None = None,
        form: ImageForm = AS_STORED,
        rule: SplitRule | None = None,
    ):
        """Opens a prepared data set; reads integers without names once to list their values.

        Also reads images until one is no mask; see the class.

        Args:
            where: Name of a TFDS data set, or path of a directory with `features.json`.
            label: Path of the feature that is the label; `label` by default.
            factors: Paths of the features that are factors; all by default.
            form: The form that images get.
            rule: Tells splits by their names; by their words alone by default.

        Raises:
            FileNotFoundError: If the data set is not prepared on this machine.
            ValueError: If it is unknown, or the image, the label or a factor is missing.
        """
        builder = open_builder(where)
        stored, ignored = stored_splits(where, builder, rule or SplitRule())
        features = builder.info.features
        image_field, observation_shape = image_feature(where, features, form)
        scalars = scalar_features(features)
        label_field = label_path(where, builder, scalars, label)
        paths = factor_paths(where, scalars, label_field, factors)
        kept = [name for stored_names in stored.values() for name in stored_names]
        values = distinct_values(where, builder, kept, scalars, paths, strict=factors is not None)
        names = {
            factor: value_names(scalars[path]) or [str(value) for value in values.get(factor, ())]
            for factor, path in paths.items()
        }
        names, many = _drop_unnamed(names, paths)
        names, places = _number(names, values)
        check_factors(names)
        return cls(
            name=path_name(where) if os.path.isdir(where) else builder.name,
            observation_shape=observation_shape,
            factors=names,
            builder=builder,
            image_field=image_field,
            fields={factor: paths[factor] for factor in names},
            values=values,
            places=places,
            form=levelled(where, builder, kept, image_field, form),
            label_field=label_field,
            stored=stored,
            ignored=[*ignored, *many],
        )

    @property
    def description(self) -> str:
        """The description of the data set, and whether its images were brightened."""
        is_brightened = self.form.levels == BLACK_AND_WHITE
        brightened = " Its images of 0 and 1 are read as 0 and 255." if is_brightened else ""
        return " ".join((self.builder.info.description or self.name).split()) + brightened

    @property
    def splits(self) -> dict[str, int]:
        """Number of examples of each split."""
        sizes = self.builder.info.splits
        return {
            split: sum(sizes[name].num_examples for name in names)
            for split, names in self.stored.items()
        }

    def batches(self, split: str) -> Iterator[tuple[Examples, list[DeadLetter]]]:
        """Streams a split.

        An example with an unknown value (such as class -1) is a dead letter.
        """
        start = 0
        for batch in iterate(self._dataset(split).batch(batch_size(self)), self.name):
            codes = {
                factor: self._codes(factor, column(batch, path))
                for factor, path in self.fields.items()
            }
            known = np.all(
                [(c >= 0) & (c < len(self.factors[f])) for f, c in codes.items()], axis=0
            )
            positions = np.arange(start, start + len(known))
            labels = codes["label"]
            dead = [
                DeadLetter(f"{self.name}/{split}", start + row, _UNKNOWN, self._label(labels[row]))
                for row in np.flatnonzero(~known).tolist()
            ]
            amounts = batch.get(_AMOUNTS, np.zeros((len(known), 0)))
            changes = dict(zip(_KINDS, amounts.T, strict=False))
            images = batch[self.image_field]
            examples = Examples(images, codes, position_ids(positions), changes)
            yield examples.take(known), dead
            start += len(known)

    def _label(self, code: int) -> int | None:
        return int(code) if 0 <= code < len(self.factors["label"]) else None

    def _codes(self, factor: str, raw: np.ndarray) -> np.ndarray:
        values, places = self.values.get(factor), self.places.get(factor)
        if places is not None:
            known = (raw >= 0) & (raw < len(places))
            return np.where(known, places[np.where(known, raw, 0)], -1)
        if values is None:
            return raw.astype(np.int64)
        return np.where(np.isin(raw, values), np.searchsorted(values, raw), -1)

    def _dataset(self, split: str):
        """Returns the features of each example, with its image as it is stored here."""
        import tensorflow as tf

        def prepared(features):
            image = features[self.image_field]
            image, amounts = tf.numpy_function(self._formed, [image], [tf.uint8, tf.float32])
            image.set_shape(self.observation_shape)
            amounts.set_shape([len(_KINDS)])
            return features | {self.image_field: image, _AMOUNTS: amounts}

        fields = [self.image_field, *self.fields.values()]
        parts = [read(self.builder, name, fields) for name in self.stored[split]]
        stored = functools.reduce(lambda one, two: one.concatenate(two), parts)
        is_plain = self.form.fit is self.form.levels is None and not self._has_opacity
        return stored if is_plain else stored.map(prepared)

    @property
    def _has_opacity(self) -> bool:
        return has_opacity(self.builder.info.features[self.image_field].shape[2])

    def _formed(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns an image in its form, and how much of it each of `_KINDS` changed."""
        amounts, levels = {}, self.form.levels
        if self._has_opacity:
            channels = self.observation_shape[2]
            image, amounts = opaque(image, channels, self.form.ground, levels)
        elif levels is not None:
            image, amounts = levels(image), levels.amounts(image)
        if self.form.fit is not None:
            amounts[FITS[self.form.fit.how]] = self.form.fit.amount(*image.shape[:2])
            image = self.form.fit(image[None])[0]
        return image, np.array([amounts.get(kind, 0.0) for kind in _KINDS], np.float32)


def _drop_unnamed(
    names: dict[str, list[str]], paths: Mapping[str, str]
) -> tuple[dict[str, list[str]], list[Ignored]]:
    """Leaves out factors with too many values for names."""
    kept = {factor: known for factor, known in names.items() if known or factor == "label"}
    return kept, [
        Ignored(f"the feature '{paths[factor]}' has too many values", 1, factor)
        for factor in names
        if factor not in kept
    ]


def _number(
    names: dict[str, list[str]], values: Mapping[str, np.ndarray]
) -> tuple[dict[str, list[str]], dict[str, np.ndarray]]:
    """Puts names that are numbers in their order; returns them, and the code of each stored one."""
    ordered = {
        factor: in_order(stored)
        for factor, stored in names.items()
        if factor not in values and are_numbers(stored)
    }
    places = {
        factor: np.array([known.index(name) for name in names[factor]])
        for factor, known in ordered.items()
    }
    return names | ordered, places
