"""The sources that `import` knows, as data: what a user types, and what each holds."""

from __future__ import annotations

from dataclasses import dataclass

BUILTIN = "builtin"


@dataclass(frozen=True)
class SourceEntry:
    """A source that `import` knows.

    Attributes:
        spec: The spec that a user types, such as `builtin:digits` or `folder:DIR`.
        holds: What it reads or makes, in one line of Markdown.
        samples_itself: Whether it draws its own sample of `max_examples`.
        selects_fields: Whether it selects the factors itself.
        renders_itself: Whether it renders images of its own for overlays and domains.
        own_options: Options that only some sources have.
        gives_form: Whether it gives images their levels and their size itself.
        has_foreign_arrays: Whether its images are arrays of numbers that somebody else made.
    """

    spec: str
    holds: str
    samples_itself: bool = False
    selects_fields: bool = False
    renders_itself: bool = False
    own_options: tuple[str, ...] = ()
    gives_form: bool = False
    has_foreign_arrays: bool = False

    def matches(self, spec: str) -> bool:
        """Whether a user's spec names this source."""
        scheme, _, where = spec.partition(":")
        if self.spec.startswith(f"{BUILTIN}:"):
            return spec == self.spec
        return bool(where) and scheme == self.spec.partition(":")[0]


SOURCES = (
    SourceEntry("builtin:digits", "scikit-learn's 1,797 real digits, 8 x 8"),
    SourceEntry(
        "builtin:dsprites",
        "a rendering of the factor grid of dSprites, not the published file: square, ellipse or "
        "heart in 6 scales, 40 orientations and 32 x 32 positions; 20,000 of the 737,280 cells, or "
        "`--max-examples`",
        samples_itself=True,
    ),
    SourceEntry(
        "builtin:fonts",
        "52 letters in 21 fonts, 3 sizes, 10 inks, 10 backgrounds, rendered from the fonts that "
        "matplotlib ships",
        samples_itself=True,
    ),
    SourceEntry(
        "builtin:letters",
        "`builtin:fonts` with 10 letters in 4 fonts, distinguishable at every size: all 10,800 "
        "cells; or with `--overlays` light letters on dark grounds in all hues; or letters in "
        "`--domains`",
        samples_itself=True,
        renders_itself=True,
    ),
    SourceEntry("builtin:moons", "7,500 points of three interleaved half circles, 2-D vectors"),
    SourceEntry(
        "folder:DIR",
        "one folder per class, or `split/class/...`",
        own_options=("split", "subfolders"),
        gives_form=True,
    ),
    SourceEntry("idx:DIR", "MNIST-style `*-ubyte.gz` files", has_foreign_arrays=True),
    SourceEntry(
        "npz:FILE",
        "arrays `images` (n, h, w[, c]) uint8, or `observations` (n, features) of floats, and "
        "`label`; every other array of length n is a factor; `split` is optional. Or counts of "
        "words: `train_data`, `train_indices` and `train_indptr` of a sparse matrix by rows, "
        "`train_labels`, likewise for other splits, and `vocab`",
        own_options=("split", "channels_first"),
        has_foreign_arrays=True,
    ),
    SourceEntry(
        "table:FILE",
        "CSV or Parquet, a row an image: a column of paths or of bytes, `--label`, `--factors`, "
        "`--split`; also `list_attr_celeba.txt`",
        selects_fields=True,
        own_options=("split", "image", "root", "bins"),
        gives_form=True,
    ),
    SourceEntry(
        "tfds:NAME",
        "a prepared TFDS data set; nested integers and booleans by path, as in "
        "`--label attributes/Smiling --factors attributes/Male`",
        selects_fields=True,
        own_options=("split",),
        gives_form=True,
    ),
    SourceEntry(
        "tfrecord:GLOB",
        "`tf.train.Example` files",
        selects_fields=True,
        own_options=("split", "image", "first"),
        gives_form=True,
    ),
)
SPECS = tuple(entry.spec for entry in SOURCES)
