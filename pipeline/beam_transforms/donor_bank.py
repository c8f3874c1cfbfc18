"""DonorBank: a bounded sample of the codes of a collection, for recipes that take donors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from latentloom.augment.options import Option
from latentloom.pipeline.beam_transforms.augment import checked_batch_size
from latentloom.pipeline.beam_transforms.donors import Donors
from latentloom.pipeline.beam_transforms.sampling import SampleExamples
from latentloom.pipeline.beam_transforms.transform import ExamplesTransform
from latentloom.pipeline.beam_transforms.variant_job import plan_variant_job
from latentloom.pipeline.generation.merging import MergeAll
from latentloom.pipeline.storage.files import Location


class DonorBank(ExamplesTransform):
    """Turns a collection of examples into one element per window: a bank of donors for `Augment`.

    The bank of a data set is the one that `latentloom generate` draws from it with this seed. It
    depends on the ids of the examples, not on their order or on workers. Chooses donors by their
    keys and encodes only these, in the blocks that the recipe takes. Skips examples of cells that
    were held out of training. For a recipe that changes a factor it also counts the examples of
    each cell, which tells whether a variant's cell was seen.

    Args:
        bundle: Directory of a trained bundle, as for `Augment`.
        recipe: Name of the recipe, as for `Augment`. One bank serves all recipes that take the same
            blocks from donors, such as `swap_zu` and `interpolate_zu`.
        options: Options of the recipe, as for `Augment`; None for its defaults.
        seed: The seed of `Augment`.
        donors_per_class: Donors of each class, and of each value of another factor.
        donor_memory: Most MiB of the bank, which every worker holds.
        batch_size: Most examples of a batch, 1 to 65,536; fewer of large images.
        threads: TensorFlow threads of a worker, unless TensorFlow already runs in it.

    Input shape:
        As for `Augment`.

    Raises:
        FileNotFoundError: If the bundle is missing.
        TypeError: If the bundle is no path.
        ValueError: As `Augment`; or if the bank could be larger than `donor_memory`, or the recipe
            takes no donors.

    Example:
        >>> records = latentloom.open_dataset("data")[:100]
        >>> with beam.Pipeline(runner=runner) as pipeline:
        ...     examples = pipeline | beam.Create(list(records))
        ...     donors = examples | latentloom.beam.DonorBank("bundle", "swap_zu")
        ...     swap = latentloom.beam.Augment("bundle", "swap_zu", donors=donors, gate=False)
        ...     _ = examples | swap | beam.combiners.Count.Globally() | beam.Map(print)
        100
    """

    def __init__(
        self,
        bundle: Location,
        recipe: str,
        *,
        options: Mapping[str, Option] | None = None,
        seed: int = 0,
        donors_per_class: int = 64,
        donor_memory: int = 1024,
        batch_size: int = 1024,
        threads: int = 1,
    ):
        super().__init__(Donors)
        self._job = plan_variant_job(
            bundle,
            "DonorBank",
            recipe=recipe,
            options=dict(options or {}),
            seed=seed,
            donors_per_class=donors_per_class,
            donor_memory=donor_memory,
            threads=threads,
        )
        if not self._job.recipe.needs_donors:
            raise ValueError(
                f"The recipe '{recipe}' takes no donors. Expected: a recipe with donors, such as "
                f"'swap_zu'. Received: recipe={recipe!r}. Leave the bank out."
            )
        self._batch_size = checked_batch_size(batch_size)

    def expand(self, input_or_inputs: PCollection) -> Any:
        """Connects examples to the bank."""
        fn = SampleExamples(self._job, self._batch_size, self._failures)
        found, merge = self._apply(input_or_inputs, fn), beam.CombineGlobally(MergeAll())
        merge = "MergeDonors" >> merge.without_defaults().with_output_types(Donors)
        if isinstance(found, PCollection):
            return found | merge
        parts, bad = found
        return parts | merge, bad
