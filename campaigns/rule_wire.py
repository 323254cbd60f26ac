"""Validation rules and their assignments as the wire has them."""

from collections.abc import Sequence
from typing import Any

from campaigns.models import ValidationRule, ValidationRuleAssignment
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.ids import public_id

APPLICABLE_TO_ANYTHING = {"excluded": [], "included": [], "included_all": False}


def rule_to_wire(rule: ValidationRule) -> dict[str, Any]:
    """Return a validation rule that came from `rules_for_wire`; what is not set is absent."""
    wire: dict[str, Any] = {
        "id": rule.public_id,
        "name": rule.name,
        "rules": rule.rules,
        "bundle_rules": rule.bundle_rules,
        "applicable_to": APPLICABLE_TO_ANYTHING | rule.applicable_to,
        "type": rule.type,
        "context_type": rule.context_type,
        "created_at": wire_datetime(rule.created_at),
        "assignments_count": rule.assignments_count,
        "object": "validation_rules",
    }
    if rule.error:
        wire["error"] = rule.error
    if rule.updated_at:
        wire["updated_at"] = wire_datetime(rule.updated_at)
    return wire


def assignment_to_wire(assignment: ValidationRuleAssignment) -> dict[str, Any]:
    """Return what a rule is assigned to; a rule that has been saved is valid as a whole."""
    return {
        "id": assignment.public_id,
        "rule_id": public_id(ValidationRule.prefix, assignment.rule_id),
        "related_object_id": assignment.related_public_id,
        "related_object_type": assignment.related_object_type,
        "created_at": wire_datetime(assignment.created_at),
        "object": "validation_rules_assignment",
        "validation_status": "VALID",
        "validation_omitted_rules": [],
    }


def assignments_to_wire(assignments: Sequence[ValidationRuleAssignment]) -> dict[str, Any]:
    """Return the rules on one object as it lists them."""
    return {
        "object": "list",
        "data_ref": "data",
        "data": [assignment_to_wire(assignment) for assignment in assignments],
        "total": len(assignments),
    }
