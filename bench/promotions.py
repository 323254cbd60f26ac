"""Ten thousand active promotions, put into the database of the product whose state directory is named.

Run by `bench/qualification.py` in a process of its own, because Django's settings are read once. The mix, by
the number of a promotion modulo 20; discounts take turns between an amount off the order, a percentage off
the order with a cap, a percentage off items, and an amount off the items that the rule names:

    0-7    need one product of 20,000 (the cart has 100 of them); half want three units of it
    8-9    need an item of one of 400 collections
    10-12  need an order amount, from 20.00 to 3,000.00 (the cart is worth about 2,000)
    13-14  need a customer segment, one of 50
    15-16  need metadata of the order, one of 20 sales channels, and an amount
    17     open on some weekdays and hours, and in a season that half of them have left behind
    18     need metadata of the customer
    19     an order amount and one of three products

Of those for which nobody can tell in advance (16-18), most fail when they are judged.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promoengine.settings")
django.setup()

from django.db import transaction

from campaigns.models import Campaign, PromotionTier, ValidationRule, ValidationRuleAssignment
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed

PROMOTIONS, CAMPAIGNS, GOODS, COLLECTIONS = 10_000, 100, 20_000, 400


def main() -> None:
    """Insert the promotions, and print the id of one, for the request that changes it."""
    project, now = Project.objects.get(key="demo"), datetime.now(UTC)
    with transaction.atomic():
        definitions_changed(project)
        tiers = make_promotions(project, now)
    print(tiers[0].public_id)


def make_promotions(project: Project, now: datetime) -> list[PromotionTier]:
    campaigns = Campaign.objects.bulk_create(
        Campaign(project=project, name=f"Promotions {n}", campaign_type="PROMOTION", type="STATIC")
        for n in range(CAMPAIGNS)
    )
    tiers = PromotionTier.objects.bulk_create(
        PromotionTier(
            project=project,
            campaign=campaigns[n % CAMPAIGNS],
            name=f"Promotion {n}",
            discount=discount_of(n // 20),
            created_at=now - timedelta(minutes=(n * 7919) % PROMOTIONS),
            **windows_of(n, now),
        )
        for n in range(PROMOTIONS)
    )
    rules = {n: rule for n in range(PROMOTIONS) if (rule := rule_of(n))}
    rows = ValidationRule.objects.bulk_create(
        ValidationRule(project=project, name=f"Rule {n}", rules=rule, applicable_to=scope_of(n))
        for n, rule in rules.items()
    )
    ValidationRuleAssignment.objects.bulk_create(
        ValidationRuleAssignment(
            project=project, rule=row, related_object_type="promotion_tier", related_object_id=tiers[n].pk
        )
        for n, row in zip(rules, rows, strict=True)
    )
    return tiers


def discount_of(turn: int) -> dict[str, Any]:
    return (
        {"type": "AMOUNT", "amount_off": 100 + turn, "effect": "APPLY_TO_ORDER"},
        {"type": "PERCENT", "percent_off": 1 + turn % 30, "effect": "APPLY_TO_ORDER", "amount_limit": 3000},
        {"type": "PERCENT", "percent_off": 1 + turn % 50, "effect": "APPLY_TO_ITEMS"},
        {"type": "AMOUNT", "amount_off": 50 + turn, "effect": "APPLY_TO_ITEMS"},
    )[turn % 4]


def windows_of(n: int, now: datetime) -> dict[str, Any]:
    if n % 20 != 17:
        return {}
    hours = {"daily": [{"start_time": "08:00", "expiration_time": "20:00", "days_of_week": [n % 7, 6]}]}
    is_over = n // 20 % 2
    return {
        "start_date": now - timedelta(days=90),
        "expiration_date": now + timedelta(days=-1 if is_over else 30),
        "validity": {"hours": hours},
    }


def rule_of(n: int) -> dict[str, Any] | None:
    amount = condition("order.amount", "$more_than_or_equal", 2000 + n * 37 % 298_000)
    match n % 20:
        case 0 | 1 | 2 | 3:
            return numbered(items([product(n * 2)]))
        case 4 | 5 | 6 | 7:
            quantity = condition("order.items.quantity", "$more_than_or_equal", 3)
            return numbered(items([product(n * 2)]) | {"rules": numbered(quantity)})
        case 8 | 9:
            return numbered(items([{"id": f"pc_{n % COLLECTIONS}", "object": "products_collection"}]))
        case 10 | 11 | 12:
            return numbered(amount)
        case 13 | 14:
            return numbered(condition("customer.segment", "$is", f"seg_{n % 50}"))
        case 15 | 16:
            channel = condition("order.metadata", "$is", f"channel-{n // 20 % 20}", property="channel")
            return numbered(channel, amount)
        case 18:
            return numbered(condition("customer.metadata", "$is", f"group-{n % 40}", property="group"))
        case 19:
            return numbered(amount, items([product(n), product(n + 1), product(n + 2)]))
    return None


def scope_of(n: int) -> dict[str, Any]:
    """Return what the discounts of promotions for one product reach: that product."""
    if n % 20 > 7:
        return {}
    return {"included": [product(n * 2)], "excluded": [], "included_all": False}


def product(n: int) -> dict[str, str]:
    return {"id": f"prod_{n % GOODS}", "object": "product"}


def items(ids: list[dict[str, str]]) -> dict[str, Any]:
    return {"name": "order.items.any", "conditions": {"$is": ids}}


def condition(name: str, operator: str, value: Any, **more: str) -> dict[str, Any]:
    return {"name": name, "conditions": {operator: [value]}, **more}


def numbered(*conditions: dict[str, Any]) -> dict[str, Any]:
    rules: dict[str, Any] = {str(number): one for number, one in enumerate(conditions, 1)}
    return rules | {"logic": " and ".join(rules)}


if __name__ == "__main__":
    main()
