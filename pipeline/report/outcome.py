"""The figures of a generation from which bad news and advice follow."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from latentloom.pipeline.config.settings import GenerateConfig
from latentloom.pipeline.report.measure import Measure
from latentloom.pipeline.report.rejections import REALISM, by_gate

FEW = 1 / 3
"""Share of the variants below which there are few."""


@dataclass(frozen=True)
class Outcome:
    """The figures of a generation, from which bad news and advice follow.

    Attributes:
        settings: Section `generate` of the configuration.
        requested: Variants asked for.
        written: Variants written, by class.
        rejections: Candidates that the gate rejected in all attempts, by class and reason.
        dead: Variants without a readable anchor.
        passed: Share of the first attempts that the gate accepts; None if not measured.
        weak_judge: Accuracy on real examples of a judge or an auditor that is weak; None if none is
            weak or nothing is known.
        unlearnt: Share of the variance that reconstructions explain, if it is below its threshold;
            else None.
        has_detail: Whether the observations have a detail to put back.
    """

    settings: GenerateConfig
    requested: int
    written: Mapping[str, int]
    rejections: Mapping[str, Mapping[str, int]]
    dead: int = 0
    passed: float | None = None
    weak_judge: float | None = None
    unlearnt: Measure | None = None
    has_detail: bool = True

    @property
    def accepted(self) -> int:
        """Variants written, of all classes."""
        return sum(self.written.values())

    @functools.cached_property
    def candidates(self) -> dict[str, int]:
        """Candidates drawn in all attempts, by class; classes without any are left out."""
        drawn = {
            name: self.written.get(name, 0) + sum(self.rejections.get(name, {}).values())
            for name in {**self.written, **self.rejections}
        }
        return {name: number for name, number in drawn.items() if number}

    @property
    def missing(self) -> list[str]:
        """Classes that variants were drawn of and none was accepted."""
        return [name for name in self.candidates if not self.written.get(name)]

    @property
    def has_few(self) -> bool:
        """Whether few of the variants asked for were written, or few first attempts pass."""
        if self.accepted < FEW * self.requested:
            return True
        return self.settings.gate.enabled and self.passed is not None and self.passed < FEW

    @property
    def concerned(self) -> list[str]:
        """Classes that advice is for: those without any if there are enough variants else."""
        return list(self.candidates) if self.has_few else self.missing

    @functools.cached_property
    def reasons(self) -> Counter[str]:
        """Rejections of the concerned classes by reason."""
        found: Counter[str] = Counter()
        for name in self.concerned:
            found.update(self.rejections.get(name, {}))
        return found

    @functools.cached_property
    def rates(self) -> dict[str, float]:
        """Share of the candidates that each gate rejects, of those that it judges.

        The gate for realism comes last: it judges what all others accept.
        """
        counts = by_gate(self.reasons)
        judged = sum(self.candidates[name] for name in self.concerned)
        others = sum(count for gate, count in counts.items() if gate != REALISM)
        return {
            gate: count / (judged - others if gate == REALISM else judged)
            for gate, count in counts.items()
        }

    @property
    def main(self) -> str:
        """The gate that rejects the largest share, such as `CLASS`; empty without rejections."""
        return max(self.rates, key=self.rates.__getitem__, default="")

    @property
    def rejected(self) -> str:
        """How much this gate rejects, for a sentence."""
        of = "candidates that have their class" if self.main == REALISM else "candidates"
        return f"{self.rates[self.main]:.0%} of the {of}"
