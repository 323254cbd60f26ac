"""Validation rules: how they are read, what their mistakes are called, and what a refusal says."""

from dataclasses import replace
from decimal import Decimal

import pytest

from promoengine.engine.bundles import BundleFound
from promoengine.engine.decide import Inapplicable
from promoengine.engine.facts import Customer
from promoengine.engine.findings import KINDS, Kind, register
from promoengine.engine.payments import GiftCredits
from promoengine.engine.rules import InvalidRule, parse_rule, published_name
from tests.engine.offered import amount, code, decided

BIG = {"name": "order.amount", "conditions": {"$more_than_or_equal": [20000]}}
SMALL = {"name": "order.amount", "conditions": {"$less_than": [20000]}}
VIP = {"name": "customer.segment", "conditions": {"$is": ["seg_vip"]}}
ONCE = {"name": "redemption.count.per_customer", "conditions": {"$less_than_or_equal": [1]}}
HATS = {"name": "order.items.any", "conditions": {"$is": ["hat"]}}
MANY = {"name": "order.items.aggregated_quantity", "conditions": {"$more_than_or_equal": [3]}}
APP = {"name": "redemption.metadata", "property": "app", "conditions": {"$is": ["ios"]}}
ANN = Customer("ann")


def saying(condition, message):
    return {**condition, "error": {"message": message}}


def refusal_of(rules, *, wire=None, order="1 hat @ 100.00", offer=None, **facts):
    """Return the refusal of a voucher under these rules, None where it applies."""
    guard = parse_rule({"rules": rules} | (wire or {}))
    outcome = decided(code(rules=(guard,), **(offer or {})), order=order, **facts).outcomes[0]
    return outcome.refusal if isinstance(outcome, Inapplicable) else None


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"rules": {}},
        {"rules": []},
        {"rules": None},
        {"rules": {"logic": ""}},
        {"rules": {"logic": None}},
        {"rules": {}, "error": {}, "applicable_to": {}, "bundle_rules": {}},
        {"rules": [], "error": None, "applicable_to": None, "bundle_rules": None},
        {"rules": [], "error": [], "applicable_to": [], "bundle_rules": []},
        {"rules": {}, "applicable_to": {"included": [], "excluded": [], "included_all": True}},
    ],
)
def test_a_rule_that_says_nothing_lets_everything_through(wire):
    guard = parse_rule(wire)

    assert decided(code(rules=(guard,))).is_valid
    assert (guard.logic, guard.counters, guard.scope.has_entries, guard.bundle) == (None, (), False, None)


@pytest.mark.parametrize("empty", [{}, [], None])
def test_empty_parts_of_a_condition_are_none(empty):
    guard = parse_rule({"rules": {"1": {**BIG, "rules": empty, "error": empty or {}, "property": None}}})

    assert (guard.nodes["1"].parts, guard.nodes["1"].message) == ({}, None)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_older_clients_write_names_with_underscores(name):
    assert published_name(name.replace(".", "_")) == name


def test_an_older_name_is_read_as_the_one_that_is_published():
    guard = parse_rule({"rules": {"1": {"name": "customer_segment", "conditions": {"$is": ["seg_vip"]}}}})

    assert guard.nodes["1"].name == "customer.segment"


def test_a_name_cannot_be_taken_twice():
    with pytest.raises(ValueError, match=r"order\.amount is registered already"):
        register("order.amount", Kind(lambda node, situation, findings: True))


