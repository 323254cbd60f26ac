"""Every named condition: met, not met, and unknown, with what it found and what it lacks."""

from decimal import Decimal

import pytest

from promoengine.engine.decide import Applicable
from promoengine.engine.facts import Customer
from promoengine.engine.findings import KINDS, MONEY, QUANTITY
from promoengine.engine.item_conditions import MARKERS
from promoengine.engine.limits import Counter
from promoengine.engine.operators import UNKNOWN
from promoengine.engine.order import Order
from promoengine.engine.payments import GiftCredits
from tests.engine.cart import cart
from tests.engine.offered import CAMPAIGN, KEY, amount, code, outcome_of

# 3 units on 2 lines for 20.00
CART = "2 hat/large [winter] {gift=yes} <color=red> @ 5.00, 1 shoe [winter sale] <color=blue> @ 10.00"
ANN = Customer(
    "ann",
    segments=frozenset({"seg_vip", "seg_new"}),
    metadata={"level": "gold", "points": 40, "address": {"floor": 3}, "shop.name": "Berlin"},
    attributes={
        "name": "Ann Lee",
        "email": "ann@shop.example",
        "phone": "+48 601",
        "birthdate": "1990-11-21",
        "source_id": "u-1",
        "loyalty_tier": "tier_gold",
        "address": {"city": "Oslo", "country": "Norway"},
    },
)
ORDER = Order(2000, metadata={"channel": "app", "tags": ["a", "b"]})
KEYS = ("key_1", "Storefront")

