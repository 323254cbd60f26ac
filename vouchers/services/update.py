"""Changing vouchers: their terms, and whether they may be used."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from campaigns.services.rules import assign_rules_to
from campaigns.services.terms import category_of, check_dates, check_discount, check_quantity, check_windows
from campaigns.wire import WINDOWS
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.events import Happening, record_event, record_events
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now
from vouchers.models import Voucher
from vouchers.selectors import voucher_by_ref, voucher_for_wire
from vouchers.services.related_objects import related_voucher
from vouchers.services.usage import fold_usage
from vouchers.wire import short_voucher, voucher_to_wire


class QuantityBelowUses(DomainError):
    key = "invalid_voucher"
    message = "Invalid Voucher"


@transaction.atomic
def update_voucher(
    project: Project, ref: str, *, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> Voucher:
    """Change the published fields that `data` has, dates as datetimes, and return the voucher.

    A null date clears it; metadata is merged; code, type and gift amount stay as they are.

    Raises:
        NotFound: the project has no such voucher, category or validation rule.
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        QuantityBelowUses: the limit would be below the uses there have been.
    """
    if data.get("validation_rules") is not None:
        definitions_changed(project)
    found = voucher_by_ref(project, ref)
    if data.get("redemption") is not None:
        fold_usage([found.pk])
    voucher = Voucher.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=found.pk)
    columns = _columns(project, voucher, data)
    if "quantity" in columns:
        _check_uses(voucher, columns["quantity"])
    rules_changed = _assign_rules(project, found, data, channel=channel, now=now)
    if columns or rules_changed:
        for name, value in columns.items():
            setattr(voucher, name, value)
        check_dates(voucher.start_date, voucher.expiration_date)
        voucher.updated_at = now
        voucher.save(update_fields=[*columns, "updated_at"])
    changed = voucher_for_wire(project, voucher.pk)
    if columns or rules_changed:
        _record(project, "voucher.updated", changed, channel=channel, now=now)
    return changed


@transaction.atomic
def set_voucher_active(
    project: Project, ref: str, *, active: bool, channel: str = "API", now: datetime
) -> Voucher:
    """Enable or disable one voucher and return it.

    Raises:
        NotFound: the project has no such voucher.
    """
    voucher = voucher_by_ref(project, ref)
    changed = (
        Voucher.objects.filter(pk=voucher.pk).exclude(active=active).update(active=active, updated_at=now)
    )
    if changed:
        voucher.active, voucher.updated_at = active, now
        _record(project, _event(active), voucher, channel=channel, now=now)
    return voucher


@transaction.atomic
def set_vouchers_active(
    project: Project,
    *,
    voucher_ids: Collection[uuid.UUID],
    active: bool,
    channel: str = "USER_PORTAL",
    now: datetime,
) -> int:
    """Enable or disable several vouchers at once and return how many that changed."""
    # The rows are locked in the order of their keys, as redemptions do, so that neither waits for the other.
    rows = Voucher.objects.filter(~Q(active=active), project=project, pk__in=voucher_ids, deleted_at=None)
    changed = list(rows.select_related("campaign").select_for_update(of=("self",)).order_by("pk"))
    Voucher.objects.filter(pk__in=[voucher.pk for voucher in changed]).update(active=active, updated_at=now)
    record_events(
        project,
        [
            Happening(
                _event(active),
                {"voucher": short_voucher(voucher) | {"id": voucher.public_id, "active": active}},
                voucher.public_id,
                campaign_id=voucher.campaign_id,
            )
            for voucher in changed
        ],
        now=now,
        channel=channel,
    )
    return len(changed)


def _columns(project: Project, voucher: Voucher, data: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: data[name] for name in ("start_date", "expiration_date", "additional_info") if name in data
    }
    if data.get("active") is not None:
        columns["active"] = data["active"]
    if data.get("metadata") is not None:
        check_metadata(schemas_now(project), "voucher", data["metadata"], is_new=False)
        columns["metadata"] = voucher.metadata | data["metadata"]
    if data.get("category") or data.get("category_id"):
        columns["category"] = category_of(project, name=data.get("category"), ref=data.get("category_id"))
    if data.get("discount") is not None:
        if voucher.type != Voucher.Type.DISCOUNT_VOUCHER:
            raise InvalidPayload("Property .discount does not belong to a gift card")
        columns["discount"] = check_discount(data["discount"])
    if isinstance(data.get("redemption"), Mapping) and "quantity" in data["redemption"]:
        columns["quantity"] = check_quantity(data["redemption"])
    if any(name in data for name in WINDOWS.values()):
        current = {WINDOWS[key]: value for key, value in (voucher.validity_in_force or {}).items()}
        columns["validity"] = check_windows(current | {k: data[k] for k in WINDOWS.values() if k in data})
    return columns


def _assign_rules(
    project: Project, voucher: Voucher, data: Mapping[str, Any], *, channel: str, now: datetime
) -> bool:
    """Let the voucher be guarded by the rules that `data` names, and return whether that is a change."""
    rules = data.get("validation_rules")
    if rules is None:
        return False
    own = [one for one in voucher.rule_assignments if one.related_object_id == voucher.pk]
    wire = related_voucher(voucher).wire
    return own != assign_rules_to(project, "voucher", voucher.pk, rules, now, wire=wire, channel=channel)


def _check_uses(voucher: Voucher, quantity: int | None) -> None:
    if quantity is not None and quantity < voucher.redeemed_quantity:
        raise QuantityBelowUses(
            f"Property .redemption.quantity may not be below the {voucher.redeemed_quantity} uses so far"
        )


def _event(active: bool) -> str:
    return "voucher.enabled" if active else "voucher.disabled"


def _record(project: Project, event: str, voucher: Voucher, *, channel: str, now: datetime) -> None:
    record_event(
        project,
        event,
        {"voucher": voucher_to_wire(voucher)},
        entity_id=voucher.public_id,
        campaign_id=voucher.campaign_id,
        channel=channel,
        now=now,
    )
