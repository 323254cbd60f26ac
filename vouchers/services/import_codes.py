"""Importing a campaign's codes from CSV: good rows come in, each bad one is reported with its reason."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.terms import AMOUNT_MAX, category_of
from promoengine.core.csv_reading import UnreadableCsv, read_rows
from promoengine.core.errors import DomainError
from promoengine.core.metadata import Schemas
from promoengine.core.models import AsyncAction, Project, UploadedFile
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.metadata import check_metadata, schemas_now
from vouchers.codes import check_code, code_key
from vouchers.models import Voucher
from vouchers.services.create import thin_voucher

BATCH = 1000
COLUMNS = (
    "code",
    "category",
    "active",
    "gift amount",
    "redeemed amount",
    "redeemed quantity",
    "loyalty points",
)
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

Failure = dict[str, Any]


class BadRow(DomainError):
    """A record that can't be imported; the details say why."""


def import_codes_csv(
    project: Project, *, campaign: Campaign, file: UploadedFile, now: datetime
) -> AsyncAction:
    """Start the import of an uploaded CSV file into a campaign; unknown columns become metadata."""
    return start_async_action(
        project,
        "CAMPAIGN.VOUCHERS_IMPORT_CSV",
        job="vouchers.jobs.import_codes_csv",
        params={"campaign": str(campaign.pk), "file": str(file.pk)},
        now=now,
    )


def run_code_import(action: AsyncAction) -> None:
    """Import the file of an action, from where an earlier run of it stopped."""
    campaign = Campaign.objects.select_related("project").get(
        project=action.project, pk=action.params["campaign"]
    )
    file = UploadedFile.objects.get(project=action.project, pk=uuid.UUID(action.params["file"]))
    rows = [(row.number, row.cells) for row in read_rows(bytes(file.content))]
    if rows and "code" not in {column.lower() for column in rows[0][1]}:
        raise UnreadableCsv("There is no column 'Code'")
    AsyncAction.objects.filter(pk=action.pk).update(total_count=len(rows))
    action.total_count = len(rows)
    rest = islice(rows, action.done_count + action.failed_count, None)
    while batch := list(islice(rest, BATCH)):
        with transaction.atomic():
            done, failures = import_batch(campaign, batch)
            advance(action, done=done, failed=len(failures), failures=failures)
    action.message = f"{action.done_count} codes imported, {action.failed_count} failed"


def import_batch(
    campaign: Campaign, rows: Sequence[tuple[int, Mapping[str, str]]]
) -> tuple[int, list[Failure]]:
    """Insert numbered records as a campaign's codes; return how many, and the failures of the others."""
    schemas = schemas_now(campaign.project)
    wanted: dict[str, tuple[int, Voucher]] = {}
    failures: list[Failure] = []
    for number, cells in rows:
        try:
            voucher = voucher_of(campaign, cells, schemas)
            if voucher.code_key in wanted:
                first = wanted[voucher.code_key][0]
                raise BadRow(f"Code stands in row {first} already")
            wanted[voucher.code_key] = number, voucher
        except DomainError as refusal:
            failures.append(
                {"row": number, "code": cells.get("Code") or cells.get("code"), "reason": str(refusal)}
            )
    Voucher.objects.bulk_create([voucher for _, voucher in wanted.values()], ignore_conflicts=True)
    kept = set(
        Voucher.objects.filter(pk__in=[voucher.pk for _, voucher in wanted.values()]).values_list(
            "pk", flat=True
        )
    )
    failures += [
        {"row": number, "code": voucher.code, "reason": "Code exists already"}
        for number, voucher in wanted.values()
        if voucher.pk not in kept
    ]
    Campaign.objects.filter(pk=campaign.pk).update(vouchers_count=F("vouchers_count") + len(kept))
    return len(kept), sorted(failures, key=lambda failure: failure["row"])


def voucher_of(campaign: Campaign, cells: Mapping[str, str], schemas: Schemas) -> Voucher:
    """Return the unsaved voucher that a CSV record stands for.

    Raises:
        InvalidCode, BadRow, MetadataRefused: a cell can't be meant; the details say why.
    """
    known = {column.lower(): cell.strip() for column, cell in cells.items()}
    columns = thin_voucher(campaign)
    if known.get("gift amount") and columns.get("gift_amount") is not None:
        columns["gift_amount"] = columns["gift_balance"] = _whole(known["gift amount"], "Gift Amount")
    if known.get("redeemed quantity"):
        columns["redeemed_quantity"] = _whole(known["redeemed quantity"], "Redeemed Quantity")
        if columns["quantity"] is not None and columns["redeemed_quantity"] > columns["quantity"]:
            raise BadRow(f"Redeemed Quantity is above the limit of {columns['quantity']}")
        columns["imported_quantity"] = columns["redeemed_quantity"]
    if known.get("redeemed amount") and columns.get("gift_amount") is not None:
        columns["redeemed_amount"] = _whole(known["redeemed amount"], "Redeemed Amount")
        columns["gift_balance"] = columns["gift_amount"] - columns["redeemed_amount"]
        if columns["gift_balance"] < 0:
            raise BadRow("Redeemed Amount is above Gift Amount")
        columns["imported_amount"] = columns["redeemed_amount"]
    if known.get("active"):
        if known["active"].lower() not in BOOLEANS:
            raise BadRow(f"Active should be true or false, and is {known['active']!r}")
        columns["active"] = BOOLEANS[known["active"].lower()]
    if known.get("category"):
        columns["category"] = category_of(campaign.project, name=known["category"][:255], ref=None)
    code = check_code(known.get("code", ""))
    others = {
        column: cell.strip()
        for column, cell in cells.items()
        if column and cell.strip() and column.lower() not in COLUMNS
    }
    metadata = schemas.read_cells("voucher", others)
    check_metadata(schemas, "voucher", metadata, is_new=False)
    return Voucher(
        project=campaign.project,
        campaign=campaign,
        code=code,
        code_key=code_key(campaign.project, code),
        metadata=metadata,
        created_at=timezone.now(),
        **columns,
    )


def _whole(text: str, column: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > min(AMOUNT_MAX, 2**31 - 1):
        raise BadRow(f"{column} should be a whole number, and is {text!r}")
    return int(text)
