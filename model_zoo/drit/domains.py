"""Batches of images in pairs of two domains, and the check that data allow them."""

from __future__ import annotations

import logging

import numpy as np

from latentloom.model_zoo.training.batches import Batches, Factors, factors_of, labels_of
from latentloom.model_zoo.training.draws import member_at, rows_by_value
from latentloom.model_zoo.training.sharers import columns

logger = logging.getLogger(__name__)

FEWEST = 16
"""Fewest training examples of a domain."""
SETTING = "model.args.domain"


class DomainBatches(Batches):
    """Batches of images of two domains a pair, which depend only on the seed, the epoch, the step.

    The rows of a pair lie side by side, so each device has whole pairs. The first image of a pair
    is of any domain, all as likely, however rare; the second of any other. Then each is an example
    of its domain, whatever its class: images of a pair need show nothing in common.

    A batch is `(images, {"domain": ..., "label": ...})`: `(batch, height, width, channels)`
    float32, and two `(batch,)` int32.

    Args:
        images: `(n, height, width, channels)` uint8.
        factors: Factors of the images.
        pool: Images and factors of the second images, of two domains or more.
        domain: Name of the factor whose values are the domains.
        **settings: Further arguments of `Batches`; an epoch has as many batches, all of full size,
            which is even for every device.

    Raises:
        ValueError: The examples lack a factor, or a batch has no room for a pair.
    """

    def __init__(
        self,
        images: np.ndarray,
        factors: Factors,
        *,
        pool: tuple[np.ndarray, Factors],
        domain: str,
        **settings,
    ):
        super().__init__(images, labels_of(factors), **settings)
        self.batch_size -= self.batch_size % (2 * settings.get("divisor", 1))
        if not self.batch_size:
            raise ValueError(
                "A batch has no room for a pair. Expected: two images or more for each device. "
                f"Received: batch_size={settings['batch_size']}. Raise `train.batch_size`."
            )
        self.pool = pool[0]
        self.codes = [_codes(each, domain).astype(np.int32) for each in (factors, pool[1])]
        self.members = [rows_by_value(codes[:, 1]) for codes in self.codes]

    def __getitem__(self, index: int):
        position = self.position(index)
        rows = self.draw(self.generator("domains", *position))
        parts = zip((self.observations, self.pool), self.codes, rows.T, strict=True)
        images, codes = zip(*((kept[r], codes[r]) for kept, codes, r in parts), strict=True)
        codes = _side_by_side(codes)
        answers = {"label": codes[:, 0], "domain": codes[:, 1]}
        return self.observe(_side_by_side(images), position), answers

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Draws the images of each pair, `(batch / 2, 2)`."""
        own, pool = self.members
        uniforms = generator.random((self.batch_size // 2, 4)).tolist()
        rows = np.empty((len(uniforms), 2), np.int64)
        for pair, draws in enumerate(uniforms):
            first = member_at(list(own), draws[0])
            second = member_at([domain for domain in pool if domain != first], draws[1])
            rows[pair] = member_at(own[first], draws[2]), member_at(pool[second], draws[3])
        return rows


def check_domains(factors: Factors, domain: str, num_domains: int) -> None:
    """Checks that training examples allow translation between their domains.

    Warns if every class has examples of one domain alone.

    Args:
        factors: Factors of the training examples.
        domain: Name of the factor whose values are the domains.
        num_domains: Number of domains.

    Raises:
        ValueError: The examples lack a factor or a label, there are too few of a domain, or the
            domain tells the label.
    """
    codes = _codes(factors, domain)
    if codes[:, 0].min() < 0:
        raise ValueError(
            "A training example has no label. Expected: labels of 0 or more in every domain. "
            f"Received: label {codes[:, 0].min()}. Label the example, or leave it out."
        )
    counts = np.bincount(codes[:, 1], minlength=num_domains)
    if counts.min() < FEWEST:
        raise ValueError(
            f"A domain has too few training examples. Expected: at least {FEWEST} of every value "
            f"of '{domain}'. Received: {counts.min()} of value {counts.argmin()}. Import more "
            f"examples of it, or drop it. Another factor can be `{SETTING}`."
        )
    if domain != "label":
        _check_tie(codes, domain)


def _check_tie(codes: np.ndarray, domain: str) -> None:
    """Rejects a domain that tells the label; warns if the label tells the domain."""
    cells = np.unique(codes, axis=0)
    classes, domains = (len(np.unique(column)) for column in codes.T)
    if len(cells) == domains and classes > 1:
        raise ValueError(
            f"Domain '{domain}' tells the label: each domain has images of one class. Expected: "
            "domains with images of several classes. Received: pairs of domain and label "
            f"{cells[:8, ::-1].tolist()}. A translation would change the class with the domain, "
            f"and no critic objects. Set `{SETTING}` to label to translate between classes, or "
            "add images of other classes to each domain."
        )
    if len(cells) == classes > 1:
        logger.warning(
            "Every class has images of one domain '%s' alone. No real image shows what a "
            "translation should be, and the critic may ask for another class: check with the gate "
            "how many translations keep theirs.",
            domain,
        )


def _codes(factors: Factors, domain: str) -> np.ndarray:
    """Label and domain side by side, `(n, 2)`."""
    return columns(factors_of(factors), ["label", domain], SETTING)


def _side_by_side(columns_of_pairs) -> np.ndarray:
    """Puts the second image of each pair after its first, `(batch, ...)`."""
    stacked = np.stack(columns_of_pairs, axis=1)
    return stacked.reshape(-1, *stacked.shape[2:])
