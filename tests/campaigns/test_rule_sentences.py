"""Every condition and operator can be said in plain words."""

import pytest

from campaigns.rule_sentences import condition_in_words
from promoengine.core.operator_words import ALIASES, OPERATORS
from promoengine.engine import rules
from promoengine.engine.findings import KINDS, MONEY
from promoengine.engine.operators import OPERATORS as KNOWN


def node_of(name, conditions, **more):
    rule = rules.parse_rule({"rules": {"1": {"name": name, "conditions": conditions, **more}}})
    return rule.nodes["1"]


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_condition_has_words(name):
    conditions = {"$is": ["prod_1"]} if KINDS[name].names_items else {"$is": [1]}

    words = condition_in_words(node_of(name, conditions, property="color"), "", "EUR", {})

    assert words
    assert "%(" not in words


def test_every_operator_has_words():
    assert {ALIASES.get(operator, operator) for operator in KNOWN} <= OPERATORS.keys()


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (
            node_of("order.amount", {"$more_than_or_equal": [10000]}),
            "Order amount is at least 100.00 EUR",
        ),
        (
            node_of("customer.metadata", {"$in": ["gold", "silver"]}, property="level"),
            "Customer's level is one of gold, silver",
        ),
        (
            node_of("order.items.any", {"$is": [{"id": "pc_1"}], "$from": [{"id": "pc_2"}]}),
            "Any item is Shoes and comes from Sale",
        ),
        (
            node_of("campaign.redemptions.count.daily", {"$less_than_or_equal": [5]}),
            "Number of redemptions in the campaign a day is at most 5",
        ),
    ],
)
def test_a_condition_reads_like_a_sentence(node, words):
    measure = MONEY if node.name == "order.amount" else ""

    assert condition_in_words(node, measure, "EUR", {"pc_1": "Shoes", "pc_2": "Sale"}) == words
