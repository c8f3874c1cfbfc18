"""Formats an agreement as rows of the table that `verify --compare` prints."""

from __future__ import annotations

from latentloom.pipeline.verification.agreement import Agreement


def agreement_rows(agreement: Agreement) -> list[tuple[str, str, str]]:
    """Returns name, measured value and promised limit of each figure."""
    features = ", ".join(f"{name} in {count:,}" for name, count in agreement.features.items())
    shards = f"{agreement.equal_shards:,} of {agreement.shards:,}"
    first, second = agreement.alone
    return [
        ("Shards with equal bytes", shards, ""),
        ("Records in both", f"{agreement.records:,}", ""),
        ("Records in DIR alone", f"{first.count:,}", "0"),
        ("Records in OTHER alone", f"{second.count:,}", "0"),
        ("Features that differ", features or "none", "none"),
        (f"Differing {agreement.kind.many}", f"{agreement.observations:,}", ""),
        ("Share of their values that differ", f"{agreement.share:.3g}", ""),
        *(
            (f"Largest difference of {what}", f"{difference:.3g}", f"at most {most:g}")
            for what, difference, most in agreement.differences()
        ),
    ]
