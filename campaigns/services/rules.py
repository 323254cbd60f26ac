"""Validation rules: making, changing and deleting them, and assigning them to what they guard."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from campaigns.models import ValidationRule, ValidationRuleAssignment
from campaigns.rule_selectors import ASSIGNMENT, rule_by_id, rules_for_wire
from campaigns.rule_wire import assignment_to_wire, rule_to_wire
from campaigns.services.related_objects import RelatedObject, known_object
from campaigns.services.rule_definitions import RULE_FIELDS, read_rule
from customers.places import check_locations
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.errors import Duplicate, InvalidPayload, NotFound
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed


@transaction.atomic
def create_validation_rule(
    project: Project, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> ValidationRule:
    """Make a validation rule of the published fields and return it ready for the wire.

    Raises:
        InvalidPayload: it has no name.
        InvalidRules: its conditions or their logic can't be meant; the details name the place.
        NotFound: it asks about a location that the project does not have.
    """
    if not data.get("name"):
        raise InvalidPayload("Payload must have required property 'name'")
    columns = read_rule(data)
    definitions_changed(project)
    check_locations(project, columns["rules"])
    rule = ValidationRule.objects.create(project=project, created_at=now, **columns)
    rule.assignments_count = 0
    _record(project, rule, "created", channel=channel, now=now)
    return rule


@transaction.atomic
def update_validation_rule(
    project: Project, ref: str, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> ValidationRule:
    """Change the published fields that `data` has and return the rule; a null object is cleared.

    Raises:
        NotFound: the project has no such rule, or no location that it asks about.
        InvalidRules: as in making one.
    """
    definitions_changed(project)
    rule = rule_by_id(project, ref)
    columns = read_rule({name: getattr(rule, name) for name in RULE_FIELDS} | dict(data))
    changed = {name: value for name, value in columns.items() if getattr(rule, name) != value}
    if not changed:
        return rule
    check_locations(project, changed.get("rules", {}))
    ValidationRule.objects.filter(pk=rule.pk).update(**changed, version=F("version") + 1, updated_at=now)
    rule = rule_by_id(project, ref)
    _record(project, rule, "updated", channel=channel, now=now)
    return rule


@transaction.atomic
def delete_validation_rule(project: Project, ref: str, *, channel: str = "API", now: datetime) -> None:
    """Delete a validation rule with its assignments; what it guarded it guards no longer.

    Raises:
        NotFound: the project has no such rule.
    """
    definitions_changed(project)
    rule = rule_by_id(project, ref)
    _record(project, rule, "deleted", channel=channel, now=now)
    rule.delete()


@transaction.atomic
def assign_rule(
    project: Project,
    ref: str,
    *,
    related: RelatedObject,
    force: bool = False,
    channel: str = "API",
    now: datetime,
) -> ValidationRuleAssignment:
    """Let a rule guard an object and return the assignment; `force` replaces an earlier one of the two.

    Raises:
        NotFound: the project has no such rule.
        Duplicate: the rule guards that object already.
    """
    definitions_changed(project)
    rule = rule_by_id(project, ref)
    earlier = ValidationRuleAssignment.objects.filter(
        rule=rule, related_object_type=related.type, related_object_id=related.key
    ).first()
    if earlier is not None and not force:
        raise Duplicate(
            f"Duplicated {ASSIGNMENT} exists with id {earlier.public_id}",
            resource_id=earlier.public_id,
            resource_type=ASSIGNMENT,
        )
    if earlier is not None:
        _unassign(project, rule, earlier, related, channel=channel, now=now)
    return _assign(project, rule, related, channel=channel, now=now)


@transaction.atomic
def unassign_rule(
    project: Project,
    assignment: ValidationRuleAssignment,
    *,
    related: RelatedObject,
    channel: str = "API",
    now: datetime,
) -> None:
    """Let a rule guard an object no longer.

    Raises:
        NotFound: the assignment has gone meanwhile.
    """
    definitions_changed(project)
    found = ValidationRuleAssignment.objects.filter(project=project, pk=assignment.pk).first()
    if found is None:
        raise NotFound(ASSIGNMENT, assignment.public_id)
    _unassign(project, _rule_of(project, found), found, related, channel=channel, now=now)


def assign_rules_to(
    project: Project,
    related_object_type: str,
    related_object_id: uuid.UUID,
    rule_refs: Sequence[str] | None,
    now: datetime,
    *,
    wire: Mapping[str, Any] | None = None,
    channel: str = "API",
) -> list[ValidationRuleAssignment]:
    """Let exactly the rules of a body's `validation_rules` guard an object, and return the assignments.

    There may be one. It works in the caller's transaction, which has called `definitions_changed`. None
    changes nothing, an empty list takes away what there was. `wire` is the object's short JSON for events,
    under its name as in `{"voucher": …}`; a campaign's or promotion tier's is looked up where not given.

    Raises:
        InvalidPayload: more than one rule is named.
        NotFound: the project has no rule of that id.
    """
    assignments = ValidationRuleAssignment.objects.filter(
        project=project, related_object_type=related_object_type, related_object_id=related_object_id
    )
    before = list(assignments.order_by("pk"))
    if rule_refs is None:
        return before
    if len(rule_refs) > 1:
        raise InvalidPayload("Property .validation_rules should have up to 1 item")
    wanted = [rule_by_id(project, ref) for ref in rule_refs]
    if [one.rule_id for one in before] == [rule.pk for rule in wanted]:
        return before
    related = (
        known_object(project, related_object_type, related_object_id)
        if wire is None
        else RelatedObject(related_object_type, related_object_id, wire)
    )
    for one in before:
        _unassign(project, _rule_of(project, one), one, related, channel=channel, now=now)
    return [_assign(project, rule, related, channel=channel, now=now) for rule in wanted]


def forget_assignments(keys: Collection[uuid.UUID]) -> None:
    """Delete the assignments to objects that are deleted for good, in the caller's transaction."""
    ValidationRuleAssignment.objects.filter(related_object_id__in=keys).delete()


