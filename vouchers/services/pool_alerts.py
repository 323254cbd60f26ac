"""Telling a campaign's people that it runs out of codes: once each time it does, however often looked at."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from campaigns.models import Campaign
from campaigns.selectors import campaign_by_ref
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.errors import InvalidPayload
from promoengine.core.events import record_event
from promoengine.core.models import Project
from vouchers.batches import batches_of, free_codes, released_at
from vouchers.models import PoolAlert

LOW = "campaign.vouchers.low"
THRESHOLD_MAX = 100_000
EMAILS_MAX = 20
WATCHED_AT_ONCE = 500


@transaction.atomic
def set_pool_alert(
    project: Project, ref: str, *, threshold: int | None, emails: Sequence[str] = (), now: datetime
) -> PoolAlert | None:
    """Let people be told when so few of a campaign's codes are free, or with None never; return the alert.

    It is looked at once, so that a pool that is as low already is told of at once.

    Raises:
        NotFound: the project has no such campaign.
        InvalidPayload: it has no codes, the threshold is none, or there are too many addresses.
    """
    campaign = campaign_by_ref(project, ref)
    if threshold is None:
        PoolAlert.objects.filter(campaign=campaign).delete()
        return None
    if campaign.voucher_type is None or campaign.type == Campaign.Type.STANDALONE:
        raise InvalidPayload(f"Campaign {campaign.name} has no codes that could run out")
    if not 0 <= threshold <= THRESHOLD_MAX:
        raise InvalidPayload(f"Property .threshold should be between 0 and {THRESHOLD_MAX}")
    if len(emails) > EMAILS_MAX:
        raise InvalidPayload(f"Property .emails may have up to {EMAILS_MAX} addresses")
    said = {"project": project, "threshold": threshold, "emails": list(dict.fromkeys(emails))}
    PoolAlert.objects.update_or_create(campaign=campaign, defaults=said)
    alert = PoolAlert.objects.select_related("campaign", "project").get(campaign=campaign)
    _look_at(alert, now=now)
    alert.refresh_from_db(fields=["low_since", "free_count"])
    return alert


def watch_pools(*, now: datetime) -> None:
    """Look at each pool that has an alert: tell of those that ran low, and arm those that were filled."""
    rows = PoolAlert.objects.filter(campaign__deleted_at=None, campaign__active=True).order_by("pk")
    rows = rows.select_related("campaign", "project")
    found = list(rows[:WATCHED_AT_ONCE])
    while found:
        for alert in found:
            _look_at(alert, now=now)
        found = list(rows.filter(pk__gt=found[-1].pk)[:WATCHED_AT_ONCE])


def _look_at(alert: PoolAlert, *, now: datetime) -> None:
    free = _free_count(alert, now=now)
    if free is None:
        return
    # As it was looked at; where it has been changed meanwhile, the next look is right.
    rows = PoolAlert.objects.filter(pk=alert.pk, threshold=alert.threshold)
    if free > alert.threshold:
        rows.exclude(low_since=None).update(low_since=None, free_count=None)
    elif alert.low_since is None:
        _tell(alert, free, now=now)
    elif free != alert.free_count:
        rows.exclude(low_since=None).update(free_count=free)


@transaction.atomic
def _tell(alert: PoolAlert, free: int, *, now: datetime) -> None:
    fell = PoolAlert.objects.filter(pk=alert.pk, threshold=alert.threshold, low_since=None)
    if not fell.update(low_since=now, free_count=free):
        return
    campaign = alert.campaign
    record_event(
        alert.project,
        LOW,
        {
            "campaign": {"id": campaign.public_id, "name": campaign.name, "object": "campaign"},
            "free_count": free,
            "threshold": alert.threshold,
            "next_release_at": wire_datetime(released_at(batches_of(campaign), now=now)),
        },
        entity_id=campaign.public_id,
        campaign_id=campaign.pk,
        channel="INTERNAL",
        now=now,
    )


def _free_count(alert: PoolAlert, *, now: datetime) -> int | None:
    """Return how many codes could be given now, one more than the threshold at most.

    None where that says nothing: while codes are being made, and where all there are are locked.
    """
    campaign = alert.campaign
    if campaign.generation_status == Campaign.GenerationStatus.IN_PROGRESS:
        return None
    batches = list(batches_of(campaign).filter(count__gt=0))
    unlocked = [batch for batch in batches if not batch.is_locked_at(now)]
    locked_count = sum(batch.count for batch in batches if batch.is_locked_at(now))
    if campaign.vouchers_count <= locked_count:
        return None
    most = alert.threshold + 1
    counted = free_codes(campaign, [None, *(batch.pk for batch in unlocked)], most=most)
    return min(sum(one.count for one in counted), most)
