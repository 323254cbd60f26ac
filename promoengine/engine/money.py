"""Exact arithmetic on integer minor units."""

from collections.abc import Sequence
from decimal import Decimal


def percent_of(amount: int, percent: Decimal) -> int:
    """Return `percent` % of `amount` minor units, rounded half up."""
    numerator, denominator = percent.as_integer_ratio()
    return divided(amount * numerator, 100 * denominator)


def share_of(amount: int, units: int, quantity: int) -> int:
    """Return what `units` of a line's `quantity` cost of its `amount` minor units, rounded half up.

    All of its units, also of a line that has none, cost all of it.
    """
    return amount if units >= quantity else divided(amount * units, quantity)


def divided(numerator: int, denominator: int) -> int:
    """Return the quotient of two numbers that are not negative, rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` into parts in proportion to `weights`; the parts always sum to the whole.

    Each part is rounded down, and the units left over go to the largest remainders, the earlier first
    (Hamilton's method). Weights that are all zero share nothing but zero.

    Raises:
        ValueError: a negative weight, or a total to split over no weight at all.
    """
    whole = sum(weights)
    if any(weight < 0 for weight in weights):
        raise ValueError("weights may not be negative")
    if whole == 0:
        if total:
            raise ValueError("nothing to spread over")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts
