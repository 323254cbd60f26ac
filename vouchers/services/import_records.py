"""Importing a campaign's codes from JSON: good records come in, each bad one is reported with its reason."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from campaigns.models import Campaign
from campaigns.services.terms import check_dates
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from vouchers.models import Voucher
from vouchers.services.create import create_voucher

BATCH = 100
DATES = ("start_date", "expiration_date")


class DuplicateCodes(DomainError):
    key = "duplicate_key"
    message = "Duplicate codes"


def import_records(
    project: Project, *, campaign: Campaign, records: Sequence[Mapping[str, Any]], now: datetime
) -> AsyncAction:
    """Start the import of published voucher records into a campaign, whose terms they get.

    Raises:
        InvalidPayload: there is no record, or one without a code.
        DuplicateCodes: a code stands there twice.
    """
    if not records:
        raise InvalidPayload("Payload should have at least one voucher")
    seen: set[str] = set()
    for index, record in enumerate(records):
        code = str(record.get("code") or "").strip()
        if not code:
            raise InvalidPayload(f"Property .{index}.code should be given")
        if code in seen:
            raise DuplicateCodes(f"Code {code} is sent more than once")
        seen.add(code)
    return start_async_action(
        project,
        "CAMPAIGN.VOUCHERS_IMPORT",
        job="vouchers.jobs.import_records",
        params={"campaign": str(campaign.pk), "records": list(records)},
        total_count=len(records),
        now=now,
    )


def run_record_import(action: AsyncAction) -> None:
    """Import the records of an action, from where an earlier run of it stopped."""
    campaign = Campaign.objects.select_related("project", "category").get(
        project=action.project, pk=action.params["campaign"]
    )
    rest = islice(enumerate(action.params["records"], start=1), action.done_count + action.failed_count, None)
    while batch := list(islice(rest, BATCH)):
        with transaction.atomic():
            reports = [report for row, record in batch if (report := _import(campaign, row, record))]
            advance(action, done=len(batch) - len(reports), failed=len(reports), failures=reports)
    action.message = f"{action.done_count} codes imported, {action.failed_count} failed"


def _import(campaign: Campaign, row: int, record: Mapping[str, Any]) -> dict[str, Any] | None:
    dates = {name: parse_datetime(record[name]) for name in DATES if record.get(name)}
    try:
        with transaction.atomic():
            made = create_voucher(
                campaign.project,
                data=dict(record) | dates,
                campaign=campaign,
                code=record["code"],
                now=timezone.now(),
            )
            if dates:
                # A code of a campaign gets its dates; one that is imported may have its own.
                own = {"start_date": made.start_date, "expiration_date": made.expiration_date} | dates
                check_dates(own["start_date"], own["expiration_date"])
                Voucher.objects.filter(pk=made.pk).update(**own)
    except DomainError as refusal:
        return {"row": row, "code": record["code"], "reason": str(refusal)}
    return None
