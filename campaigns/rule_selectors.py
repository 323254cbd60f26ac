"""Reads of validation rules and of what they guard."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from campaigns.models import (
    RELATED_PREFIXES,
    Campaign,
    PromotionTier,
    ValidationRule,
    ValidationRuleAssignment,
    ValidityModel,
)
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.selectors import row_by_id

RULE, ASSIGNMENT = "validation_rules", "validation_rules_assignment"

Assignments = Mapping[uuid.UUID, list[ValidationRuleAssignment]]


def rules_for_wire(project: Project) -> QuerySet[ValidationRule]:
    """Return the project's validation rules with all that their published JSON needs."""
    assignments = ValidationRuleAssignment.objects.filter(rule=OuterRef("pk")).order_by().values("rule")
    return ValidationRule.objects.filter(project=project).annotate(
        assignments_count=Coalesce(Subquery(assignments.annotate(count=Count("pk")).values("count")), 0)
    )


def rule_by_id(project: Project, ref: str) -> ValidationRule:
    """Return the validation rule of that id, ready for the wire.

    Raises:
        NotFound: the project has none.
    """
    return row_by_id(rules_for_wire(project), ref, RULE)


def assignment_by_id(rule: ValidationRule, ref: str) -> ValidationRuleAssignment:
    """Return the rule's assignment of that id.

    Raises:
        NotFound: the rule has none.
    """
    return row_by_id(ValidationRuleAssignment.objects.filter(rule=rule), ref, ASSIGNMENT)


def of_rule(ref: str) -> Q:
    """Return the condition of the assignments of a rule; an id of nothing matches nothing."""
    key = parse_public_id(ValidationRule.prefix, ref)
    return Q(rule_id=key) if key else Q(pk__in=[])


def of_related_object(ref: str) -> Q:
    """Return the condition of the assignments to the object of that id; one of nothing matches nothing."""
    keys = [key for prefix in RELATED_PREFIXES.values() if (key := parse_public_id(prefix, ref))]
    return Q(related_object_id__in=keys)


def assignments_to(keys: Collection[uuid.UUID]) -> Assignments:
    """Return the assignments to several of a project's objects in one query, oldest first, by their keys."""
    found: dict[uuid.UUID, list[ValidationRuleAssignment]] = defaultdict(list)
    rows = ValidationRuleAssignment.objects.filter(related_object_id__in=keys)
    for assignment in rows.order_by("pk"):
        found[assignment.related_object_id].append(assignment)
    return found


def load_assignments(rows: Collection[ValidityModel]) -> None:
    """Load the rules on campaigns, promotion tiers and codes in one query, for their published JSON."""
    if rows:
        attach_assignments(rows, assignments_to({key for row in rows for key in guarded_keys(row)}))


def attach_assignments(rows: Iterable[ValidityModel], found: Assignments) -> None:
    """Show on each row its assignments out of those that have been loaded."""
    for row in rows:
        row.rule_assignments = [one for key in guarded_keys(row) for one in found.get(key, ())]


def guarded_keys(row: ValidityModel) -> list[uuid.UUID]:
    """Return the keys of what guards a row: its own and, for a code, its campaign's."""
    if isinstance(row, Campaign | PromotionTier):
        return [row.pk]
    campaign_id: uuid.UUID | None = getattr(row, "campaign_id", None)
    return [row.pk, campaign_id] if campaign_id else [row.pk]
