"""Rate limits: numbers are given out once, whoever asks, and never more than the limit."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from promoengine.core.api import rate


@pytest.fixture
def name() -> Iterator[str]:
    yield f"rate:{uuid.uuid4()}"
    rate._leases.clear()


def test_no_number_is_given_out_twice(name):
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: rate._number(name, 0, 60, at_once=5), range(200)))

    assert len(set(numbers)) == 200
    assert min(numbers) == 1


def test_processes_never_let_more_through_than_the_limit(name):
    """Another process is one that has not kept what this one fetched."""
    let_through = 0
    for number in range(5000):
        if number % 7 == 0:
            rate._leases.clear()
        let_through += rate._number(name, 0, 60, at_once=3) <= 3000

    assert let_through <= 3000


def test_a_low_limit_is_counted_one_by_one(settings):
    settings.RATE_LIMIT_PER_MINUTE = 100
    key = str(uuid.uuid4())

    remaining = [rate.allowance_of_key(key).remaining for _ in range(3)]

    assert remaining == [99, 98, 97]
