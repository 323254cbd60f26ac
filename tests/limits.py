"""Limits by validation rules, as tests set them, use them up and hold them against the ledger."""

from typing import Any

from django.utils import timezone

from campaigns.models import PromotionTier
from campaigns.services.related_objects import RelatedObject
from campaigns.services.rules import assign_rule, create_validation_rule
from redemptions.channel import Channel
from redemptions.models import UsageCounter
from redemptions.requests import parse_checkout
from redemptions.services.reconcile import differences
from redemptions.services.redeem import RedemptionRefused
from redemptions.services.redeem import redeem as redeem_at
from vouchers.models import Voucher

REFUSED = "redemption_rules_violated"
SHOP = Channel("app-1", "API", "API", "Shop")


def limit(row, name, most, *, operator="$less_than_or_equal", message=None, extra=None):
    """Let a rule on a counter guard a campaign, code or promotion tier, and return its assignment."""
    condition = {"name": name, "conditions": {operator: [most]}}
    if message:
        condition["error"] = {"message": message}
    data = {"name": f"{name} {most}", "rules": {"1": condition}, **(extra or {})}
    return assign(row, create_validation_rule(row.project, data=data, now=timezone.now()))


def assign(row, rule):
    kind = {Voucher: "voucher", PromotionTier: "promotion_tier"}.get(type(row), "campaign")
    return assign_rule(row.project, rule.public_id, related=RelatedObject(kind, row.pk), now=timezone.now())


def body(*refs, **more: Any) -> dict[str, Any]:
    """Return a checkout of codes and promotion tiers, on an order of 50.00."""
    named = [
        {"object": "promotion_tier" if ref.startswith("promo_") else "voucher", "id": ref} for ref in refs
    ]
    return {"redeemables": named, "order": {"amount": 5000}, **more}


def redeem(api, *refs, **more: Any):
    return api.post("/v1/redemptions", body(*refs, **more))


def use(project, code, now):
    """Redeem a code at a moment, and return the checkout."""
    return redeem_at(project, parse_checkout(body(code.code)), channel=SHOP, now=now)


def is_allowed(project, code, now) -> bool:
    """Redeem a code at a moment, and return whether that was allowed."""
    try:
        use(project, code, now)
    except RedemptionRefused:
        return False
    return True


def key_of(answer) -> str:
    return answer.json().get("key", "success")


def roll_back(api, answer):
    made = answer.json()
    whole = made.get("parent_redemption") or made["redemptions"][0]
    return api.post(f"/v1/redemptions/{whole['id']}/rollbacks")


def lock(key="cart", ttl=1, unit="HOURS") -> dict[str, Any]:
    return {"type": "LOCK", "key": key, "ttl": ttl, "ttl_unit": unit}


def assert_ledger_agrees(project) -> None:
    """Every count, balance and counter of the project says what its ledger says."""
    assert [str(one) for one in differences(project)] == []


def standing(project) -> dict[tuple[str, str], int]:
    """Return what the project's counters stand at, by measure and window."""
    rows = UsageCounter.objects.filter(project=project)
    return {(row.measure, row.window): row.value for row in rows}