# name and property, condition, what is given, is it met, what it finds, how much is missing
FACTS = [
    ("customer.segment", {"$is": ["seg_vip"]}, {"customer": ANN}, True, ["seg_new", "seg_vip"], None),
    ("customer.segment", {"$in": ["seg_x", "seg_y"]}, {"customer": ANN}, False, ["seg_new", "seg_vip"], None),
    ("customer.segment", {"$is_not": ["seg_vip"]}, {"customer": ANN}, False, ["seg_new", "seg_vip"], None),
    ("customer.segment", {"$not_in": ["seg_vip"]}, {"customer": Customer("bob")}, True, [], None),
    ("customer.metadata level", {"$is": ["gold"]}, {"customer": ANN}, True, "gold", None),
    ("customer.metadata level", {"$is": ["Gold"]}, {"customer": ANN}, False, "gold", None),
    ("customer.metadata points", {"$more_than": [40]}, {"customer": ANN}, False, 40, None),
    ("customer.metadata address.floor", {"$is": [3]}, {"customer": ANN}, True, 3, None),
    ("customer.metadata shop.name", {"$is": ["Berlin"]}, {"customer": ANN}, True, "Berlin", None),
    ("customer.loyalty.tier", {"$is": ["tier_gold"]}, {"customer": ANN}, True, "tier_gold", None),
    ("customer.loyalty.tier", {"$is": ["tier_iron"]}, {"customer": ANN}, False, "tier_gold", None),
    ("customer.name", {"$starts_with": ["Ann"]}, {"customer": ANN}, True, "Ann Lee", None),
    ("customer.name", {"$starts_with": ["Lee"]}, {"customer": ANN}, False, "Ann Lee", None),
    ("customer.email", {"$ends_with": [".example"]}, {"customer": ANN}, True, "ann@shop.example", None),
    ("customer.email", {"$contains": ["@other"]}, {"customer": ANN}, False, "ann@shop.example", None),
    ("customer.phone", {"$starts_with": ["+48"]}, {"customer": ANN}, True, "+48 601", None),
    ("customer.phone", {"$not_contain": ["601"]}, {"customer": ANN}, False, "+48 601", None),
    ("customer.birthdate", {"$before": ["2000-01-01"]}, {"customer": ANN}, True, "1990-11-21", None),
    ("customer.birthdate", {"$after": ["2000-01-01"]}, {"customer": ANN}, False, "1990-11-21", None),
    ("customer.source_id", {"$in": ["u-1", "u-2"]}, {"customer": ANN}, True, "u-1", None),
    ("customer.source_id", {"$is": ["u-2"]}, {"customer": ANN}, False, "u-1", None),
    ("customer.address.city", {"$is": ["Oslo"]}, {"customer": ANN}, True, "Oslo", None),
    ("customer.address.city", {"$is": ["Bergen"]}, {"customer": ANN}, False, "Oslo", None),
    ("customer.address.country", {"$is": ["Norway"]}, {"customer": ANN}, True, "Norway", None),
    ("customer.address.country", {"$is": ["Sweden"]}, {"customer": ANN}, False, "Norway", None),
    ("order.amount", {"$more_than_or_equal": [2000]}, {}, True, 2000, None),
    ("order.amount", {"$more_than": [2000]}, {}, False, 2000, 1),
    ("order.amount", {"$more_than_or_equal": [3240]}, {}, False, 2000, 1240),
    ("order.amount", {"$less_than": [1500]}, {}, False, 2000, -501),
    ("order.amount", {"$more_than": [1500]}, {"order": Order(2000, discount=600)}, False, 1400, 101),
    ("order.total_amount", {"$is": [1900]}, {}, True, 1900, None),
    ("order.total_amount", {"$more_than_or_equal": [2000]}, {}, False, 1900, 100),
    ("order.total_amount", {"$less_than_or_equal": [0]}, {"discount": amount(5000)}, True, 0, None),
    ("order.initial_amount", {"$is": [2000]}, {"order": Order(2000, discount=600)}, True, 2000, None),
    (
        "order.initial_amount",
        {"$more_than": [1999]},
        {"order": Order(2500, initial_amount=1900)},
        False,
        1900,
        100,
    ),
    ("order.items.count", {"$is": [3]}, {}, True, 3, None),
    ("order.items.count", {"$more_than": [3]}, {}, False, 3, 1),
    ("order.metadata channel", {"$is": ["app"]}, {"order": ORDER}, True, "app", None),
    ("order.metadata channel", {"$is_not": ["app"]}, {"order": ORDER}, False, "app", None),
    ("order.metadata tags", {"$count": [2], "$contains": ["b"]}, {"order": ORDER}, True, ["a", "b"], None),
    ("redemption.metadata till", {"$less_than": [7]}, {"metadata": {"till": "5"}}, True, "5", None),
    ("redemption.metadata till", {"$is": [7]}, {"metadata": {"till": "5"}}, False, "5", None),
    ("redemption.api_key", {"$is": ["key_1"]}, {"api_key": KEYS}, True, KEYS, None),
    ("redemption.api_key", {"$in": ["Storefront"]}, {"api_key": KEYS}, True, KEYS, None),
    ("redemption.api_key", {"$is": ["key_2"]}, {"api_key": KEYS}, False, KEYS, None),
    ("redemption.user.login", {"$is": ["kim@shop"]}, {"user": "kim@shop"}, True, "kim@shop", None),
    ("redemption.user.login", {"$is": ["joe@shop"]}, {"user": "kim@shop"}, False, "kim@shop", None),
    (
        "publication.redeemable_by_linked_customer",
        {"$is": [True]},
        {"customer": ANN, "holder_id": "ann"},
        True,
        True,
        None,
    ),
    (
        "publication.redeemable_by_linked_customer",
        {"$is": ["true"]},
        {"customer": ANN, "holder_id": "bob"},
        False,
        False,
        None,
    ),
    ("publication.redeemable_by_linked_customer", {"$is": [True]}, {"customer": ANN}, False, False, None),
]
# The same on the lines of the cart above, of which two are found.
LINES = [
    ("order.items.any", {"$is": ["hat"]}, True, 1, None),
    ("order.items.any", {"$is": [{"id": "large"}]}, True, 1, None),
    ("order.items.any", {"$is": [{"id": "prod_x", "source_id": "shoe"}]}, True, 1, None),
    ("order.items.any", {"$in": ["winter", "summer"]}, True, 2, None),
    ("order.items.any", {"$is": ["pc_a11pr0dUc75"]}, True, 2, None),
    ("order.items.any", {"$is": ["sock"]}, False, 0, 1),
    ("order.items.any", {"$is": ["winter"], "$from": ["sale"]}, True, 1, None),
    ("order.items.any", {"$is": ["hat"], "$from": ["sale"]}, False, 0, 1),
    ("order.items.any", {"$from": ["sale"]}, True, 1, None),
    ("order.items.any", {"$is_not": ["hat"]}, True, 1, None),
    ("order.items.any", {"$not_in": ["winter"]}, False, 0, 1),
    ("order.items.any", {"$is": ["winter"], "$is_not": ["hat"]}, True, 1, None),
    ("order.items.any", {}, True, 2, None),
    ("order.items.every", {"$is": ["winter"]}, True, 2, None),
    ("order.items.every", {"$is": ["hat"]}, False, 1, None),
    ("order.items.every", {"$in": ["hat", "shoe"]}, True, 2, None),
    ("order.items.every", {"$is_not": ["sock"]}, True, 2, None),
    ("order.items.every", {"$not_in": ["shoe"]}, False, 1, None),
    ("order.items.every", {"$is": ["winter"], "$from": ["sale"]}, False, 1, None),
    ("order.items.none", {"$is": ["sock"]}, True, 0, None),
    ("order.items.none", {"$is": ["hat"]}, False, 1, None),
    ("order.items.none", {"$in": ["sock", "shoe"]}, False, 1, None),
    ("order.items.none", {"$is": ["hat"], "$from": ["sale"]}, True, 0, None),
    ("order.items.none", {"$is_not": ["winter"]}, True, 0, None),  # all of it is winter
    ("order.items.cheapest", {"$is": ["hat"]}, True, 1, None),
    ("order.items.cheapest", {"$is": ["shoe"]}, False, 0, None),
    ("order.items.cheapest", {"$is": ["shoe"], "$from": ["sale"]}, True, 1, None),
    ("order.items.cheapest", {"$is_not": ["hat"]}, False, 0, None),
    ("order.items.cheapest", {"$from": ["summer"]}, False, 0, None),
    ("order.items.most_expensive", {"$is": ["shoe"]}, True, 1, None),
    ("order.items.most_expensive", {"$in": ["sale"]}, True, 1, None),
    ("order.items.most_expensive", {"$is": ["hat"]}, False, 0, None),
    ("order.items.most_expensive", {"$not_in": ["hat"]}, True, 1, None),
    ("product.id", {"$is": ["hat"]}, True, 1, None),
    ("product.id", {"$is": ["sock"]}, False, 0, 1),
    ("product.id", {"$is_not": ["hat"]}, False, 1, None),
    ("product.id", {"$not_in": ["sock"]}, True, 0, None),
    ("sku.id", {"$is": ["large"]}, True, 1, None),
    ("sku.id", {"$in": ["small"]}, False, 0, 1),
    ("sku.id", {"$is_not": ["large"]}, False, 1, None),
    ("order.items.price", {"$is": [1000]}, True, [500, 1000], None),
    ("order.items.price", {"$more_than": [1000]}, False, [500, 1000], 1),
    ("order.items.price_any", {"$less_than": [600]}, True, [500, 1000], None),
    ("order.items.price_any", {"$is": [750]}, False, [500, 1000], 250),
    ("order.items.price_each", {"$more_than_or_equal": [500]}, True, [500, 1000], None),
    ("order.items.price_each", {"$more_than": [500]}, False, [500, 1000], 1),
    ("order.items.quantity", {"$is": [2]}, True, [2, 1], None),
    ("order.items.quantity", {"$more_than_or_equal": [4]}, False, [2, 1], 2),
    ("order.items.metadata gift", {"$is": ["yes"]}, True, ["yes", None], None),
    ("order.items.metadata gift", {"$is": ["no"]}, UNKNOWN, ["yes", None], None),
    ("order.items.metadata_any gift", {"$is": ["yes"]}, True, ["yes", None], None),
    ("order.items.metadata_any gift", {"$has_value": []}, True, ["yes", None], None),
    ("order.items.metadata_any size", {"$has_value": []}, False, [None, None], None),
    ("order.items.metadata_each gift", {"$is": ["yes"]}, UNKNOWN, ["yes", None], None),
    ("order.items.metadata_each gift", {"$is": ["no"]}, False, ["yes", None], None),
    ("order.items.metadata_each size", {"$is_unknown": []}, True, [None, None], None),
    ("order.items.metadata size", {"$has_value": []}, False, [None, None], None),
    ("order.items.aggregated_quantity", {"$is": [3]}, True, 3, None),
    ("order.items.aggregated_quantity", {"$more_than_or_equal": [5]}, False, 3, 2),
    ("order.items.aggregated_amount", {"$more_than": [1999]}, True, 2000, None),
    ("order.items.aggregated_amount", {"$more_than": [2500]}, False, 2000, 501),
    ("product.price", {"$is": [500]}, True, [500, 1000], None),
    ("product.price", {"$less_than": [500]}, False, [500, 1000], -1),
    ("product.quantity", {"$more_than": [1]}, True, [2, 1], None),
    ("product.quantity", {"$more_than": [2]}, False, [2, 1], 1),
    ("product.metadata color", {"$is": ["blue"]}, True, ["red", "blue"], None),
    ("product.metadata color", {"$is": ["green"]}, False, ["red", "blue"], None),
    ("product.metadata.aggregated_quantity", {"$is": [3]}, True, 3, None),
    ("product.metadata.aggregated_quantity", {"$is": [4]}, False, 3, 1),
    ("product.metadata.aggregated_amount", {"$is": [2000]}, True, 2000, None),
    ("product.metadata.aggregated_amount", {"$less_than": [2000]}, False, 2000, -1),
    ("sku.price", {"$is": [500]}, True, [500, 1000], None),
    ("sku.price", {"$is": [501]}, False, [500, 1000], 1),
    ("sku.quantity", {"$is": [1]}, True, [2, 1], None),
    ("sku.quantity", {"$is": [3]}, False, [2, 1], 1),
]
WINDOWS = {"": "ever", ".daily": "day", ".weekly": "week", ".monthly": "month"}
# name, whose counter, what it counts, of whom; each with the windows that it has
COUNTS = [
    ("campaign.redemptions.count", CAMPAIGN, "", WINDOWS),
    ("campaign.redemptions.customers_count", CAMPAIGN, "customer", WINDOWS),
    ("redemption.count", KEY, "", (".daily", ".weekly", ".monthly")),
    ("redemption.count.per_customer", KEY, "customer", WINDOWS),
    ("redemption.count.per_api_key", KEY, "api_key", WINDOWS),
    ("redemption.count.per_user", KEY, "user", WINDOWS),
]
COUNTERS = {
    f"{name}{word}": Counter(owner, "count", WINDOWS[word], subject)
    for name, owner, subject, words in COUNTS
    for word in words
}
# name, its counter, what this redemption adds to it
SUMS = {
    "campaign.orders.amount": (Counter(CAMPAIGN, "orders_amount"), 2000),
    "campaign.orders.amount_discounted": (Counter(CAMPAIGN, "discount_amount"), 100),
    "redemption.gift.amount": (Counter(CAMPAIGN, "gift_amount"), 700),
}
EVERYBODY = {"customer": ANN, "api_key": KEYS, "user": "kim@shop"}
# Not before points and events can be redeemed for is there anything to ask.
NEVER_KNOWN = ("custom_event.metadata", "redemption.reward.pay_with_points.points_used")


