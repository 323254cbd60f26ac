"""Campaigns and promotion tiers with their rules, kept in this process by the version of the definitions.

What is kept is shared by all requests of the process: nobody changes it.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from campaigns.models import Campaign, PromotionTier, ValidationRuleAssignment, ValidityModel
from campaigns.rule_selectors import attach_assignments, guarded_keys
from promoengine.core.models import Project

PROJECTS_KEPT, ROWS_KEPT = 100, 20_000

Row = TypeVar("Row", Campaign, PromotionTier)


@dataclass(frozen=True, slots=True)
class _Definitions:
    version: int
    campaigns: dict[uuid.UUID, Campaign] = field(default_factory=dict)
    tiers: dict[uuid.UUID, PromotionTier] = field(default_factory=dict)
    assignments: dict[uuid.UUID, list[ValidationRuleAssignment]] = field(default_factory=dict)


_known: dict[uuid.UUID, _Definitions] = {}


def campaigns_at(project: Project, version: int, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Campaign]:
    """Return the project's campaigns of these keys, each with its category and rules.

    Two queries where one of them is not kept yet, none otherwise.
    """
    kept = _definitions(project, version).campaigns
    missing = [key for key in keys if key not in kept]
    if missing:
        rows = list(Campaign.objects.filter(project=project, pk__in=missing).select_related("category"))
        attach_rules(project, rows)
        _keep(kept, rows)
    return {key: kept[key] for key in keys if key in kept}


def tiers_at(project: Project, version: int, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, PromotionTier]:
    """Return the project's present promotion tiers of these keys, each with its campaign and rules.

    Two queries where one of them is not kept yet, none otherwise.
    """
    kept = _definitions(project, version).tiers
    missing = [key for key in keys if key not in kept]
    if missing:
        present = PromotionTier.objects.filter(project=project, campaign__deleted_at=None)
        rows = list(present.filter(pk__in=missing).select_related("campaign__category", "category"))
        attach_tier_rules(project, rows)
        _keep(kept, rows)
    return {key: kept[key] for key in keys if key in kept}


def assignments_at(
    project: Project, version: int, keys: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, list[ValidationRuleAssignment]]:
    """Return the assignments to objects of any room, with their rules, by the objects' keys.

    One query where one of them is not kept yet, none otherwise.
    """
    kept = _definitions(project, version).assignments
    missing = [key for key in keys if key not in kept]
    if missing:
        if len(kept) + len(missing) > ROWS_KEPT:
            kept.clear()
        kept.update({key: [] for key in keys if key not in kept} | _assignments(project, missing))
    return {key: kept.get(key, []) for key in keys}


def attach_tier_rules(project: Project, tiers: Collection[PromotionTier]) -> None:
    """Put on tiers, and on their campaigns, the assignments of their rules, in one query."""
    attach_rules(project, [*tiers, *(tier.campaign for tier in tiers)])


def attach_rules(project: Project, rows: Collection[ValidityModel]) -> None:
    """Put on each row the assignments of its rules, with the rules, in one query."""
    keys = {key for row in rows for key in guarded_keys(row)}
    attach_assignments(rows, _assignments(project, keys) if keys else {})


def forget_definitions() -> None:
    """Keep nothing any longer."""
    _known.clear()


def _assignments(
    project: Project, keys: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[ValidationRuleAssignment]]:
    found: dict[uuid.UUID, list[ValidationRuleAssignment]] = {}
    rows = ValidationRuleAssignment.objects.filter(project=project, related_object_id__in=keys)
    for assignment in rows.select_related("rule").order_by("pk"):
        found.setdefault(assignment.related_object_id, []).append(assignment)
    return found


def _definitions(project: Project, version: int) -> _Definitions:
    known = _known.get(project.pk)
    if known is not None and known.version == version:
        return known
    if len(_known) >= PROJECTS_KEPT:
        _known.clear()
    made = _known[project.pk] = _Definitions(version)
    return made


def _keep(kept: dict[uuid.UUID, Row], rows: list[Row]) -> None:
    if len(kept) + len(rows) > ROWS_KEPT:
        kept.clear()
    kept.update((row.pk, row) for row in rows)
