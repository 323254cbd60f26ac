"""What validation rules may be assigned to, as far down as this room sees."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.models import RELATED_PREFIXES, PromotionTier, ValidationRuleAssignment
from campaigns.selectors import campaign_by_ref, tier_by_id
from campaigns.wire import simple_campaign
from promoengine.core.errors import NotFound
from promoengine.core.ids import public_id
from promoengine.core.models import Project

Kind = ValidationRuleAssignment.RelatedObject


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
        return RelatedObject(Kind.CAMPAIGN, campaign.pk, {"campaign": simple_campaign(campaign)})
    if related_object_type == Kind.PROMOTION_TIER:
        tier = tier_by_id(project, ref)
        return RelatedObject(Kind.PROMOTION_TIER, tier.pk, {"promotion_tier": _simple_tier(tier)})
    raise NotFound(related_object_type, ref)


def known_object(project: Project, related_object_type: str, key: uuid.UUID) -> RelatedObject:
    """Return what an assignment names, without JSON where this room can't see it, or it is gone."""
    try:
        return related_object(
            project, related_object_type, public_id(RELATED_PREFIXES[related_object_type], key)
        )
    except NotFound:
        return RelatedObject(related_object_type, key)


def _simple_tier(tier: PromotionTier) -> dict[str, Any]:
    return {"id": tier.public_id, "name": tier.name, "banner": tier.banner, "metadata": tier.metadata}