def found(name, conditions, **given):
    """Return whether a condition lets a voucher through, and what it found."""
    name, _, of = name.partition(" ")
    condition = {"name": name, "conditions": conditions, "property": of or None}
    outcome = outcome_of(condition, **({"order": CART} | given))
    return isinstance(outcome, Applicable), outcome.findings


def counted(name, standing, conditions, **more):
    counter = COUNTERS[name] if name in COUNTERS else SUMS[name][0]
    gift = {"gift": GiftCredits(700), "discount": None} if "gift" in name else {}
    return found(name, conditions, **({"used": {counter: standing}} | EVERYBODY | gift | more))


@pytest.mark.parametrize(("name", "conditions", "given", "truth", "actual", "missing"), FACTS)
def test_a_fact_is_judged(name, conditions, given, truth, actual, missing):
    is_met, [finding] = found(name, conditions, **given)

    assert (is_met, finding.truth, finding.actual, finding.missing) == (truth, truth, actual, missing)


@pytest.mark.parametrize(("name", "conditions", "truth", "actual", "missing"), LINES)
def test_lines_are_judged(name, conditions, truth, actual, missing):
    is_met, [finding] = found(name, conditions)

    assert (is_met, finding.truth, finding.actual, finding.missing) == (
        truth is True,
        truth,
        actual,
        missing,
    )


