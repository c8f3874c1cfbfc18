"""Augment: variants of the examples of a Beam collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from apache_beam.pvalue import AsSingleton, PCollection, PValue
from apache_beam.typehints import Dict

from latentloom.augment.options import Option
from latentloom.pipeline.beam_transforms.transform import ExamplesTransform
from latentloom.pipeline.beam_transforms.variant_job import VariantJob, plan_variant_job
from latentloom.pipeline.beam_transforms.varying import VaryExamples
from latentloom.pipeline.storage.files import Location

OUTPUTS = {"examples": bytes, "dicts": Dict[str, Any]}
"""Types of variants, by the argument `output`."""
MOST_EXAMPLES = 1 << 16
"""Largest number of examples of a batch."""


class Augment(ExamplesTransform):
    """Turns a collection of examples into a collection of their variants.

    A variant depends on the bundle, the recipe with its options, the seed, the id of its example
    and its number, and with donors on the examples that the bank is made from: not on the batches,
    the workers or the runner. It is the variant of the same id, bit for bit, that
    `latentloom generate` writes with these settings (`sampling_strategy` left out, all else at its
    default). `recombine_factors` is refused: it counts a whole data set to plan its cells. A
    quota of each class is for `generate` too, since it divides a number among all examples.

    Examples are worked on in batches within a bundle of elements, and a process loads the model
    once. Those of cells that were held out of training are skipped. Two examples of one id have
    variants of one id.

    Beam's counters, in the namespace `latentloom`, count the work done, twice where a runner does
    it twice: `requested` variants, `made` candidates, `accepted`, `rejected_<reason>`,
    `dead_letters` and `held_out` examples.

    Args:
        bundle: Directory of a trained bundle, local or remote; every worker reads it.
        recipe: Name of the recipe.
        options: Options of the recipe; None for its defaults.
        variants: Variants of each example, 1 to 10,000.
        gate: Settings of the gate, such as `{"min_confidence": 0.8}`; False for off. By default
            up to three attempts at a variant of which the judge is sure by 0.9.
        seed: Another seed, other variants.
        detail: Share of an example's own detail, in `[0, 1]`, that goes into its variants.
        differ: Pairs of factors whose values must not have the same name.
        donors: What `DonorBank` gives, for the recipes that take donors.
        output: `"examples"` for serialised `tf.train.Example`s, with the features that `generate`
            writes; `"dicts"` for dictionaries of NumPy values, as `open_dataset` reads them.
        batch_size: Most examples of a batch, 1 to 65,536; fewer of large images or many variants.
        threads: TensorFlow threads of a worker, unless TensorFlow already runs in it.

    Input shape:
        Serialised `tf.train.Example`s with the features of a data set directory (`example_id`, the
        label and the other factors as integers, `image` as PNG, `observation` or `words`), or
        dictionaries of the same names: `image` uint8 of shape `(height, width, channels)`,
        `observation` float32 of shape `(features,)`, or `words` int32 counts of shape `(words,)`.

    Raises:
        FileNotFoundError: If the bundle is missing.
        TypeError: If bundle or donors are of a wrong type.
        ValueError: If an argument is wrong, recipe and bundle do not fit, donors are missing, or
            Keras does not run on TensorFlow. In a running pipeline the first example that does not
            fit raises one too, unless `with_exception_handling()` collects such examples.

    Example:
        >>> records = latentloom.open_dataset("data")[:3]
        >>> with beam.Pipeline(runner=runner) as pipeline:
        ...     examples = pipeline | beam.Create(list(records))
        ...     variants = examples | latentloom.beam.Augment("bundle", variants=2, gate=False)
        ...     _ = variants | beam.combiners.Count.Globally() | beam.Map(print)
        6
    """

    def __init__(
        self,
        bundle: Location,
        recipe: str = "class_preserving",
        *,
        options: Mapping[str, Option] | None = None,
        variants: int = 1,
        gate: Mapping[str, Any] | bool = True,
        seed: int = 0,
        detail: float = 0.0,
        differ: Sequence[tuple[str, str]] = (),
        donors: PValue | AsSingleton | None = None,
        output: Literal["examples", "dicts"] = "examples",
        batch_size: int = 1024,
        threads: int = 1,
    ):
        if output not in OUTPUTS:
            raise ValueError(
                f"Augment has no such output. Expected: one of {list(OUTPUTS)}. Received: "
                f"output={output!r}. Name one of these."
            )
        super().__init__(OUTPUTS[output])
        self._job = plan_variant_job(
            bundle,
            "Augment",
            recipe=recipe,
            options=dict(options or {}),
            variants_per_example=variants,
            gate={"enabled": gate} if isinstance(gate, bool) else gate,
            seed=seed,
            detail=detail,
            differ=list(differ),
            threads=threads,
        )
        self._donors = _as_side_input(donors, self._job)
        self._batch_size, self._as_dicts = checked_batch_size(batch_size), output == "dicts"

    def expand(self, input_or_inputs: PCollection) -> Any:
        """Connects examples to variants."""
        arguments = (self._job, self._batch_size, self._failures)
        fn = VaryExamples(*arguments, as_dicts=self._as_dicts)
        return self._apply(input_or_inputs, fn, **self._donors)


def checked_batch_size(batch_size: int) -> int:
    """Returns the most examples of a batch; raises `ValueError` if it is out of range."""
    is_number = isinstance(batch_size, int) and not isinstance(batch_size, bool)
    if not is_number or not 1 <= batch_size <= MOST_EXAMPLES:
        raise ValueError(
            f"The batch size is out of range. Expected: 1 to {MOST_EXAMPLES} examples. Received: "
            f"batch_size={batch_size!r}. Leave it out to get 1024."
        )
    return batch_size


def _as_side_input(donors: Any, job: VariantJob) -> dict[str, AsSingleton]:
    """Returns the side inputs of the work: the donors, if the recipe has any."""
    name, takes = job.settings.recipe, job.recipe.needs_donors
    if donors is not None and not isinstance(donors, (PCollection, AsSingleton)):
        raise TypeError(
            "The donors are of a wrong type. Expected: the collection that DonorBank gives. "
            f"Received: donors of type {type(donors).__name__}. Pass donors=examples | "
            f"DonorBank(bundle, {name!r})."
        )
    if takes and donors is None:
        raise ValueError(
            f"The recipe '{name}' takes donors, and there are none. Expected: the collection that "
            "DonorBank gives. Received: donors=None. Pass donors=examples | "
            f"latentloom.beam.DonorBank(bundle, {name!r})."
        )
    if donors is not None and not takes:
        raise ValueError(
            f"The recipe '{name}' takes no donors. Expected: donors=None. Received: a collection. "
            "Leave `donors` out, or choose another recipe."
        )
    if isinstance(donors, PCollection):
        donors = AsSingleton(donors, default_value=None)
    return {} if donors is None else {"donors": donors}
