from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoengine.engine.money import percent_of, spread


@pytest.mark.parametrize(
    ("amount", "percent", "share"),
    [
        (20000, "10", 2000),
        (33, "50", 17),  # 16.5 rounds up
        (1, "49.9", 0),
        (1, "50", 1),
        (0, "100", 0),
        (999, "100", 999),
        (1050, "12.5", 131),
    ],
)
def test_a_percentage_is_rounded_half_up(amount, percent, share):
    assert percent_of(amount, Decimal(percent)) == share


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (300, [3300, 3400], [148, 152]),
        (1000, [2000, 4500, 6000], [160, 360, 480]),
        (1000, [2, 3, 3], [250, 375, 375]),
        (1, [1, 1, 1], [1, 0, 0]),
        (100, [1, 1, 1], [34, 33, 33]),
        (5, [0, 7], [0, 5]),
        (0, [0, 0], [0, 0]),
    ],
)
def test_the_largest_remainders_get_what_is_left(total, weights, parts):
    assert spread(total, weights) == parts


@pytest.mark.parametrize(("total", "weights"), [(5, [0, 0]), (5, []), (5, [3, -1])])
def test_nothing_is_spread_over_nothing(total, weights):
    with pytest.raises(ValueError, match=r"weights|nothing"):
        spread(total, weights)


@given(total=st.integers(0, 10**9), weights=st.lists(st.integers(0, 10**7), min_size=1, max_size=60))
def test_parts_sum_to_the_whole_and_are_fair(total, weights):
    weights = [*weights, 1]

    parts = spread(total, weights)

    assert sum(parts) == total
    assert all(
        abs(part * sum(weights) - total * weight) < sum(weights)
        for part, weight in zip(parts, weights, strict=True)
    )