@pytest.mark.parametrize("name", COUNTERS)
@pytest.mark.parametrize(
    ("standing", "is_met", "missing"), [(0, True, None), (2, True, None), (3, False, -1)]
)
def test_a_count_is_judged_with_this_redemption(name, standing, is_met, missing):
    met, [finding] = counted(name, standing, {"$less_than_or_equal": [3]})

    assert (met, finding.actual, finding.missing) == (is_met, standing + 1, missing)


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize(("left", "is_met", "missing"), [(0, True, None), (-1, False, -1)])
def test_a_sum_is_judged_with_this_redemption(name, left, is_met, missing):
    _, added = SUMS[name]

    met, [finding] = counted(name, 5000 - added - left, {"$less_than_or_equal": [5000]})

    assert (met, finding.actual, finding.missing, finding.measure) == (is_met, 5000 - left, missing, MONEY)


@pytest.mark.parametrize("name", [*COUNTERS, *SUMS])
def test_a_counter_is_no_other(name):
    own = COUNTERS[name] if name in COUNTERS else SUMS[name][0]
    others = {*COUNTERS.values(), *(counter for counter, _ in SUMS.values())} - {own}

    is_met, [finding] = counted(name, 0, {"$less_than_or_equal": [5000]}, used=dict.fromkeys(others, 9999))

    assert (is_met, finding.counter) == (True, own)


