"""The quality gate: turns a judge's probabilities into verdicts with reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from latentloom.augment.columns import as_integers, check_lengths

__all__ = ["REASONS", "QualityGate", "Verdicts"]

REASONS = ("accepted", "not_finite", "wrong_class", "low_confidence")
"""Names of the reasons, by their code; with several factors `wrong_<factor>` follow them."""


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What the gate decided, one row per variant.

    Args:
        accepted: bool of shape `(n,)`.
        reason: int8 of shape `(n,)`, index into `reasons`; 0 where accepted.
        confidence: float32 of shape `(n,)`: the judge's probability of the expected class, 0 where
            it is not finite.
        confidences: The judge's probability of the expected value by factor, float32 of shape
            `(n,)`, for each factor that was judged besides the class.
        reasons: Names of the reasons.
        of_class: Whether the gate for the class accepts each, bool of shape `(n,)`; None if it is
            the only gate.
        realistic: Whether the gate for realism accepts each, whatever its class, bool of shape
            `(n,)`; None without this gate.
    """

    accepted: np.ndarray
    reason: np.ndarray
    confidence: np.ndarray
    confidences: dict[str, np.ndarray] = field(default_factory=dict)
    reasons: tuple[str, ...] = REASONS
    of_class: np.ndarray | None = None
    realistic: np.ndarray | None = None

    def refined(self, failures: Mapping[str, np.ndarray]) -> Verdicts:
        """Returns the verdicts of another gate on top of these, which give the reason first.

        Args:
            failures: By reason whether the other gate rejects each, bool of shape `(n,)`.
        """
        reasons = self.reasons + tuple(failures)
        codes = range(len(self.reasons), len(reasons))
        failed = list(failures.values())
        reason = np.select([~self.accepted, *failed], [self.reason, *codes], default=0)
        return replace(
            self,
            accepted=reason == 0,
            reason=reason.astype(np.int8),
            reasons=reasons,
            of_class=self.accepted,
            realistic=~np.logical_or.reduce(failed),
        )

    def counts(self) -> dict[str, int]:
        """Returns how many variants have each reason, zeros included."""
        numbers = np.bincount(self.reason, minlength=len(self.reasons))
        return dict(zip(self.reasons, numbers.tolist(), strict=True))


