"""Setting the limits of a campaign, which a rule of its own keeps."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.limits import LIMITS, condition_of, limits_rule
from campaigns.models import Campaign
from campaigns.services.related_objects import related_object
from campaigns.services.rules import (
    assign_rule,
    create_validation_rule,
    delete_validation_rule,
    update_validation_rule,
)
from promoengine.core.models import Project


@transaction.atomic
def save_limits(
    project: Project,
    campaign: Campaign,
    *,
    limits: Mapping[str, int | None],
    channel: str = "API",
    now: datetime,
) -> None:
    """Let exactly these limits guard a campaign: `total`, `daily`, `customer` uses, `discount` given.

    The discount is in minor units; None is without limit. Other rules of the campaign stay.
    """
    rule, before = limits_rule(project, campaign)
    wanted = {name: most for name in LIMITS if (most := limits.get(name)) is not None}
    if wanted == before:
        return
    if rule is not None and not wanted:
        delete_validation_rule(project, rule.public_id, channel=channel, now=now)
        return
    numbered = {str(number): name for number, name in enumerate(wanted, 1)}
    rules = {number: condition_of(LIMITS[name], wanted[name]) for number, name in numbered.items()}
    data = {"rules": rules | {"logic": " and ".join(numbered)}}
    if rule is not None:
        update_validation_rule(project, rule.public_id, data=data, channel=channel, now=now)
        return
    # A name has up to 255 characters, and the campaign's may have as many.
    name = (_("Limits of %(campaign)s") % {"campaign": campaign.name})[:255]
    made = create_validation_rule(project, data={"name": name, **data}, channel=channel, now=now)
    related = related_object(project, "campaign", campaign.public_id)
    assign_rule(project, made.public_id, related=related, channel=channel, now=now)
