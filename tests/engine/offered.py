"""Offers before a cart, with everything that a case is made of as keywords."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from promoengine.engine.decide import Case, Decision, Outcome, decide
from promoengine.engine.discounts import Discount, parse_discount
from promoengine.engine.facts import Facts
from promoengine.engine.offers import Category, Offer
from promoengine.engine.operators import Moment
from promoengine.engine.rules import Rule, parse_rule
from promoengine.engine.stacking import StackingRules
from tests.engine.cart import cart

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday
MOMENT = Moment(NOW, ZoneInfo("UTC"))
KEY, CAMPAIGN = "code", "campaign"


def amount(off: int, **more: Any) -> Discount:
    """Return a discount of so many minor units."""
    return parse_discount({"type": "AMOUNT", "amount_off": off, **more})


def percent(off: float, **more: Any) -> Discount:
    return parse_discount({"type": "PERCENT", "percent_off": off, **more})


def rule(name: str, conditions: Any = None, **more: Any) -> Rule:
    """Return a rule of one condition."""
    return parse_rule({"rules": {"1": {"name": name, "conditions": conditions, **more}}})


def code(name: str = "A", category: str | None = None, hierarchy: int = 1, **facts: Any) -> Offer:
    """Return a voucher that takes 1.00 off, unless it says otherwise."""
    known = {
        "key": KEY,
        "campaign_key": CAMPAIGN,
        "discount": amount(100),
        "category": Category(category, hierarchy) if category else None,
    }
    return Offer("voucher", name, **(known | facts))


def decided(*offers: Offer, order: Any = "1 hat @ 100.00", stacking: Any = None, **facts: Any) -> Decision:
    """Decide over a cart as people write it, or an order; `stacking` are the rules that differ."""
    return decide(
        Case(
            offers,
            cart(order) if isinstance(order, str) else order,
            replace(Facts(MOMENT, is_traced=True), **facts),
            StackingRules(**(stacking or {})),
        )
    )


def outcome_of(condition: Mapping[str, Any], **given: Any) -> Outcome:
    """Return what becomes of a voucher that this one condition guards."""
    offer = {name: given.pop(name) for name in ("holder_id", "discount", "gift") if name in given}
    guard = parse_rule({"rules": {"1": condition}})
    return decided(code(rules=(guard,), **offer), **given).outcomes[0]
