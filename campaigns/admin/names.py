"""Names of campaigns that are taken, and where those are that have them."""

from django.utils.translation import gettext as _

from campaigns.models import Campaign
from promoengine.core.models import Project


def name_taken(project: Project, name: str, own: Campaign | None = None) -> str | None:
    """Return why a campaign may not be called so, None where it may; its `own` name is free to it."""
    rows = Campaign.objects.filter(project=project, name=name).exclude(pk=own.pk if own else None)
    other = rows.first()
    if other is None:
        return None
    if other.deleted_at is None:
        return _("Another campaign has this name.")
    return _("A campaign in the trash has this name. Restore it, delete it for good, or choose another name.")