@pytest.mark.parametrize(
    ("wire", "mistake"),
    [
        ({"rules": "1"}, "rules should be an object of numbered rules, up to 4 deep"),
        ({"rules": [BIG]}, "rules should be an object of numbered rules, up to 4 deep"),
        ({"rules": {"1": None}}, "rules.1 should be object"),
        ({"rules": {"1": []}}, "rules.1 should be object"),
        ({"rules": {"1": {}}}, "rules.1.name None is not a known rule"),
        ({"rules": {"1": {"name": 5}}}, "rules.1.name 5 is not a known rule"),
        ({"rules": {"7": {"name": "order.colour"}}}, "rules.7.name 'order.colour' is not a known rule"),
        ({"rules": {"1": {"name": "customer.metadata"}}}, "Rule 'customer.metadata' must have a 'property'"),
        ({"rules": {"1": {**APP, "property": ""}}}, "Rule 'redemption.metadata' must have a 'property'"),
        ({"rules": {"1": {**APP, "property": 5}}}, "Rule 'redemption.metadata' must have a 'property'"),
        ({"rules": {"1": {**BIG, "conditions": [5]}}}, "rules.1.conditions should be object"),
        (
            {"rules": {"1": {**BIG, "conditions": {"$much": [5]}}}},
            "rules.1.conditions.$much is not a known operator",
        ),
        (
            {"rules": {"1": {**BIG, "conditions": {"$more_than": ["x"]}}}},
            "rules.1.conditions.$more_than should have one value, a number or a date",
        ),
        (
            {"rules": {"1": {**BIG, "conditions": {"$from": ["x"]}}}},
            "rules.1.conditions.$from can be used with products and collections only",
        ),
        (
            {"rules": {"1": {**HATS, "conditions": {"$more_than": [5]}}}},
            "rules.1.conditions.$more_than is not for items; use $is, $in, $is_not, $not_in, $from",
        ),
        (
            {"rules": {"1": {**HATS, "conditions": {"$is": [{"name": "hat"}]}}}},
            "rules.1.conditions.$is should have ids of products, SKUs or collections",
        ),
        (
            {"rules": {"1": {**HATS, "conditions": {"$in": [5]}}}},
            "rules.1.conditions.$in should have ids of products, SKUs or collections",
        ),
        (
            {"rules": {"1": {**HATS, "conditions": {"$is": [""]}}}},
            "rules.1.conditions.$is should have ids of products, SKUs or collections",
        ),
        (
            {"rules": {"1": {**HATS, "rules": {"1": BIG}}}},
            "rules.1.rules: 'order.amount' can't be nested in 'order.items.any'",
        ),
        (
            {"rules": {"1": {**BIG, "rules": {"1": MANY}}}},
            "rules.1.rules: 'order.amount' can't have nested rules",
        ),
        (
            {"rules": {"1": {**HATS, "rules": {"1": {**MANY, "rules": {"1": MANY}}}}}},
            "rules.1.rules.1.rules: 'order.items.aggregated_quantity' can't have nested rules",
        ),
        (
            {"rules": {"1": {**HATS, "rules": {"2": {**MANY, "conditions": {"$is": [None]}}}}}},
            "rules.1.rules.2.conditions.$is should be a list of texts, numbers, dates, or objects with an id",
        ),
        (
            {"rules": {"1": {**HATS, "rules": "1"}}},
            "rules.1.rules should be an object of numbered rules, up to 4 deep",
        ),
        (
            {"rules": {"1": {**HATS, "rules": {"1": MANY, "logic": "2"}}}},
            "rules.1.rules.logic names condition 2, which is not among the rules",
        ),
        ({"rules": {"1": BIG, "logic": 1}}, "rules.logic should be string"),
        (
            {"rules": {"1": BIG, "logic": "1 and 2"}},
            "rules.logic names condition 2, which is not among the rules",
        ),
        ({"rules": {"1": BIG, "logic": "(1"}}, "rules.logic has a bracket that is not closed"),
        ({"rules": {"logic": "1"}}, "rules.logic names condition 1, which is not among the rules"),
        (
            {"rules": {"1": saying(BIG, 5)}},
            "rules.1.error.message should be a string of up to 1000 characters",
        ),
        (
            {"rules": {"1": saying(BIG, "x" * 1001)}},
            "rules.1.error.message should be a string of up to 1000 characters",
        ),
        ({"error": {"message": ["x"]}}, "error.message should be a string of up to 1000 characters"),
        ({"rules": {str(number): BIG for number in range(201)}}, "rules may have up to 200 rules"),
        ({"applicable_to": [1]}, "applicable_to should be object"),
        ({"applicable_to": {"included": [{}]}}, "applicable_to.included[0] must have required property 'id'"),
        ({"bundle_rules": [1]}, "bundle_rules should be object"),
        ({"bundle_rules": {"1": {"name": "order.amount"}}}, "bundle_rules.1.name should be order.items.any"),
    ],
)
def test_a_mistake_names_its_place(wire, mistake):
    with pytest.raises(InvalidRule) as error:
        parse_rule(wire)

    assert str(error.value) == mistake