@pytest.mark.parametrize("name", ["campaign.redemptions.count", "redemption.count.daily"])
def test_a_code_without_a_campaign_counts_for_itself(name):
    counter = code(campaign_key=None).counter(KINDS[name].counter)

    assert counter.object_key == KEY


@pytest.mark.parametrize(
    ("conditions", "low", "high"),
    [
        ({"$less_than_or_equal": [3]}, None, 3),
        ({"$less_than": [3]}, None, 2),
        ({"$is": [2]}, 2, 2),
        ({"$is_not": [5]}, None, 4),
        ({"$more_than": [1]}, 2, None),
        ({"$more_than_or_equal": [1], "$less_than": [10]}, 1, 9),
        ({"$is": [5]}, None, 4),
    ],
)
def test_a_counters_finding_says_how_far_it_holds(conditions, low, high):
    _, [finding] = counted("campaign.redemptions.count", 1, conditions)

    assert (finding.low, finding.high) == (low, high)


# What is known even of nobody who buys nothing: how often something was used.
KNOWN = {name for name, counter in COUNTERS.items() if not counter.subject} | {*SUMS, *MARKERS}


@pytest.mark.parametrize("name", sorted(KINDS.keys() - KNOWN))
@pytest.mark.parametrize("conditions", [{"$is": ["x"]}, {"$is_not": ["x"]}])
def test_what_is_missing_is_unknown_and_not_met(name, conditions):
    is_met, findings = found(f"{name} color", conditions, order=None)

    assert (is_met, [finding.truth for finding in findings]) == (False, [UNKNOWN])


