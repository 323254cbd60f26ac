"""Deleting vouchers: into the bin, where their codes stay reserved, or for good."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from campaigns.models import Campaign
from campaigns.services.bin import put_in_bin
from campaigns.services.rules import forget_assignments
from promoengine.core.events import record_event
from promoengine.core.models import Project
from vouchers.models import Voucher
from vouchers.selectors import voucher_by_ref
from vouchers.wire import voucher_to_wire


@transaction.atomic
def delete_voucher(
    project: Project,
    ref: str,
    *,
    force: bool = False,
    channel: str = "API",
    deleted_by: str | None = None,
    now: datetime,
) -> None:
    """Delete a voucher; `force` frees its code at once. Its redemptions keep their history.

    Raises:
        NotFound: the project has no such voucher.
    """
    voucher = voucher_by_ref(project, ref)
    row = Voucher.objects.filter(pk=voucher.pk, deleted_at=None)
    gone = row.delete()[0] if force else row.update(deleted_at=now)
    if force:
        forget_assignments([voucher.pk])
    if not gone:
        return
    if not force:
        parent_id = voucher.campaign.public_id if voucher.campaign else None
        put_in_bin(
            project,
            "voucher",
            voucher,
            name=voucher.code,
            parent_id=parent_id,
            deleted_by=deleted_by,
            now=now,
        )
    if voucher.campaign_id:
        Campaign.objects.filter(pk=voucher.campaign_id, vouchers_count__gt=0).update(
            vouchers_count=F("vouchers_count") - 1
        )
    record_event(
        project,
        "voucher.deleted",
        {"voucher": voucher_to_wire(voucher)},
        entity_id=voucher.public_id,
        campaign_id=voucher.campaign_id,
        channel=channel,
        now=now,
    )