def test_rules_are_nested_up_to_a_depth():
    units = {"name": "order.items.quantity", "conditions": {"$more_than": [0]}}
    for _ in range(4):
        units = {**units, "rules": {"1": units}}

    with pytest.raises(
        InvalidRule, match=r"rules\.1\.rules\.1\.rules\.1\.rules\.1\.rules should be an object"
    ):
        parse_rule({"rules": {"1": {**HATS, "rules": {"1": units}}}})


def test_a_condition_keeps_what_was_sent():
    node = parse_rule(
        {"rules": {"1": {**HATS, "conditions": {"$is": [{"id": "hat"}], "$from": "sale"}}}}
    ).nodes["1"]

    assert node.tests == (("$is", ({"id": "hat"},)), ("$from", ("sale",)))


def test_a_rule_knows_what_it_needs_counted():
    daily = {"name": "redemption.count.daily", "conditions": {"$less_than": [5]}}

    guard = parse_rule({"rules": {"1": BIG, "2": ONCE, "3": daily, "4": ONCE}})

    assert [(kind.subject, kind.window) for kind in guard.counters] == [("customer", "ever"), ("", "day")]


# rules, what is given beside a hat for 100.00, key of the refusal or None
@pytest.mark.parametrize(
    ("rules", "given", "key"),
    [
        ({"1": SMALL}, {}, None),
        ({"1": BIG}, {}, "order_rules_violated"),
        ({"1": {"name": "product.id", "conditions": {"$is": ["cap"]}}}, {}, "order_rules_violated"),
        ({"1": {"name": "sku.id", "conditions": {"$is": ["cap"]}}}, {}, "order_rules_violated"),
        ({"1": BIG}, {"order": None}, "order_rules_violated"),
        ({"1": VIP}, {"customer": ANN}, "customer_rules_violated"),
        ({"1": VIP}, {}, "missing_customer"),
        ({"1": ONCE}, {}, "missing_customer"),
        ({"1": ONCE}, {"customer": ANN}, None),
        (
            {"1": {"name": "campaign.redemptions.customers_count.daily", "conditions": {"$less_than": [5]}}},
            {},
            "missing_customer",
        ),
        (
            {"1": {"name": "publication.redeemable_by_linked_customer", "conditions": {"$is": [True]}}},
            {},
            "missing_customer",
        ),
        (
            {"1": {"name": "publication.redeemable_by_linked_customer", "conditions": {"$is": [True]}}},
            {"customer": ANN},
            "redemption_rules_violated",
        ),
        ({"1": {**ONCE, "conditions": {"$is": [0]}}}, {"customer": ANN}, "redemption_rules_violated"),
        (
            {"1": {"name": "campaign.orders.amount", "conditions": {"$less_than": [5]}}},
            {},
            "redemption_rules_violated",
        ),
        ({"1": APP}, {}, "redemption_rules_violated"),
        (
            {"1": {"name": "custom_event.metadata", "property": "a", "conditions": {"$is": [1]}}},
            {},
            "redemption_rules_violated",
        ),
        ({"1": BIG, "2": VIP}, {}, "order_rules_violated"),  # of several reasons, the first
        ({"1": VIP, "2": BIG}, {"customer": ANN}, "customer_rules_violated"),
        ({"1": SMALL, "2": VIP}, {"customer": ANN}, "customer_rules_violated"),
        ({"1": BIG, "2": VIP, "logic": "2 or 1"}, {"customer": ANN}, "customer_rules_violated"),
        ({"1": BIG, "2": SMALL, "logic": "1 or 2"}, {}, None),
        ({"1": SMALL, "logic": "not 1"}, {}, "order_rules_violated"),
        ({"1": BIG, "logic": "not 1"}, {}, None),
        ({"1": VIP, "logic": "not 1"}, {"customer": ANN}, None),
        ({"1": VIP, "logic": "not 1"}, {}, "missing_customer"),  # what is unknown is not unknown's opposite
        ({"1": {**VIP, "unknown": True}}, {}, None),
        ({"1": {**VIP, "unknown": True}}, {"customer": ANN}, "customer_rules_violated"),
        ({"1": {**VIP, "unknown": "yes"}}, {}, "missing_customer"),
        ({"1": BIG, "2": SMALL, "logic": "2"}, {}, None),  # one that the logic leaves out asks nothing
        ({"1.1": BIG, "1.2": SMALL}, {}, "order_rules_violated"),
    ],
)
def test_a_refusal_has_the_key_of_what_failed(rules, given, key):
    refusal = refusal_of(rules, **given)

    assert (refusal and refusal.key) == key


