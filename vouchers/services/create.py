"""Making one code."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from campaigns.models import Campaign
from campaigns.services.rules import assign_rules_to
from campaigns.services.terms import (
    category_of,
    check_dates,
    check_discount,
    check_gift,
    check_quantity,
    check_windows,
)
from promoengine.core.errors import DomainError, Duplicate
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now
from vouchers.codes import check_code, code_key
from vouchers.models import Voucher
from vouchers.patterns import CodePattern, parse_code_config
from vouchers.selectors import voucher_for_wire
from vouchers.services.related_objects import related_voucher
from vouchers.wire import voucher_to_wire

TRIES = 20
TYPE_BLOCKS = {"discount": "DISCOUNT_VOUCHER", "gift": "GIFT_VOUCHER", "loyalty_card": "LOYALTY_CARD"}


class DuplicateCode(Duplicate):
    """The code exists already, perhaps in the bin."""


class CodesExhausted(DomainError):
    """All codes of a pattern are taken, or so many that no free one is found."""

    key = "invalid_code_config"
    message = "Invalid code config"


class InvalidVoucher(DomainError):
    key = "invalid_voucher"
    message = "Invalid Voucher"


@transaction.atomic
def create_voucher(
    project: Project,
    *,
    data: Mapping[str, Any],
    campaign: Campaign | None = None,
    code: str | None = None,
    channel: str = "API",
    now: datetime,
) -> Voucher:
    """Make one voucher, of a campaign or on its own, and return it ready for the wire.

    `data` has the published fields, its dates as datetimes. Without a code one is made by `code_config` or
    the campaign's pattern. A campaign's voucher takes its discount, amount, limit and dates from there.

    Raises:
        InvalidPayload, InvalidVoucher, InvalidCode, MetadataRefused: a field is wrong; the details name it.
        DuplicateCode: the code exists already.
        CodesExhausted: the pattern has no free code left.
        NotFound: a category or rule of that id does not exist.
    """
    if data.get("validation_rules"):
        definitions_changed(project)
    columns = _campaign_columns(campaign, data) if campaign else _own_columns(data)
    columns |= _common_columns(project, campaign, data)
    voucher = Voucher(project=project, campaign=campaign, created_at=now, **columns)
    if code:
        voucher.code = check_code(code)
        if not _insert(voucher):
            same = Voucher.objects.filter(project=project, code_key=voucher.code_key)
            where = " in the bin" if same.filter(deleted_at__isnull=False).exists() else ""
            raise DuplicateCode(
                f"Duplicated voucher exists with code {voucher.code}{where}", resource_type="voucher"
            )
    else:
        _insert_with_new_code(voucher, _pattern(campaign, data))
    if campaign:
        Campaign.objects.filter(pk=campaign.pk).update(vouchers_count=F("vouchers_count") + 1)
    if rules := data.get("validation_rules"):
        wire = related_voucher(voucher).wire
        assign_rules_to(project, "voucher", voucher.pk, rules, now, wire=wire, channel=channel)
    made = voucher_for_wire(project, voucher.pk)
    record_event(
        project,
        "voucher.created",
        {"voucher": voucher_to_wire(made)},
        entity_id=made.public_id,
        campaign_id=made.campaign_id,
        channel=channel,
        now=now,
    )
    return made


def thin_voucher(campaign: Campaign) -> dict[str, Any]:
    """Return the columns of a campaign's voucher that has nothing of its own."""
    columns = campaign.terms() | {"type": campaign.voucher_type}
    if campaign.gift:
        columns |= {
            "gift_amount": campaign.gift["amount"],
            "gift_balance": campaign.gift["amount"],
            "gift_effect": campaign.gift.get("effect", ""),
        }
    return columns


def _campaign_columns(campaign: Campaign, data: Mapping[str, Any]) -> dict[str, Any]:
    if campaign.voucher_type is None:
        raise InvalidVoucher("A promotion campaign has no codes")
    columns = thin_voucher(campaign)
    if data.get("redemption") is not None:
        columns["quantity"] = check_quantity(data["redemption"])
    return columns


def _own_columns(data: Mapping[str, Any]) -> dict[str, Any]:
    kind = data.get("type") or next((kind for block, kind in TYPE_BLOCKS.items() if data.get(block)), None)
    columns: dict[str, Any] = {"type": kind, "quantity": check_quantity(data.get("redemption"))}
    if kind == Voucher.Type.DISCOUNT_VOUCHER:
        columns["discount"] = check_discount(data.get("discount"))
    elif kind == Voucher.Type.GIFT_VOUCHER:
        gift = check_gift(data.get("gift"))
        columns |= {
            "gift_amount": gift["amount"],
            "gift_balance": gift["amount"],
            "gift_effect": gift["effect"],
        }
    elif kind == Voucher.Type.LOYALTY_CARD:
        raise InvalidVoucher("Loyalty cards are not available yet")
    else:
        raise InvalidVoucher(
            "Property .type should be DISCOUNT_VOUCHER, GIFT_VOUCHER, with its 'discount' or 'gift'"
        )
    check_dates(data.get("start_date"), data.get("expiration_date"))
    return columns | {
        "start_date": data.get("start_date"),
        "expiration_date": data.get("expiration_date"),
        "validity": check_windows(data),
    }


def _common_columns(project: Project, campaign: Campaign | None, data: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "metadata": _metadata(project, campaign, data),
        "category": category_of(project, name=data.get("category"), ref=data.get("category_id")),
    }
    if data.get("active") is not None:
        columns["active"] = data["active"]
    if data.get("additional_info") is not None:
        columns["additional_info"] = data["additional_info"]
    return columns


def _metadata(project: Project, campaign: Campaign | None, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata sent; what is required is asked of the campaign, where the code has one."""
    metadata = data.get("metadata") or {}
    if metadata or campaign is None:
        check_metadata(schemas_now(project), "voucher", metadata, is_new=campaign is None)
    return metadata


def _pattern(campaign: Campaign | None, data: Mapping[str, Any]) -> CodePattern:
    return parse_code_config(data.get("code_config") or (campaign.code_config if campaign else None))


def _insert_with_new_code(voucher: Voucher, pattern: CodePattern) -> None:
    for _ in range(TRIES):
        (voucher.code,) = pattern.generate(1)
        if _insert(voucher):
            return
    raise CodesExhausted(f"No free code of the pattern {pattern.pattern} was found")


def _insert(voucher: Voucher) -> bool:
    """Insert the voucher unless its code is taken; the unique index decides."""
    voucher.code_key = code_key(voucher.project, voucher.code)
    Voucher.objects.bulk_create([voucher], ignore_conflicts=True)
    return Voucher.objects.filter(pk=voucher.pk).exists()
