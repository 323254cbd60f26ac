"""What is being done to a campaign's codes, on its page: how far it is, and what failed, tried again."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.admin_async_actions import progress_context
from promoengine.core.admin_project import current_project
from promoengine.core.errors import DomainError
from promoengine.core.ids import parse_key
from promoengine.core.models import AsyncAction
from vouchers.services.campaigns import update_campaign
from vouchers.services.generate import running_work
from vouchers.services.propagate import failed_change, order_left

CHANNEL = "USER_PORTAL"
VIEW, CHANGE = "campaigns.view_campaign", "campaigns.change_campaign"


def campaign_work(request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
    """Show the work on a campaign's codes, one after the other as they follow; a POST tries a change again
    that was given up.

    What runs is shown, and once it has ended for as long as it is `watched` and nothing else runs.
    """
    project = current_project(request)
    campaign = get_object_or_404(Campaign.objects.present(), project=project, pk=object_id)
    may_change = request.user.has_perm(CHANGE)
    if not may_see_work(request) or (request.method == "POST" and not may_change):
        raise PermissionDenied
    refusal = ""
    if request.method == "POST":
        try:
            campaign = update_campaign(
                project, campaign.public_id, data={}, channel=CHANNEL, now=timezone.now()
            )
        except DomainError as error:
            refusal = error.details
    running = running_work(campaign)
    context = {
        "campaign": campaign,
        "work_url": request.path,
        "is_running": running is not None,
        "may_try_again": may_change and running is None,
        "refusal": refusal,
        **_failure(campaign),
    }
    if shown := running or _watched(campaign, request.GET.get("watched", "")):
        context = progress_context(request, shown) | context
    return render(request, "vouchers/campaign_work.html", context)


def may_see_work(request: HttpRequest) -> bool:
    """Return whether who asks may see how far work on campaigns' codes is."""
    return request.user.has_perm(VIEW) and request.user.has_perm("core.view_asyncaction")


def _failure(campaign: Campaign) -> dict[str, Any]:
    if not campaign.failed_change:
        return {}
    order = order_left(campaign)
    return {"given_up": failed_change(campaign), "ordered": order["count"] if order else 0}


def _watched(campaign: Campaign, key: str) -> AsyncAction | None:
    actions = AsyncAction.objects.filter(
        project=campaign.project_id, pk=parse_key(key), params__campaign=str(campaign.pk)
    )
    # What failed is told of beside.
    return actions.exclude(pk=campaign.failed_change).first()