@pytest.mark.parametrize(
    ("offer", "details"),
    [
        ({}, "Discount Coupon cannot be redeemed because of violated validation rules: val_1"),
        (
            {"discount": None, "gift": GiftCredits(100)},
            "Gift Card cannot be redeemed because of violated validation rules: val_1",
        ),
        (
            {"object": "promotion_tier"},
            "Promotion Tier cannot be redeemed because of violated validation rules: val_1",
        ),
        ({"object": "campaign"}, "Campaign cannot be redeemed because of violated validation rules: val_1"),
    ],
)
def test_a_refusal_says_what_it_is_about(offer, details):
    guard = parse_rule({"rules": {"1": BIG}}, "val_1")
    refused = replace(code(rules=(guard,)), **offer)

    refusal = decided(refused).inapplicable[0].refusal

    assert (refusal.details, refusal.resource_id, refusal.resource_type) == (details, "A", refused.object)


def test_without_a_customer_the_refusal_asks_for_one():
    assert refusal_of({"1": VIP}).details == "Customer is required to validate rules"


FALLBACK = {"error": {"message": "Not today"}}


@pytest.mark.parametrize(
    ("rules", "wire", "message"),
    [
        ({"1": BIG}, {}, None),
        ({"1": BIG}, FALLBACK, "Not today"),
        ({"1": saying(BIG, "")}, FALLBACK, "Not today"),
        ({"1": saying(BIG, "Spend more")}, {}, "Spend more"),
        ({"1": saying(BIG, "Spend more")}, FALLBACK, "Spend more"),
        ({"1": saying(SMALL, "Spend less"), "2": BIG}, FALLBACK, "Not today"),
        ({"1": saying(SMALL, "Spend less"), "2": saying(BIG, "Spend more")}, FALLBACK, "Spend more"),
        ({"1": saying(BIG, "Spend more"), "2": saying(VIP, "Join")}, FALLBACK, "Spend more"),
        ({"1": BIG, "2": saying(VIP, "Join"), "logic": "1 or 2"}, FALLBACK, "Join"),
        ({"1": saying(VIP, "Join")}, FALLBACK, "Join"),
        ({"1": saying(HATS, "Buy hats") | {"rules": {"1": MANY}}}, FALLBACK, "Buy hats"),
        (
            {"1": saying(HATS, "Buy hats") | {"rules": {"1": saying(MANY, "Three of them")}}},
            FALLBACK,
            "Three of them",
        ),
        (
            {
                "1": saying({**HATS, "conditions": {"$is": ["cap"]}}, "Buy caps")
                | {"rules": {"1": saying(MANY, "Three of them")}}
            },
            FALLBACK,
            "Buy caps",
        ),
        ({"1": saying(SMALL, "Too little"), "logic": "not 1"}, FALLBACK, "Too little"),
    ],
)
def test_a_refusal_says_the_rules_own_words(rules, wire, message):
    assert refusal_of(rules, wire=wire).own_message == message


