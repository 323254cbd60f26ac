"""A campaign's batches on its page: what is left, when it is released, and who is told that it runs out."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign
from promoengine.core.admin_project import current_project
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.models import Project
from vouchers.batches import FreeCodes, batches_of, free_codes, released_at
from vouchers.models import CodeBatch, PoolAlert
from vouchers.services.batches import change_batch
from vouchers.services.pool_alerts import THRESHOLD_MAX, set_pool_alert

CHANNEL = "USER_PORTAL"
CHANGE = "campaigns.change_campaign"
NEWEST = 50


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A batch as the page shows it."""

    batch: CodeBatch
    free: FreeCodes
    is_locked: bool

    @property
    def gone(self) -> int:
        """How many are given out, used or out of use; fewer than that where more are free than counted."""
        return max(self.batch.count - self.free.count, 0)


class AlertForm(forms.Form):
    """At how few free codes whom to tell."""

    threshold = forms.IntegerField(required=False, min_value=0, max_value=THRESHOLD_MAX)
    emails = forms.CharField(required=False, max_length=4000)

    def clean_emails(self) -> list[str]:
        field = forms.EmailField()
        found = self.cleaned_data["emails"].replace(",", " ").replace(";", " ").split()
        for address in found:
            try:
                field.clean(address)
            except forms.ValidationError as error:
                raise forms.ValidationError(
                    _("%(address)s is no e-mail address.") % {"address": address}
                ) from error
        return found


def batches_panel(request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
    """Show a campaign's batches, and lock, release or limit one, or set the alert, as it was posted."""
    project = current_project(request)
    campaigns = Campaign.objects.present().select_related("project")
    campaign = get_object_or_404(campaigns, project=project, pk=object_id)
    may_change = request.user.has_perm(CHANGE)
    if not request.user.has_perm("campaigns.view_campaign") or (request.method == "POST" and not may_change):
        raise PermissionDenied
    said = mistake = ""
    if request.method == "POST":
        try:
            said = _act(request, project, campaign)
        except DomainError as refusal:
            mistake = refusal.details
    now = timezone.now()
    context = {
        **pool_context(campaign, now=now),
        "campaign": campaign,
        "shown": _shown(campaign, now=now),
        "newest": NEWEST,
        "may_change": may_change,
        "said": said,
        "mistake": mistake,
        "batches_url": request.path,
    }
    return render(request, "vouchers/batches.html", context)


def pool_context(campaign: Campaign, *, now: datetime) -> dict[str, Any]:
    """Return the campaign's alert, and when codes of it are released next."""
    return {
        "alert": PoolAlert.objects.filter(campaign=campaign).first(),
        "next_release": released_at(batches_of(campaign).exclude(locked_until=None), now=now),
    }


def _shown(campaign: Campaign, *, now: datetime) -> tuple[list[ShownBatch], FreeCodes]:
    # One of which no code has been made yet, or none could be, says nothing.
    batches = list(batches_of(campaign).filter(count__gt=0).order_by("-pk")[:NEWEST])
    free = free_codes(campaign, [*(batch.pk for batch in batches), None])
    shown = [
        ShownBatch(batch, one, batch.is_locked_at(now)) for batch, one in zip(batches, free[:-1], strict=True)
    ]
    return shown, free[-1]


def _act(request: HttpRequest, project: Project, campaign: Campaign) -> str:
    """Do what was posted, and return what became of it in words.

    Raises:
        NotFound, InvalidPayload: there is no such batch, moment, number or address.
    """
    act: Callable[[HttpRequest, Project, Campaign], str] | None = ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise InvalidPayload(_("There is nothing like that to do."))
    return act(request, project, campaign)


def _lock(request: HttpRequest, project: Project, campaign: Campaign) -> str:
    moment = _moment(request.POST.get("until", ""))
    if moment <= timezone.now():
        raise InvalidPayload(_("Codes can be locked until a moment to come; that one is past."))
    _change(request, project, campaign, locked_until=moment)
    shown = f"{timezone.localtime(moment):%d.%m.%Y %H:%M}"
    return _("Its codes are locked until %(moment)s. You can release them at any time.") % {"moment": shown}


def _release(request: HttpRequest, project: Project, campaign: Campaign) -> str:
    _change(request, project, campaign, locked_until=None)
    return _("Its codes are released. You can lock those that nobody got again.")


def _limit(request: HttpRequest, project: Project, campaign: Campaign) -> str:
    _change(request, project, campaign, one_per_person=True)
    return _("It gives one code to each person from now on.")


def _unlimit(request: HttpRequest, project: Project, campaign: Campaign) -> str:
    _change(request, project, campaign, one_per_person=False)
    return _("It gives as many codes to a person as they ask for.")


def _set_alert(request: HttpRequest, project: Project, campaign: Campaign) -> str:
    form = AlertForm(request.POST)
    if not form.is_valid():
        raise InvalidPayload(" ".join(str(error) for errors in form.errors.values() for error in errors))
    threshold, emails = form.cleaned_data["threshold"], form.cleaned_data["emails"]
    set_pool_alert(project, campaign.public_id, threshold=threshold, emails=emails, now=timezone.now())
    if threshold is None:
        return _("Nobody will be told when codes run out.")
    return ngettext(
        "You will be told when %(count)d code is left.",
        "You will be told when %(count)d codes are left.",
        threshold,
    ) % {"count": threshold}


ACTS: dict[str, Callable[[HttpRequest, Project, Campaign], str]] = {
    "lock": _lock,
    "release": _release,
    "limit": _limit,
    "unlimit": _unlimit,
    "alert": _set_alert,
}


def _change(request: HttpRequest, project: Project, campaign: Campaign, **data: Any) -> None:
    ref = request.POST.get("batch", "")
    change_batch(project, campaign.public_id, ref, data=data, channel=CHANNEL, now=timezone.now())


def _moment(text: str) -> datetime:
    """Return a moment that was typed as the shop's clocks show it."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidPayload(_("Say a day and a time."))
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
