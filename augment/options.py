"""Options of recipes, and their checks."""

from __future__ import annotations

from collections.abc import Mapping

from latentloom.augment.spelling import nearest

__all__ = [
    "STYLES",
    "Option",
    "check_interpolation",
    "check_same_class",
    "check_share_range",
    "check_step",
    "check_style",
    "check_temperature",
    "check_traversal",
    "read_axes",
]

Option = float | str | bool

LARGEST_TEMPERATURE = 100.0
"""Largest factor on the scale of draws from a prior."""
LARGEST_EXTENT = 100.0
"""Largest distance of a traversal, in standard deviations."""
STYLES = ("anchor", "donor", "prior")
"""Where blocks without factors come from in a recombination."""


def check_share_range(options: Mapping[str, Option]) -> None:
    """Rejects shares of the donor, `low` and `high`, outside `[0, 1]` or out of order."""
    low, high = float(options["low"]), float(options["high"])
    if not 0 <= low <= high <= 1:
        raise ValueError(
            "The donor's share is out of range. Expected: 0 <= low <= high <= 1. Received: "
            f"low={options['low']}, high={options['high']}. Pass shares, in order."
        )


def check_temperature(options: Mapping[str, Option]) -> None:
    """Rejects a `temperature` below 0 or above `LARGEST_TEMPERATURE`."""
    if not 0 <= float(options["temperature"]) <= LARGEST_TEMPERATURE:
        raise ValueError(
            f"The temperature is out of range. Expected: 0 to {LARGEST_TEMPERATURE}. Received: "
            f"temperature={options['temperature']}. Pass 1.0 for the prior itself."
        )


def check_step(options: Mapping[str, Option]) -> None:
    """Rejects a `step` outside `(0, 1]`, or a `temperature` out of range."""
    if not 0 < float(options["step"]) <= 1:
        raise ValueError(
            "The step towards the prior is out of range. Expected: above 0, at most 1. Received: "
            f"step={options['step']}. Pass 1.0 for draws that leave the anchor's code behind."
        )
    check_temperature(options)


def check_style(options: Mapping[str, Option]) -> None:
    """Rejects a `style` that is not in `STYLES`, or a `temperature` out of range."""
    if options["style"] not in STYLES:
        raise ValueError(
            f"The style is unknown. Expected: one of {sorted(STYLES)}. Received: "
            f"style={options['style']!r}. {nearest(str(options['style']), STYLES)}"
        )
    check_temperature(options)


def check_interpolation(options: Mapping[str, Option]) -> None:
    """Rejects a `same_value` other than 0 or 1, or shares out of range."""
    _check_choice(options, "same_value", "with the anchor's value", "with another")
    check_share_range(options)


def check_same_class(options: Mapping[str, Option]) -> None:
    """Rejects a `same_class` other than 0 or 1."""
    _check_choice(options, "same_class", "of the anchor's class", "of other classes")


def check_traversal(options: Mapping[str, Option]) -> None:
    """Rejects `least` and `extent` out of range or out of order, and invalid `axes`."""
    least, extent = float(options["least"]), float(options["extent"])
    if not (0 <= least <= extent and 0 < extent <= LARGEST_EXTENT):
        raise ValueError(
            "A traversal has distances out of range. Expected: 0 <= least <= extent, extent above "
            f"0 and at most {LARGEST_EXTENT}. Received: least={least}, extent={extent}. Pass "
            "standard deviations, in order."
        )
    read_axes(str(options["axes"]))


def read_axes(text: str) -> tuple[int, ...] | None:
    """Reads the numbers of axes, separated by commas.

    Args:
        text: For example `"0,1,2"`, or `"all"`.

    Returns:
        The numbers in their order, or None for all.

    Raises:
        ValueError: If the text has another form, or names a number twice.
    """
    if text == "all":
        return None
    numbers = [number.strip() for number in text.split(",")]
    if not all(map(str.isdecimal, numbers)) or len(set(map(int, numbers))) < len(numbers):
        raise ValueError(
            "The axes are invalid. Expected: 'all', or distinct integers from 0 on, separated "
            f"by commas. Received: axes={text!r}. Write for example axes=0,1,2."
        )
    return tuple(map(int, numbers))


def _check_choice(options: Mapping[str, Option], name: str, same: str, other: str) -> None:
    if options[name] not in (0, 1):
        raise ValueError(
            f"The choice of donors is unknown. Expected: {name} of 0 or 1. Received: "
            f"{name}={options[name]}. Pass 1 for donors {same} and 0 for donors {other}."
        )
