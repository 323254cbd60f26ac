"""Exact arithmetic on integer minor units."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal


def percent_of(amount: int, percent: Decimal) -> int:
    """Return `percent` % of `amount` minor units, rounded half up."""
    return int((amount * percent / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


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
