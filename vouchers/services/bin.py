"""The bin: bringing back what was deleted, deleting it for good, and emptying it after a time."""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from campaigns.models import BinEntry, Campaign
from campaigns.services.bin import NotRestorable, restore_goods
from campaigns.services.rules import forget_assignments
from promoengine.core.models import AsyncAction, Project
from promoengine.core.selectors import row_by_id
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.definitions import definitions_changed
from vouchers.models import Voucher
from vouchers.services.campaigns import BATCH, start_purge
from vouchers.services.propagate import batches_by_age

EMPTIED = 1000

Restore = Callable[[Project, list[BinEntry], datetime], None]


def entry_by_id(project: Project, ref: str) -> BinEntry:
    """Return the bin entry of that id.

    Raises:
        NotFound: the project has none.
    """
    return row_by_id(BinEntry.objects.filter(project=project), ref, "bin_entry")


@transaction.atomic
def restore_entries(project: Project, entry_ids: Sequence[uuid.UUID], *, now: datetime) -> int:
    """Bring all of what the entries stand for back, or nothing of it; return how many there were.

    What others need comes first: campaigns before codes, products before SKUs. A campaign's codes follow in
    the background.

    Raises:
        NotRestorable: a code's campaign or a SKU's product is not there.
        Duplicate: another product or SKU has its source id by now.
    """
    definitions_changed(project)
    rows = BinEntry.objects.filter(project=project, pk__any_of=entry_ids).order_by("pk")
    found = list(rows.select_for_update())
    for kind, restore in RESTORE.items():
        if entries := [entry for entry in found if entry.resource_type == kind]:
            restore(project, entries, now)
    rows.delete()
    return len(found)


def delete_entry(project: Project, ref: str, *, now: datetime) -> None:
    """Delete for good what an entry stands for; a campaign's codes follow in the background.

    Raises:
        NotFound: the project has no such entry.
    """
    _delete(project, entry_by_id(project, ref), now)


@transaction.atomic
def _delete(project: Project, entry: BinEntry, now: datetime) -> None:
    if not BinEntry.objects.filter(pk=entry.pk).delete()[0]:
        return
    if entry.resource_type == BinEntry.ResourceType.CAMPAIGN:
        campaign = _campaigns(project, entry).first()
        if campaign is not None:
            start_purge(project, campaign, force=True, now=now)
    elif entry.resource_type == BinEntry.ResourceType.VOUCHER:
        Voucher.objects.filter(project=project, pk=entry.resource_key, deleted_at__isnull=False).delete()
        forget_assignments([entry.resource_key])


def empty_bins(*, now: datetime) -> int:
    """Delete for good what has been in the bin for as long as its project keeps it; return how much."""
    emptied = 0
    for project in Project.objects.filter(bin_days__isnull=False):
        old = BinEntry.objects.filter(
            project=project, created_at__lt=now - timedelta(days=project.bin_days or 0)
        ).order_by("created_at")
        while entries := list(old[:EMPTIED]):
            for entry in entries:
                _delete(project, entry, now)
            emptied += len(entries)
    return emptied


def run_restore(action: AsyncAction) -> None:
    """Bring the codes back that were put into the bin together with their campaign."""
    campaign, deleted_at = action.params["campaign"], datetime.fromisoformat(action.params["deleted_at"])
    rows = Voucher.objects.filter(project=action.project, campaign=campaign, deleted_at=deleted_at)
    for keys in batches_by_age(rows, BATCH):
        with transaction.atomic():
            batch = Voucher.objects.filter(pk__in=keys, deleted_at=deleted_at)
            advance(action, done=batch.update(deleted_at=None))
    action.message = f"{action.done_count} codes restored"


def _restore_campaigns(project: Project, entries: list[BinEntry], now: datetime) -> None:
    for entry in entries:
        _restore_campaign(project, entry, now)


def _restore_campaign(project: Project, entry: BinEntry, now: datetime) -> None:
    campaign = _campaigns(project, entry).select_for_update().first()
    if campaign is None or campaign.deleted_at is None:
        return
    deleted_at = campaign.deleted_at
    campaign.deleted_at, campaign.active, campaign.updated_at = None, entry.kept.get("active", True), now
    campaign.save(update_fields=["deleted_at", "active", "updated_at"])
    start_async_action(
        project,
        "CAMPAIGN.VOUCHERS_RESTORE",
        job="vouchers.jobs.restore_codes",
        params={"campaign": str(campaign.pk), "deleted_at": deleted_at.isoformat()},
        total_count=campaign.vouchers_count,
        now=now,
    )


def _restore_vouchers(project: Project, entries: list[BinEntry], now: datetime) -> None:
    named = {entry.resource_key: entry for entry in entries}
    rows = Voucher.objects.filter(project=project, pk__any_of=list(named), deleted_at__isnull=False)
    deleted = rows.select_for_update().order_by("pk").values_list("pk", "campaign_id")
    campaign_of: dict[uuid.UUID, uuid.UUID | None] = dict(deleted)
    counts = Counter(key for key in campaign_of.values() if key)
    there = set(
        Campaign.objects.filter(pk__any_of=list(counts), deleted_at=None).values_list("pk", flat=True)
    )
    for key, campaign in campaign_of.items():
        if campaign and campaign not in there:
            raise NotRestorable(
                f"The campaign of code {named[key]} is not there; restore it first",
                resource_id=named[key].resource_id,
                resource_type=named[key].resource_type,
            )
    rows.update(deleted_at=None, updated_at=now)
    for campaign, count in sorted(counts.items()):
        Campaign.objects.filter(pk=campaign).update(vouchers_count=F("vouchers_count") + count)


def _restore_goods(project: Project, entries: list[BinEntry], now: datetime) -> None:
    for entry in entries:
        restore_goods(project, entry)


def _campaigns(project: Project, entry: BinEntry) -> QuerySet[Campaign]:
    return Campaign.objects.filter(project=project, pk=entry.resource_key)


# In the order in which they need each other.
RESTORE: dict[str, Restore] = {
    BinEntry.ResourceType.CAMPAIGN: _restore_campaigns,
    BinEntry.ResourceType.VOUCHER: _restore_vouchers,
    BinEntry.ResourceType.PRODUCT: _restore_goods,
    BinEntry.ResourceType.SKU: _restore_goods,
}
