"""The limits of a campaign that are a rule: how often it may be used, and how much it may give."""

from collections.abc import Mapping
from typing import Any

from campaigns.models import Campaign, ValidationRule, ValidationRuleAssignment
from campaigns.rule_selectors import rules_for_wire
from promoengine.core.models import Project

# The campaign's limits by short names; amounts are in minor units.
LIMITS = {
    "total": "campaign.redemptions.count",
    "daily": "campaign.redemptions.count.daily",
    "customer": "campaign.redemptions.customers_count",
    "discount": "campaign.orders.amount_discounted",
}
AT_MOST = "$less_than_or_equal"
JUNCTIONS = ("", *(" and ".join(str(number) for number in range(1, count + 1)) for count in (1, 2, 3, 4)))


def limits_rule(project: Project, campaign: Campaign) -> tuple[ValidationRule | None, dict[str, int]]:
    """Return the rule that says nothing but limits of this campaign alone, and these limits; or None."""
    assigned = ValidationRuleAssignment.objects.filter(
        related_object_type=ValidationRuleAssignment.RelatedObject.CAMPAIGN, related_object_id=campaign.pk
    )
    rules = rules_for_wire(project).filter(pk__in=assigned.values("rule"), assignments_count=1)
    for rule in rules.order_by("pk"):
        limits = limits_in(rule)
        if limits:
            return rule, limits
    return None, {}


def limits_in(rule: ValidationRule) -> dict[str, int]:
    """Return the limits a rule sets, or nothing where it says anything else too."""
    numbered = {number: one for number, one in rule.rules.items() if number != "logic"}
    if rule.error or rule.bundle_rules or any(rule.applicable_to.values()):
        return {}
    found = dict(limit for one in numbered.values() if (limit := _limit(one)))
    is_whole = len(found) == len(numbered) and rule.rules.get("logic", "") in JUNCTIONS
    return found if is_whole else {}


def _limit(condition: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return the limit a condition is, by its short name, or None where it is anything else."""
    for short, name in LIMITS.items():
        most = next(iter((condition.get("conditions") or {}).get(AT_MOST) or ()), None)
        if type(most) is int and condition == condition_of(name, most):
            return short, most
    return None


def condition_of(name: str, most: int) -> dict[str, Any]:
    """Return the condition that a count or sum is at most so much, as the wire has it."""
    return {"name": name, "conditions": {AT_MOST: [most]}, "rules": {}}