def _rule_of(project: Project, assignment: ValidationRuleAssignment) -> ValidationRule:
    return rules_for_wire(project).get(pk=assignment.rule_id)


def _assign(
    project: Project, rule: ValidationRule, related: RelatedObject, *, channel: str, now: datetime
) -> ValidationRuleAssignment:
    assignment = ValidationRuleAssignment.objects.create(
        project=project,
        rule=rule,
        related_object_type=related.type,
        related_object_id=related.key,
        created_at=now,
    )
    rule.assignments_count += 1
    _record_assignment(project, rule, assignment, related, "created", channel=channel, now=now)
    return assignment


def _unassign(
    project: Project,
    rule: ValidationRule,
    assignment: ValidationRuleAssignment,
    related: RelatedObject,
    *,
    channel: str,
    now: datetime,
) -> None:
    ValidationRuleAssignment.objects.filter(pk=assignment.pk).delete()
    rule.assignments_count -= 1
    _record_assignment(project, rule, assignment, related, "deleted", channel=channel, now=now)


def _record(project: Project, rule: ValidationRule, what: str, *, channel: str, now: datetime) -> None:
    record_event(
        project,
        f"business_validation_rule.{what}",
        {"rule": rule_to_wire(rule), f"{what}_at": wire_datetime(now)},
        entity_id=rule.public_id,
        channel=channel,
        now=now,
    )


def _record_assignment(
    project: Project,
    rule: ValidationRule,
    assignment: ValidationRuleAssignment,
    related: RelatedObject,
    what: str,
    *,
    channel: str,
    now: datetime,
) -> None:
    record_event(
        project,
        f"business_validation_rule.assignment.{what}",
        {"rule": rule_to_wire(rule), "assignment": assignment_to_wire(assignment), **related.wire},
        entity_id=assignment.public_id,
        campaign_id=related.key if related.type == "campaign" else None,
        channel=channel,
        now=now,
    )