@dataclass(frozen=True)
class QualityGate:
    """Accepts a variant if the judge sees its expected values with enough confidence.

    Args:
        min_confidence: Float in `[0, 1]`, least probability of the expected class.
        min_confidence_of: Thresholds by factor, in `[0, 1]`; other factors use `min_confidence`.
        enabled: Whether to reject variants. A disabled gate accepts every variant and still reports
            confidences.
        ignored: Factors that never cause a rejection; the gate still reports their confidences.
            Meant for factors that the judge cannot learn, such as one that is confounded with
            another in its training examples.
        false_refusals: Share of held-out real examples that the gate for realism, which comes after
            this one, refuses; None for no such gate. `RealismGate` has the bounds.

    Example:
        >>> gate = QualityGate(min_confidence=0.8)
        >>> gate.judge(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 1])).counts()
        {'accepted': 1, 'not_finite': 0, 'wrong_class': 0, 'low_confidence': 1}
    """

    min_confidence: float = 0.0
    enabled: bool = True
    min_confidence_of: Mapping[str, float] = field(default_factory=dict)
    ignored: Collection[str] = ()
    false_refusals: float | None = None

    def __post_init__(self) -> None:
        for threshold in (self.min_confidence, *self.min_confidence_of.values()):
            if not 0 <= threshold <= 1:
                raise ValueError(
                    "The quality gate has a threshold out of range. Expected: 0 <= min_confidence "
                    f"<= 1. Received: min_confidence={threshold}. Pass a probability."
                )

    def judge_factors(
        self, probabilities: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
    ) -> Verdicts:
        """Judges variants by every factor that is expected and that the judge reads.

        A variant is accepted if every factor is. The first reason that applies counts, in the
        order: not finite, wrong class, another wrong factor, low confidence.

        Args:
            probabilities: Per factor floats of shape `(n, num_values)`; `label` among them.
            expected: Per factor value indices of shape `(n,)`; `label` among them.

        Returns:
            The verdicts; their reasons name the wrong factor.

        Raises:
            ValueError: As in `judge`.
        """
        judged = {
            factor: self._of(factor).judge(probabilities[factor], expected[factor])
            for factor in probabilities
            if factor in expected
        }
        label = judged.pop("label")
        not_finite, wrong, unsure = (
            np.stack([v.reason == code for v in (label, *judged.values())]) for code in (1, 2, 3)
        )
        failures = [not_finite.any(axis=0), *wrong, unsure.any(axis=0)]
        codes = [1, 2, *range(len(REASONS), len(REASONS) + len(judged)), 3]
        reason = np.select(failures, codes, default=0).astype(np.int8)
        return Verdicts(
            accepted=reason == 0,
            reason=reason,
            confidence=label.confidence,
            confidences={factor: verdicts.confidence for factor, verdicts in judged.items()},
            reasons=REASONS + tuple(f"wrong_{factor}" for factor in judged),
        )

    def threshold(self, factor: str) -> float:
        """Returns the least probability of the expected value of a factor."""
        return self.min_confidence_of.get(factor, self.min_confidence)

    def _of(self, factor: str) -> QualityGate:
        """Returns the gate of one factor, which judges the factor as a class."""
        enabled = self.enabled and factor not in self.ignored
        return QualityGate(self.threshold(factor), enabled)

    def judge(self, probabilities: np.ndarray, expected: np.ndarray) -> Verdicts:
        """Judges variants by their class alone; of several reasons the first in `REASONS` counts.

        Args:
            probabilities: Floats of shape `(n, C)`: the judge's output.
            expected: Class indices of shape `(n,)`.

        Returns:
            The verdicts.

        Raises:
            ValueError: If the shapes do not fit, or a class or a probability is out of range.
        """
        probabilities = np.asarray(probabilities, np.float32)
        expected = as_integers("Quality gate", "expected", expected)
        _check_classes(probabilities, expected)
        finite = np.logical_and.reduce(np.isfinite(probabilities), axis=-1)
        probabilities = np.where(finite[:, None], probabilities, 0)
        _check_range(probabilities)
        confidence = np.take_along_axis(probabilities, expected[:, None], axis=-1)[:, 0]
        # Not argmax: a tie for the highest probability must not depend on the order of classes.
        wrong = confidence < probabilities.max(axis=-1)
        failures = [~finite, wrong, confidence < self.min_confidence]
        reason = np.select(failures, [1, 2, 3], default=0).astype(np.int8)
        if not self.enabled or "label" in self.ignored:
            reason = np.zeros_like(reason)
        return Verdicts(reason == 0, reason, confidence)


def _check_classes(probabilities: np.ndarray, expected: np.ndarray) -> None:
    if probabilities.ndim != 2 or probabilities.shape[1] == 0:
        raise ValueError(
            "The judge's output has the wrong shape. Expected: `(n, num_classes)`. Received: "
            f"probabilities.shape={probabilities.shape}. Pass one row of probabilities a variant."
        )
    check_lengths("Quality gate", len(probabilities), {"expected": expected})
    num_classes = probabilities.shape[1]
    if expected.size and not (0 <= expected.min() and expected.max() < num_classes):
        raise ValueError(
            f"The judge does not know a class. Expected: classes in `[0, {num_classes})`. "
            f"Received: expected from {expected.min()} to {expected.max()}. Use the judge that was "
            "trained on these classes."
        )


def _check_range(probabilities: np.ndarray) -> None:
    if ((probabilities < 0) | (probabilities > 1 + 1e-3)).any():
        raise ValueError(
            "The judge's output is not a distribution. Expected: probabilities in `[0, 1]`. "
            f"Received: values from {probabilities.min()} to {probabilities.max()}. Apply softmax "
            "to logits first."
        )
