"""Switching campaigns on and off."""

from datetime import datetime

from django.db import transaction

from campaigns.models import Campaign
from campaigns.selectors import campaign_by_ref
from campaigns.wire import campaigns_to_wire
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed


@transaction.atomic
def set_campaign_active(
    project: Project, ref: str, *, active: bool, channel: str = "API", now: datetime
) -> Campaign:
    """Enable or disable a campaign and return it; its codes stop or start applying at once.

    Raises:
        NotFound: the project has no such campaign.
    """
    definitions_changed(project)
    campaign = campaign_by_ref(project, ref)
    changed = (
        Campaign.objects.filter(pk=campaign.pk).exclude(active=active).update(active=active, updated_at=now)
    )
    if changed:
        campaign.active, campaign.updated_at = active, now
        record_event(
            project,
            "campaign.enabled" if active else "campaign.disabled",
            {"campaign": campaigns_to_wire([campaign])[0]},
            entity_id=campaign.public_id,
            campaign_id=campaign.pk,
            channel=channel,
            now=now,
        )
    return campaign
