"""Promotion stacks: tiers of one campaign that are used together."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import Campaign, PromotionStack, PromotionTier
from campaigns.selectors import campaign_by_ref, stack_by_id
from campaigns.services.terms import category_of
from campaigns.wire import simple_campaign, stack_to_wire
from promoengine.core.errors import InvalidPayload, NotFound
from promoengine.core.events import record_event
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed

TIERS_MAX = 30


@transaction.atomic
def create_stack(
    project: Project, ref: str, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> PromotionStack:
    """Make a stack of a campaign's tiers, which apply in the order of their ids, and return it.

    Raises:
        NotFound: the project has no such campaign or category, or the campaign no such tier.
        InvalidPayload: the name or the tiers are missing, too many, or named twice.
    """
    definitions_changed(project)
    campaign = campaign_by_ref(project, ref)
    if not data.get("name"):
        raise InvalidPayload("Payload must have required property 'name'")
    if "tiers" not in data:
        raise InvalidPayload("Payload must have required property 'tiers'")
    stack = PromotionStack.objects.create(
        project=project, campaign=campaign, created_at=now, **_columns(project, campaign, data)
    )
    _record(project, "created", stack, channel=channel, now=now)
    return stack


@transaction.atomic
def update_stack(
    project: Project, ref: str, stack_id: str, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> PromotionStack:
    """Change the published fields that `data` has, the tiers as a whole, and return the stack.

    Raises:
        NotFound: the project has no such campaign or category, or the campaign no such stack or tier.
        InvalidPayload: there are no tiers, too many, or one is named twice.
    """
    definitions_changed(project)
    campaign = campaign_by_ref(project, ref)
    stack = stack_by_id(campaign, stack_id)
    changed = {
        name: value
        for name, value in _columns(project, campaign, data).items()
        if getattr(stack, name) != value
    }
    if changed:
        for name, value in changed.items():
            setattr(stack, name, value)
        stack.updated_at = now
        stack.save(update_fields=[*changed, "updated_at"])
        _record(project, "updated", stack, channel=channel, now=now)
    return stack


@transaction.atomic
def delete_stack(project: Project, ref: str, stack_id: str, *, channel: str = "API", now: datetime) -> None:
    """Delete a stack; its tiers stay.

    Raises:
        NotFound: the project has no such campaign, or the campaign no such stack.
    """
    definitions_changed(project)
    stack = stack_by_id(campaign_by_ref(project, ref), stack_id)
    _record(project, "deleted", stack, channel=channel, now=now)
    stack.delete()


def take_out_of_stacks(project: Project, tier: PromotionTier, *, channel: str, now: datetime) -> None:
    """Take a tier that is being deleted out of its stacks, in the caller's transaction.

    A stack that has no other tier is deleted.
    """
    stacks = PromotionStack.objects.filter(campaign=tier.campaign, tier_ids__contains=[tier.pk])
    for stack in stacks.select_related("category").order_by("pk"):
        stack.campaign = tier.campaign
        left = [key for key in stack.tier_ids if key != tier.pk]
        if left:
            stack.tier_ids, stack.updated_at = left, now
            stack.save(update_fields=["tier_ids", "updated_at"])
            _record(project, "updated", stack, channel=channel, now=now)
        else:
            _record(project, "deleted", stack, channel=channel, now=now)
            stack.delete()


def _columns(project: Project, campaign: Campaign, data: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if data.get("name"):
        columns["name"] = data["name"]
    if "tiers" in data:
        columns["tier_ids"] = _tier_keys(campaign, data["tiers"].get("ids"))
    if "category_id" in data:
        columns["category"] = category_of(project, name=None, ref=data["category_id"])
    return columns


def _tier_keys(campaign: Campaign, ids: list[str] | None) -> list[uuid.UUID]:
    if ids is None:
        raise InvalidPayload("Property .tiers must have required property 'ids'")
    if not 1 <= len(ids) <= TIERS_MAX:
        raise InvalidPayload(f"Property .tiers.ids should have 1 to {TIERS_MAX} items")
    keys = {one: parse_public_id(PromotionTier.prefix, one) for one in ids}
    known = set(
        PromotionTier.objects.filter(
            campaign=campaign, pk__in=[key for key in keys.values() if key]
        ).values_list("pk", flat=True)
    )
    found = []
    for one in ids:
        key = keys[one]
        if key is None or key not in known:
            raise NotFound("promotion_tier", one)
        if key in found:
            raise InvalidPayload(f"Property .tiers.ids should name {one} only once")
        found.append(key)
    return found


def _record(project: Project, what: str, stack: PromotionStack, *, channel: str, now: datetime) -> None:
    record_event(
        project,
        f"campaign.promotion_stack.{what}",
        {"campaign": simple_campaign(stack.campaign), "promotion_stack": stack_to_wire(stack)},
        entity_id=stack.public_id,
        campaign_id=stack.campaign_id,
        channel=channel,
        now=now,
    )
