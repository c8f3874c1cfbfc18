"""Divides the time of a training among the model and its two judges."""

from __future__ import annotations

from latentloom.pipeline.config.ranges import MOST_MINUTES

SHARES = {"train": 0.8, "judge": 0.1}
"""Share of the minutes for the model, and for each of the two judges, whose steps are cheaper."""


def time_settings(minutes: float | None) -> list[str]:
    """Returns the settings that limit model and judges to a time together.

    Args:
        minutes: Time of the whole training; None for no limit.

    Raises:
        ValueError: The time is not above 0, or longer than a training may take.
    """
    if minutes is None:
        return []
    if not 0 < minutes <= MOST_MINUTES:
        raise ValueError(
            f"The time of the training is out of range. Expected: above 0 and at most "
            f"{MOST_MINUTES:,} minutes. Received: --minutes={minutes:g}. Choose another time, or "
            "leave it out for no limit."
        )
    return [f"{section}.minutes={share * minutes:.6g}" for section, share in SHARES.items()]