@pytest.mark.parametrize("name", sorted(KINDS.keys() - KNOWN))
def test_the_rule_may_say_that_unknown_holds(name):
    condition = {"name": name, "conditions": {"$is": ["x"]}, "property": "color", "unknown": True}

    assert isinstance(outcome_of(condition, order=None), Applicable)


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("order", ["", "0 hat @ 0.00", CART])
@pytest.mark.parametrize("conditions", [{"$in": ["x", "1"]}, {}])
def test_no_condition_breaks_on_an_odd_cart(name, order, conditions):
    is_met, _ = found(f"{name} color", conditions, order=order)

    assert is_met in (True, False)


@pytest.mark.parametrize("name", NEVER_KNOWN)
@pytest.mark.parametrize(("conditions", "is_met"), [({"$is_unknown": []}, True), ({"$has_value": []}, False)])
def test_what_nobody_can_know_yet_is_known_to_be_missing(name, conditions, is_met):
    assert found(f"{name} kind", conditions)[0] is is_met


@pytest.mark.parametrize("name", MARKERS)
def test_a_mark_for_the_scope_asks_nothing(name):
    assert found(name, {"$is": ["anything"]}) == (True, ())


def test_every_condition_is_shown_met_and_not_met():
    rows = [(row[0].partition(" ")[0], row[-3] is True) for row in [*FACTS, *LINES]]
    shown = {*rows, *((name, truth) for name in (*COUNTERS, *SUMS, *NEVER_KNOWN) for truth in (True, False))}

    assert shown == {(name, truth) for name in KINDS.keys() - set(MARKERS) for truth in (True, False)}


def test_a_kind_needs_a_property_where_it_asks_for_one_of_many():
    assert {name for name, kind in KINDS.items() if kind.needs_property} == {
        name for name in KINDS if name.endswith((".metadata", ".metadata_any", ".metadata_each"))
    }


# Conditions nested in one on lines are about the lines that it matches.
WARDROBE = "2 hat [winter] {gift=yes} @ 5.00, 1 cap [winter] @ 5.00, 3 shoe [sale] @ 10.00"


@pytest.mark.parametrize(
    ("name", "conditions", "part", "is_met"),
    [
        ("order.items.any", {"$is": ["winter"]}, ("order.items.aggregated_quantity", {"$is": [3]}), True),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.aggregated_quantity", {"$is": [6]}), False),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.aggregated_amount", {"$is": [1500]}), True),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.aggregated_amount", {"$is": [500]}), False),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.quantity", {"$is": [2]}), True),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.quantity", {"$is": [3]}), False),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.price", {"$is": [500]}), True),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.price", {"$is": [1000]}), False),
        ("order.items.any", {"$is": ["winter"]}, ("order.items.metadata gift", {"$is": ["yes"]}), True),
        ("order.items.any", {"$is": ["cap"]}, ("order.items.metadata gift", {"$is": ["yes"]}), False),
        ("order.items.every", {}, ("order.items.price", {"$more_than_or_equal": [500]}), True),
        ("order.items.every", {}, ("order.items.price", {"$more_than": [500]}), False),
        ("order.items.every", {}, ("order.items.quantity", {"$less_than": [4]}), True),
        ("order.items.every", {}, ("order.items.quantity", {"$more_than": [1]}), False),
        ("order.items.every", {}, ("order.items.aggregated_quantity", {"$is": [6]}), True),
        ("order.items.every", {}, ("order.items.metadata gift", {"$is": ["yes"]}), False),
        ("order.items.none", {"$is": ["sale"]}, ("order.items.quantity", {"$more_than": [3]}), True),
        ("order.items.none", {"$is": ["sale"]}, ("order.items.quantity", {"$is": [3]}), False),
        (
            "order.items.cheapest",
            {"$is": ["winter"]},
            ("order.items.quantity", {"$more_than_or_equal": [1]}),
            True,
        ),
        ("order.items.cheapest", {"$is": ["winter"]}, ("order.items.quantity", {"$is": [2]}), False),
        (
            "order.items.cheapest",
            {"$is": ["winter"]},
            ("order.items.aggregated_quantity", {"$is": [3]}),
            True,
        ),
        ("order.items.most_expensive", {}, ("order.items.aggregated_amount", {"$is": [3000]}), True),
        ("order.items.most_expensive", {}, ("order.items.price", {"$less_than": [1000]}), False),
        ("product.id", {"$is": ["shoe"]}, ("product.quantity", {"$is": [3]}), True),
        ("product.id", {"$is": ["hat"]}, ("product.quantity", {"$is": [3]}), False),
        ("product.id", {"$is": ["hat"]}, ("product.discount_applicable", {"$is": ["true"]}), True),
        ("sku.id", {"$is": ["shoe"]}, ("sku.price", {"$is": [1000]}), True),
        ("product.price", {"$is": [500]}, ("order.items.aggregated_quantity", {"$is": [3]}), True),
        ("product.price", {"$is": [500]}, ("order.items.aggregated_quantity", {"$is": [6]}), False),
    ],
)
def test_a_nested_condition_is_about_the_lines_found(name, conditions, part, is_met):
    (inner, _, of), tests = part[0].partition(" "), part[1]
    nested = {"1": {"name": inner, "property": of, "conditions": tests}}
    outcome = outcome_of({"name": name, "conditions": conditions, "rules": nested}, order=WARDROBE)

    assert isinstance(outcome, Applicable) is is_met


