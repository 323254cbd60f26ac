"""What a validation rule says: read from a body, checked by the engine, kept as it is published today."""

from collections.abc import Mapping
from typing import Any

from promoengine.core.errors import DomainError
from promoengine.engine.rules import InvalidRule, parse_rule, published_name

RULE_FIELDS = ("name", "type", "context_type", "rules", "bundle_rules", "applicable_to", "error")


class InvalidRules(DomainError):
    """Conditions or their logic can't be meant; `details` names the place."""

    key = "invalid_validation_rules"
    message = "Invalid Validation Rule Definition"


def read_rule(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a rule that has the published fields of `data`, its name among them.

    Raises:
        InvalidRules: its conditions or their logic can't be meant.
    """
    check_rule(data)
    return {
        "name": data["name"],
        "type": data.get("type") or "expression",
        "context_type": data.get("context_type") or "global",
        "rules": _as_published(data.get("rules") or {}),
        "bundle_rules": data.get("bundle_rules") or {},
        "applicable_to": {
            name: value for name, value in (data.get("applicable_to") or {}).items() if value is not None
        },
        "error": data.get("error") or None,
    }


def check_rule(data: Mapping[str, Any]) -> None:
    """Refuse a rule that the engine can't read.

    Raises:
        InvalidRules: it can't; the details name the place.
    """
    try:
        parse_rule(data)
    except InvalidRule as error:
        raise InvalidRules(str(error)) from error


def _as_published(rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked rules with today's names, where older clients write `customer_segment`."""
    published = {
        number: {
            **rule,
            "name": published_name(rule["name"]),
            "conditions": rule.get("conditions") or {},
            "rules": _as_published(rule.get("rules") or {}),
        }
        for number, rule in rules.items()
        if number != "logic"
    }
    logic = rules.get("logic")
    return published | {"logic": logic} if isinstance(logic, str) else published