def test_all_rules_of_an_offer_must_be_met():
    rules = tuple(parse_rule({"rules": {"1": one}}) for one in (SMALL, saying(BIG, "Spend more"), APP))

    refused = decided(code(rules=rules)).inapplicable[0]

    assert (refused.refusal.own_message, [one.node.name for one in refused.findings]) == (
        "Spend more",
        ["order.amount", "order.amount", "redemption.metadata"],
    )


@pytest.mark.parametrize(("is_traced", "paths"), [(True, ["1", "2", "3", "3.1"]), (False, ["1", "2"])])
def test_all_conditions_are_looked_at_only_where_somebody_asks(is_traced, paths):
    guard = parse_rule(
        {"rules": {"1": BIG, "2": SMALL, "3": {**HATS, "rules": {"1": MANY}}, "logic": "1 or 2 or 3"}}
    )

    outcome = decided(code(rules=(guard,)), is_traced=is_traced).outcomes[0]

    assert [finding.node.path for finding in outcome.findings] == paths


def test_the_reasons_are_what_failed_with_what_is_missing():
    rules = {
        "1": SMALL,
        "2": BIG,
        "3": {**HATS, "rules": {"1": MANY}},
        "4": VIP,
        "logic": "1 and 2 and (3 or 4)",
    }
    guard = parse_rule({"rules": rules})

    refused = decided(code(rules=(guard,)), customer=ANN).inapplicable[0]

    assert [(one.node.path, one.actual, one.missing) for one in refused.reasons] == [
        ("2", 10000, Decimal(10000)),
        ("3.1", 1, Decimal(2)),
        ("4", [], None),
    ]


@pytest.mark.parametrize(
    ("logic", "is_met"),
    [
        ("1", True),
        ("not 1", True),
        ("1 and 2", False),
        ("1 or 2", True),
        ("not 1 and 2", False),
        ("not (1 or 2)", True),
    ],
)
def test_a_condition_that_is_ignored_keeps_nothing_out(logic, is_met):
    used_up = {"name": "campaign.redemptions.count", "conditions": {"$less_than": [0]}}

    refusal = refusal_of(
        {"1": used_up, "2": BIG, "logic": logic}, ignored=lambda name: name.startswith("campaign.")
    )

    assert (refusal is None) is is_met


def test_a_rules_scope_is_what_its_offer_may_reach():
    guard = parse_rule({"applicable_to": {"included": [{"object": "product", "id": "hat"}]}})

    decision = decided(code(rules=(guard,), discount=amount(100)), order="1 cap @ 5.00, 1 hat @ 5.00")

    assert [item.discount for item in decision.order.items] == [0, 100]


@pytest.mark.parametrize(("cart", "key"), [("1 hat @ 5.00", "order_rules_violated"), ("2 hat @ 5.00", None)])
def test_a_rules_bundle_must_be_in_the_cart(cart, key):
    pair = {"name": "order.items.aggregated_quantity", "conditions": {"$is": [2]}}
    hats = {
        "name": "order.items.any",
        "conditions": {"$is": [{"object": "product", "id": "hat"}]},
        "rules": {"1": pair},
    }
    guard = parse_rule({"bundle_rules": {"1": hats, "limit": 1}})

    outcome = decided(code(rules=(guard,)), order=cart).outcomes[0]

    assert isinstance(outcome.bundle, BundleFound)
    assert (outcome.refusal.key if isinstance(outcome, Inapplicable) else None) == key
