"""Promotion tiers: offers without a code, and the order in which they come."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from campaigns.models import Campaign, PromotionTier
from campaigns.selectors import campaign_by_ref, tier_by_id
from campaigns.services.rules import assign_rules_to, forget_assignments
from campaigns.services.stacks import take_out_of_stacks
from campaigns.services.terms import category_of, check_dates, check_discount, check_windows
from campaigns.wire import WINDOWS, simple_campaign, tier_to_wire
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.events import record_event
from promoengine.core.metadata import Schemas
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now

HIERARCHY_MAX = 2**31 - 1


class NotAPromotion(DomainError):
    key = "invalid_campaign"
    message = "Invalid Campaign"


@transaction.atomic
def create_tier(
    project: Project, ref: str, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> PromotionTier:
    """Add a tier of the published fields, dates as datetimes, to a promotion campaign and return it.

    Raises:
        NotFound: the project has no such campaign, category or validation rule.
        NotAPromotion: the campaign has codes instead.
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
    """
    definitions_changed(project)
    tier = new_tiers(project, campaign_by_ref(project, ref), [data], channel=channel, now=now)[0]
    _record(project, "created", tier, channel=channel, now=now)
    return tier


def new_tiers(
    project: Project,
    campaign: Campaign,
    rows: Sequence[Mapping[str, Any]],
    *,
    where: str = "",
    channel: str,
    now: datetime,
) -> list[PromotionTier]:
    """Make tiers in the caller's transaction, which has called `definitions_changed`.

    A tier without a hierarchy comes after all that are there. `where` stands before a property's name in
    errors, with a place for the row's number, as in `.promotion.tiers[{}]`.
    """
    if rows and campaign.campaign_type != Campaign.CampaignType.PROMOTION:
        raise NotAPromotion("Only a PROMOTION campaign has promotion tiers")
    last = PromotionTier.objects.filter(campaign=campaign).aggregate(last=Max("hierarchy"))["last"] or 0
    schemas = schemas_now(project)
    tiers = []
    for index, row in enumerate(rows):
        tier = PromotionTier(project=project, campaign=campaign, created_at=now)
        tier.hierarchy = min(last + 1, HIERARCHY_MAX)
        _apply(tier, _columns(project, tier, row, schemas, where.format(index)))
        last = max(last, tier.hierarchy)
        tiers.append(tier)
    PromotionTier.objects.bulk_create(tiers)
    for tier, row in zip(tiers, rows, strict=True):
        _assign(project, tier, row, channel=channel, now=now)
    return tiers


@transaction.atomic
def update_tier(
    project: Project, tier_id: str, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> PromotionTier:
    """Change the published fields that `data` has and return the tier; null takes a date or window away.

    Metadata are merged; an empty list of validation rules takes away those there were.

    Raises:
        NotFound: the project has no such tier, category or validation rule.
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
    """
    definitions_changed(project)
    tier = tier_by_id(project, tier_id)
    columns = _columns(project, tier, data, schemas_now(project))
    changed = {name: value for name, value in columns.items() if getattr(tier, name) != value}
    rules_changed = _assign(project, tier, data, channel=channel, now=now)
    if changed or rules_changed:
        _apply(tier, changed | {"updated_at": now})
        tier.save(update_fields=[*changed, "updated_at"])
        _record(project, "updated", tier, channel=channel, now=now)
    return tier


@transaction.atomic
def set_tier_active(
    project: Project, tier_id: str, *, active: bool, channel: str = "API", now: datetime
) -> PromotionTier:
    """Enable or disable a tier and return it; it starts or stops applying at once.

    Raises:
        NotFound: the project has no such tier.
    """
    definitions_changed(project)
    tier = tier_by_id(project, tier_id)
    if tier.active != active:
        tier.active, tier.updated_at = active, now
        tier.save(update_fields=["active", "updated_at"])
        _record(project, "enabled" if active else "disabled", tier, channel=channel, now=now)
    return tier


@transaction.atomic
def delete_tier(project: Project, tier_id: str, *, channel: str = "API", now: datetime) -> None:
    """Delete a tier; stacks go on without it, and one that had nothing else is deleted with it.

    Raises:
        NotFound: the project has no such tier.
    """
    definitions_changed(project)
    tier = tier_by_id(project, tier_id)
    take_out_of_stacks(project, tier, channel=channel, now=now)
    forget_assignments([tier.pk])
    _record(project, "deleted", tier, channel=channel, now=now)
    tier.delete()


def store_tier_summaries(summaries: Mapping[uuid.UUID, Mapping[str, int]]) -> None:
    """Keep what was counted of tiers, by their keys: `redeemed_count` and the two amounts beside it."""
    for key, counted in summaries.items():
        PromotionTier.objects.filter(pk=key).exclude(**counted).update(**counted)


def _columns(
    project: Project, tier: PromotionTier, data: Mapping[str, Any], schemas: Schemas, where: str = ""
) -> dict[str, Any]:
    """Return the columns that `data` sets, checked beside what the tier has already."""
    columns = {name: data[name] for name in ("banner", "start_date", "expiration_date") if name in data}
    columns |= {name: data[name] for name in ("name", "hierarchy", "active") if data.get(name) is not None}
    if not columns.get("name", tier.name):
        raise InvalidPayload(f"{_subject(where)} must have required property 'name'")
    if "action" in data:
        discount = (data["action"] or {}).get("discount")
        columns["discount"] = check_discount(discount, f"{where}.action.discount") if discount else None
    if tier._state.adding or data.get("metadata") is not None:
        sent, inside = data.get("metadata") or {}, f"{where[1:]}.metadata." if where else ""
        check_metadata(schemas, "promotion_tier", sent, is_new=tier._state.adding, where=inside)
        columns["metadata"] = tier.metadata | sent
    if "category" in data or "category_id" in data:
        columns["category"] = category_of(project, name=data.get("category"), ref=data.get("category_id"))
    if any(name in data for name in WINDOWS.values()):
        before = {WINDOWS[key]: value for key, value in (tier.validity or {}).items()}
        columns["validity"] = check_windows(before | {k: data[k] for k in WINDOWS.values() if k in data})
    check_dates(
        columns.get("start_date", tier.start_date), columns.get("expiration_date", tier.expiration_date)
    )
    return columns


def _subject(where: str) -> str:
    return f"Property {where}" if where else "Payload"


def _apply(tier: PromotionTier, columns: Mapping[str, Any]) -> None:
    for name, value in columns.items():
        setattr(tier, name, value)


def _assign(
    project: Project, tier: PromotionTier, data: Mapping[str, Any], *, channel: str, now: datetime
) -> bool:
    """Let the rules that `data` names guard the tier, and return whether that changed anything."""
    before = tier.rule_assignments
    tier.rule_assignments = assign_rules_to(
        project, "promotion_tier", tier.pk, data.get("validation_rules"), now, channel=channel
    )
    return [one.pk for one in before] != [one.pk for one in tier.rule_assignments]


def _record(project: Project, what: str, tier: PromotionTier, *, channel: str, now: datetime) -> None:
    record_event(
        project,
        f"campaign.promotion_tier.{what}",
        {"campaign": simple_campaign(tier.campaign), "promotion_tier": tier_to_wire(tier)},
        entity_id=tier.public_id,
        campaign_id=tier.campaign_id,
        channel=channel,
        now=now,
    )
