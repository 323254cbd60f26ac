"""Importing codes from the JSON records of a request, by the way that tables take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import Campaign
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.json_text import to_json
from promoengine.core.models import AsyncAction, Project
from promoengine.core.row_imports import GOOD
from promoengine.core.services.uploads import keep_file
from vouchers.import_plans import ImportPlan
from vouchers.services.batches import NO_TERMS, BatchTerms
from vouchers.services.create import InvalidVoucher
from vouchers.services.import_codes import start_code_import


class DuplicateCodes(DomainError):
    key = "duplicate_key"
    message = "Duplicate codes"


@transaction.atomic
def import_records(
    project: Project,
    *,
    campaign: Campaign | None,
    records: Sequence[Mapping[str, Any]],
    mode: str = GOOD,
    batch: BatchTerms = NO_TERMS,
    channel: str = "API",
    now: datetime,
) -> AsyncAction:
    """Start the import of published voucher records into a campaign, whose terms they get, or on their own.

    `mode` is what becomes of all where one is bad, or that they are only checked.

    Raises:
        InvalidPayload: there is no record, or the codes can't become such a batch.
        InvalidVoucher: one is without a code, or the campaign has no codes.
        DuplicateCodes: a code stands there twice.
    """
    if not records:
        raise InvalidPayload("Payload should have at least one voucher")
    codes = [str(record.get("code") or "").strip() for record in records]
    if missing := codes.count(""):
        raise InvalidVoucher(f"Found {missing} voucher(s) without 'code' value")
    if doubles := len(codes) - len(set(codes)):
        raise DuplicateCodes(f"{doubles} voucher code(s) are sent more than once")
    plan = ImportPlan(
        mode=mode,
        campaign=str(campaign.pk) if campaign else "",
        known_codes_fail=True,
        channel=channel,
        batch=batch.to_params(),
    )
    file = keep_file(project, name="records.json", chunks=[to_json(records)], now=now)
    return start_code_import(project, file=file, plan=plan, is_records=True, now=now)