def test_nested_conditions_have_a_logic_of_their_own():
    nested = {
        "1": {"name": "order.items.quantity", "conditions": {"$is": [9]}},
        "2": {"name": "order.items.price", "conditions": {"$is": [500]}},
        "logic": "not 1 and 2",
    }

    outcome = outcome_of(
        {"name": "order.items.any", "conditions": {"$is": ["hat"]}, "rules": nested}, order=WARDROBE
    )

    assert [finding.node.path for finding in outcome.findings] == ["1", "1.1", "1.2"]


def test_a_condition_nested_twice_is_about_the_lines_that_both_have_left():
    units = {"name": "order.items.aggregated_quantity", "conditions": {"$is": [2]}}
    gifts = {
        "name": "order.items.metadata",
        "property": "gift",
        "conditions": {"$is": ["yes"]},
        "rules": {"1": units},
    }

    outcome = outcome_of(
        {"name": "order.items.any", "conditions": {"$is": ["winter"]}, "rules": {"1": gifts}}, order=WARDROBE
    )

    assert isinstance(outcome, Applicable)


def test_unknown_may_hold_in_a_nested_condition_too():
    nested = {
        "name": "order.items.metadata",
        "property": "size",
        "conditions": {"$is": ["XL"]},
        "unknown": True,
    }

    outcome = outcome_of({"name": "order.items.any", "rules": {"1": nested}}, order=WARDROBE)

    assert isinstance(outcome, Applicable)


def test_what_is_missing_is_counted_in_its_measure():
    short = {"$more_than_or_equal": [10000]}
    measures = {name: found(name, short)[1][0].measure for name in ("order.amount", "order.items.count")}

    assert measures == {"order.amount": MONEY, "order.items.count": QUANTITY}


def test_amounts_between_minor_units_are_said_exactly():
    _, [finding] = found("order.amount", {"$more_than_or_equal": [2000.5]})

    assert finding.missing == Decimal("0.5")


def test_lines_that_cost_the_same_must_all_be_what_is_wanted():
    tied = "1 hat @ 5.00, 1 cap @ 5.00"

    met = {
        ids: found("order.items.cheapest", {"$in": list(ids)}, order=cart(tied))[0]
        for ids in [("hat",), ("hat", "cap")]
    }

    assert met == {("hat",): False, ("hat", "cap"): True}
