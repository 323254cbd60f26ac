"""What refunds pay back, whatever was bought, discounted and returned, in whichever order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from promoengine.engine.allocation import (
    attribute,
    fitted,
    share_of_units,
    share_out,
    shares_of_units,
    stretched,
    worths,
)
from promoengine.engine.discounts import parse_discount
from promoengine.engine.order import Item, Order
from promoengine.engine.refunds import PaidBack, Sold, work_out_refund
from tests.engine.test_discount_properties import discounts, odd_orders

MANY = settings(max_examples=200, deadline=None)
STEPS = st.lists(discounts(), max_size=4)


def allocated(order, steps):
    """Return the order after the discounts, and what each took off each place."""
    taken, allocations = [0] * (len(order.items) + 1), []
    for wire in steps:
        after = parse_discount(wire).apply(order).order
        parts = share_out(order, after, taken)
        taken = [was + part for was, part in zip(stretched(taken, len(parts)), parts, strict=True)]
        allocations.append(parts)
        order = after
    return order, allocations


def sold_of(order, steps):
    after, allocations = allocated(order, steps)
    costs = worths(after)
    quantities = [*(item.quantity for item in after.items), 1 if costs[-1] else 0]
    said = [stretched(parts, len(costs)) for parts in allocations]
    taken = [sum(column) for column in zip(*said, strict=True)] or [0] * len(costs)
    shared = fitted(taken, costs, after.total_discount)
    parts = attribute(shared, allocations, [1] * len(allocations))
    return after, [
        Sold(cost, quantity, of_place)
        for cost, quantity, of_place in zip(costs, quantities, zip(*parts, strict=True), strict=True)
    ]


def back_one_by_one(sold, batches, *, gifts=frozenset(), kept_worth=lambda left: None):
    """Return units batch by batch, and give what was paid back each time."""
    sold, paid, made = list(sold), PaidBack(), []
    for batch in batches:
        counts = {place: min(count, sold[place].left) for place, count in batch.items()}
        counts = {place: count for place, count in counts.items() if count}
        if not counts:
            continue
        amounts = work_out_refund(
            sold,
            counts,
            gifts={gift: sum(one.parts[gift] for one in sold) for gift in gifts},
            paid_back=paid,
            kept_worth=kept_worth(len(made)),
        )
        for place, count in counts.items():
            one = sold[place]
            sold[place] = Sold(one.worth, one.quantity, one.parts, one.returned + count)
        credits = {
            gift: paid.credits.get(gift, 0) + amounts.credits.get(gift, 0)
            for gift in {*paid.credits, *amounts.credits}
        }
        paid = PaidBack(paid.money + amounts.money, credits)
        made.append(amounts)
    return sold, paid, made


@st.composite
def returns(draw, least=0):
    """A sold order, and batches of units that come back of it, all of them at last."""
    order, steps = draw(odd_orders), draw(STEPS)
    after, sold = sold_of(order, steps)
    batch = st.dictionaries(st.integers(0, len(sold) - 1), st.integers(1, 60), max_size=3)
    batches = draw(st.lists(batch, min_size=least, max_size=5))
    gifts = draw(st.frozensets(st.integers(0, len(steps) - 1))) if steps else frozenset()
    return after, sold, batches, gifts


EVERYTHING = 2**60


def all_of(sold):
    return {place: EVERYTHING for place, one in enumerate(sold) if one.left}


@MANY
@given(odd_orders, STEPS)
def test_what_is_shared_out_sums_to_the_discount_and_fits_the_lines(order, steps):
    before = order
    for wire in steps:
        after = parse_discount(wire).apply(before).order
        settled = share_out(before, after, [0] * (len(before.items) + 1))

        assert sum(settled) == after.total_discount - before.total_discount
        assert all(0 <= part <= cost for part, cost in zip(settled, worths(after), strict=True))
        before = after


@MANY
@given(odd_orders, STEPS)
def test_the_places_cost_what_the_order_costs_and_bear_its_discounts(order, steps):
    after, sold = sold_of(order, steps)

    assert sum(one.worth for one in sold) == after.amount
    assert sum(sum(one.parts) for one in sold) == after.total_discount
    assert all(0 <= sum(one.parts) <= one.worth and min(one.parts) >= 0 for one in sold)


@given(st.integers(0, 10**9), st.integers(1, 1000), st.data())
def test_units_shares_sum_to_the_whole_and_differ_by_one_at_most(total, quantity, data):
    first = data.draw(st.integers(0, quantity - 1))

    shares = [share_of_units(total, quantity, first=unit, count=1) for unit in range(quantity)]

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1
    assert share_of_units(total, quantity, first=first, count=quantity - first) == sum(shares[first:])


@given(st.lists(st.integers(0, 10**6), max_size=6), st.integers(0, 10**6), st.integers(1, 50))
def test_no_unit_bears_more_than_it_costs(parts, more, quantity):
    worth = sum(parts) + more

    for unit in range(quantity):
        shares = shares_of_units(parts, quantity, first=unit, count=1)
        assert min(shares, default=0) >= 0
        assert sum(shares) <= share_of_units(worth, quantity, first=unit, count=1)


@MANY
@given(returns())
def test_refunding_everything_pays_back_exactly_what_was_paid(found):
    after, sold, batches, gifts = found

    _, paid, made = back_one_by_one(sold, [*batches, all_of(sold)], gifts=gifts)

    assert paid.value == after.amount - sum(
        sum(part for number, part in enumerate(one.parts) if number not in gifts) for one in sold
    )
    assert {gift: paid.credits.get(gift, 0) for gift in gifts} == {
        gift: sum(one.parts[gift] for one in sold) for gift in gifts
    }
    assert all(one.money >= 0 and one.held_back == 0 for one in made)


@MANY
@given(returns(), st.randoms())
def test_the_order_of_refunds_does_not_matter(found, random):
    _, sold, batches, gifts = found
    units = [place for batch in batches for place, count in batch.items() for _ in range(count)]
    shuffled = random.sample(units, len(units))

    once, paid_once, _ = back_one_by_one(sold, batches, gifts=gifts)
    other, paid_other, _ = back_one_by_one(sold, [{place: 1} for place in shuffled], gifts=gifts)

    assert [one.returned for one in once] == [one.returned for one in other]
    assert paid_once.money == paid_other.money
    assert paid_once.value == paid_other.value


@MANY
@given(returns(least=1), st.lists(st.integers(0, 10**7), min_size=9, max_size=9))
def test_holding_back_is_never_negative_and_ends_when_all_is_back(found, kept):
    after, sold, batches, gifts = found

    _, paid, made = back_one_by_one(
        sold, [*batches, all_of(sold)], gifts=gifts, kept_worth=lambda number: kept[number]
    )

    assert all(one.money >= 0 and all(part > 0 for part in one.credits.values()) for one in made)
    discounts = sum(sum(part for number, part in enumerate(one.parts) if number not in gifts) for one in sold)
    assert paid.value == after.amount - discounts
    for one in made:
        assert sum(place.money for place in one.places) == one.money
        assert sum(place.credits for place in one.places) == sum(one.credits.values())


@given(st.lists(st.lists(st.integers(0, 100), min_size=3, max_size=3), max_size=4), st.integers(0, 4))
def test_what_was_canceled_before_is_nobodys(allocations, canceled):
    counted = allocations[canceled:]
    shared = [sum(column) for column in zip(*counted, strict=True)] if counted else [0, 0, 0]

    parts = attribute(shared, allocations, [1] * len(allocations))

    assert [sum(column) for column in zip(*parts, strict=True)] == shared
    assert parts[-1] == [0, 0, 0]
    assert all(part in (said, [0, 0, 0]) for part, said in zip(parts, allocations, strict=False))


@given(
    st.lists(st.integers(0, 100), min_size=1, max_size=4),
    st.lists(st.integers(0, 100), max_size=4),
)
def test_what_nobody_said_is_split_by_weight(shared, weights):
    parts = attribute(shared, [None] * len(weights), weights)

    assert [sum(column) for column in zip(*parts, strict=True)] == shared


def test_a_discount_on_a_line_that_was_shared_to_goes_to_the_others_where_it_does_not_fit():
    # 10.00 off an order of two lines, 5.00 each; then the first is free, and 5.00 are left to pay of it.
    cart = Order(2000, (Item(1000), Item(1000)))
    cheaper = cart.discount_order(1000)
    free = cheaper.discount_items([1000, 0])

    first = share_out(cart, cheaper, [0, 0, 0])
    second = share_out(cheaper, free, first)

    assert (first, second) == ([500, 500, 0], [500, 500, 0])
