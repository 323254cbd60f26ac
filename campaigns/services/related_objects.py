"""What validation rules may be assigned to, as far down as this room sees."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.models import RELATED_PREFIXES, PromotionTier, ValidationRuleAssignment
from campaigns.selectors import campaign_by_ref
from campaigns.wire import campaign_to_wire, tier_to_wire
from promoengine.core.errors import NotFound
from promoengine.core.ids import parse_public_id, public_id
from promoengine.core.models import Project

Kind = ValidationRuleAssignment.RelatedObject

SHORT = {
    "campaign": ("id", "name", "campaign_type", "type", "active", "metadata", "created_at", "object"),
    "promotion_tier": ("id", "name", "banner", "metadata"),
}


@dataclass(frozen=True, slots=True)
class RelatedObject:
    """What a rule is assigned to, and its short JSON under its name, as events carry it."""

    type: str
    key: uuid.UUID
    wire: Mapping[str, Any] = field(default_factory=dict)


def related_object(project: Project, related_object_type: str, ref: str) -> RelatedObject:
    """Return the campaign or promotion tier of that id.

    Raises:
        NotFound: the project has none, or nothing of that type can have a rule here.
    """
    if related_object_type == Kind.CAMPAIGN:
        campaign = campaign_by_ref(project, ref)
        return RelatedObject(Kind.CAMPAIGN, campaign.pk, _wire("campaign", campaign_to_wire(campaign)))
    key = parse_public_id(PromotionTier.prefix, ref)
    if related_object_type != Kind.PROMOTION_TIER or key is None:
        raise NotFound(related_object_type, ref)
    tiers = PromotionTier.objects.filter(project=project, campaign__deleted_at=None)
    tier = tiers.select_related("campaign__category").filter(pk=key).first()
    if tier is None:
        raise NotFound(related_object_type, ref)
    return RelatedObject(Kind.PROMOTION_TIER, tier.pk, _wire("promotion_tier", tier_to_wire(tier)))


def known_object(project: Project, related_object_type: str, key: uuid.UUID) -> RelatedObject:
    """Return what an assignment names, without JSON where this room can't see it, or it is gone."""
    try:
        return related_object(
            project, related_object_type, public_id(RELATED_PREFIXES[related_object_type], key)
        )
    except NotFound:
        return RelatedObject(related_object_type, key)


def _wire(name: str, whole: dict[str, Any]) -> dict[str, Any]:
    return {name: {key: whole[key] for key in SHORT[name] if key in whole}}
