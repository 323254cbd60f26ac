"""What happens to a campaign's codes when it is made, changed or deleted."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.models import BinEntry, Campaign, PromotionTier
from campaigns.rule_selectors import load_assignments
from campaigns.selectors import campaign_by_ref
from campaigns.services.bin import put_in_bin
from campaigns.services.create import create_campaign, schema_of_campaign
from campaigns.services.rollback_policy import rollback_columns
from campaigns.services.rules import assign_rules_to, forget_assignments
from campaigns.services.terms import (
    category_of,
    check_dates,
    check_discount,
    check_duration,
    check_quantity,
    check_windows,
    who_counts,
)
from campaigns.wire import WINDOWS, campaigns_to_wire
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.events import record_event
from promoengine.core.ids import public_id
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.definitions import definitions_changed
from promoengine.core.services.metadata import check_metadata, schemas_now
from vouchers.codes import check_code
from vouchers.models import Voucher, VoucherQuerySet
from vouchers.patterns import parse_code_config
from vouchers.services.batches import NO_TERMS, BatchTerms, NewCodes
from vouchers.services.create import create_voucher
from vouchers.services.generate import (
    WORKED_ON,
    GenerationRunning,
    Order,
    check_room,
    open_order,
    start_generation,
    start_ordered,
)
from vouchers.services.propagate import USED, batches_by_age, order_left, start_propagation

BATCH = 5000
TERMS = {"start_date", "expiration_date", "quantity"}


class CampaignProtected(DomainError):
    key = "resource_protected"
    message = "Resource is protected"


@transaction.atomic
def launch_campaign(
    project: Project,
    *,
    data: Mapping[str, Any],
    batch: BatchTerms = NO_TERMS,
    channel: str = "API",
    now: datetime,
) -> Campaign:
    """Make a campaign with the codes it starts with, and return it.

    One code is made at once, several, or those of a batch with terms, in the background; a STANDALONE
    campaign has its one code.

    Raises:
        InvalidPayload, InvalidCampaign, PatternTooSmall: a field is wrong; nothing has been made.
        Duplicate: another campaign has that name, or another voucher that code.
    """
    voucher: Mapping[str, Any] = data.get("voucher") or {}
    literal = _literal(voucher.get("code_config")) if data.get("type") == Campaign.Type.STANDALONE else None
    pattern = parse_code_config(None if literal else voucher.get("code_config"))
    count = _count(data.get("vouchers_count"), least=0)
    check_room(project, pattern, count)
    campaign = create_campaign(project, data=data, code_config=pattern.to_wire(), channel=channel, now=now)
    if campaign.voucher_type is None:
        return campaign
    if campaign.type == Campaign.Type.STANDALONE:
        code = voucher.get("code") or literal
        create_voucher(project, data={}, campaign=campaign, code=code, channel=channel, now=now)
        campaign.vouchers_count = 1
    elif count == 1 and batch == NO_TERMS:
        create_voucher(project, data={}, campaign=campaign, channel=channel, now=now)
        campaign.vouchers_count = 1
    elif count:
        start_generation(project, campaign=campaign, count=count, batch=batch, channel=channel, now=now)
    return campaign


def add_vouchers(
    project: Project, ref: str, *, count: Any, data: Mapping[str, Any], channel: str = "API", now: datetime
) -> Voucher | AsyncAction:
    """Add one code to a campaign at once, or several in the background.

    Raises:
        NotFound: the project has no such campaign.
        InvalidPayload, PatternTooSmall: the number or the pattern is wrong.
        GenerationRunning: the campaign is being worked on.
    """
    wanted = _count(count, least=1)
    if wanted > 1:
        return add_batch(project, ref, count=wanted, channel=channel, now=now)
    campaign = campaign_by_ref(project, ref)
    return create_voucher(project, data=data, campaign=campaign, channel=channel, now=now)


def add_batch(
    project: Project,
    ref: str,
    *,
    count: int,
    batch: BatchTerms = NO_TERMS,
    channel: str = "API",
    now: datetime,
) -> AsyncAction:
    """Add codes to a campaign in the background, a batch of their own.

    Raises:
        NotFound: the project has no such campaign.
        InvalidPayload, PatternTooSmall: the batch, the number or the pattern is wrong.
        GenerationRunning: the campaign is being worked on.
    """
    campaign = campaign_by_ref(project, ref)
    check_takes_more(campaign, count)
    return start_generation(project, campaign=campaign, count=count, batch=batch, channel=channel, now=now)


def check_takes_more(campaign: Campaign, count: int) -> None:
    """Refuse more codes of a campaign that has one for everybody, or none.

    Raises:
        InvalidPayload: it is such a campaign.
    """
    if campaign.voucher_type is None or campaign.type == Campaign.Type.STANDALONE:
        raise InvalidPayload(f"Campaign {campaign.name} can't have {count} more codes")


@transaction.atomic
def update_campaign(
    project: Project,
    ref: str,
    *,
    data: Mapping[str, Any],
    more: NewCodes | None = None,
    channel: str = "API",
    now: datetime,
) -> Campaign:
    """Change the published fields that `data` has, dates as datetimes, and return the campaign.

    Name, types, code pattern and gift amount stay as they are. Codes that are published or redeemed keep
    the terms they were given with; the others follow in the background, also where nothing is changed but
    an earlier change was given up on the way. `more` codes are made after that, by the changed terms; where
    they can't be made, nothing is changed.

    Raises:
        NotFound: the project has no such campaign, category or validation rule.
        CampaignProtected, GenerationRunning: it may not be changed, or not now.
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        PatternTooSmall, TooManyCodes: so many `more` codes can't be made.
    """
    definitions_changed(project)
    found = campaign_by_ref(project, ref)
    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("category").get(pk=found.pk)
    if campaign.protected:
        raise CampaignProtected(f"Campaign {campaign.name} is protected")
    if campaign.generation_status in WORKED_ON:
        raise GenerationRunning(f"Campaign {campaign.name} is being modified; try again when it is done")
    columns = _columns(project, campaign, data)
    load_assignments([campaign])
    rules = assign_rules_to(
        project, "campaign", campaign.pk, data.get("validation_rules"), now, channel=channel
    )
    is_changed = bool(columns) or rules != campaign.rule_assignments
    if is_changed:
        _save(campaign, columns, now=now)
    order = _order(project, campaign, more, channel=channel, now=now)
    if campaign.failed_change or (columns.keys() & TERMS and campaign.vouchers_count):
        start_propagation(project, campaign=campaign, order=order, now=now)
    elif order:
        start_ordered(project, campaign=campaign, order=order, now=now)
    if is_changed:
        _record(project, "campaign.updated", campaign, channel=channel, now=now)
    return campaign


def _save(campaign: Campaign, columns: Mapping[str, Any], *, now: datetime) -> None:
    _freeze_used(campaign, columns)
    for name, value in columns.items():
        setattr(campaign, name, value)
    check_dates(campaign.start_date, campaign.expiration_date)
    campaign.updated_at = now
    campaign.save(update_fields=[*columns, "updated_at"])


def _order(
    project: Project, campaign: Campaign, more: NewCodes | None, *, channel: str, now: datetime
) -> Order | None:
    """Return the order of `more` codes, or of those that wait for a change that was given up."""
    if more is None:
        return order_left(campaign)
    check_takes_more(campaign, more.count)
    return open_order(
        project, campaign=campaign, count=more.count, batch=more.batch, channel=channel, now=now
    )


@transaction.atomic
def delete_campaign(
    project: Project,
    ref: str,
    *,
    force: bool = False,
    channel: str = "API",
    deleted_by: str | None = None,
    now: datetime,
) -> AsyncAction:
    """Put a campaign and its codes into the bin, or with `force` delete them, in the background.

    Either way it is out of use at once. Names and codes in the bin stay reserved.

    Raises:
        NotFound: the project has no such campaign.
        CampaignProtected: it may not be deleted.
    """
    definitions_changed(project)
    campaign = campaign_by_ref(project, ref)
    if campaign.protected:
        raise CampaignProtected(f"Campaign {campaign.name} is protected")
    Campaign.objects.filter(pk=campaign.pk).update(deleted_at=now, active=False)
    if not force:
        put_in_bin(
            project,
            "campaign",
            campaign,
            name=campaign.name,
            kept={"active": campaign.active},
            deleted_by=deleted_by,
            now=now,
        )
    _record(project, "campaign.deleted", campaign, channel=channel, now=now)
    return start_purge(project, campaign, force=force, now=now)


def start_purge(project: Project, campaign: Campaign, *, force: bool, now: datetime) -> AsyncAction:
    """Start putting a deleted campaign's codes into the bin, or with `force` deleting them and it."""
    return start_async_action(
        project,
        "CAMPAIGN.VOUCHERS_DELETE",
        job="vouchers.jobs.purge_codes",
        params={"campaign": str(campaign.pk), "force": force},
        total_count=campaign.vouchers_count,
        now=now,
    )


def run_purge(action: AsyncAction) -> None:
    """Put a deleted campaign's codes into the bin, or delete them and the campaign with them.

    Codes get the very moment at which their campaign was deleted, which tells those that come back with it
    from those that had been deleted before. It stops where the campaign has been brought back meanwhile.
    """
    key = uuid.UUID(action.params["campaign"])
    rows = Voucher.objects.filter(project=action.project, campaign=key)
    if action.params["force"]:
        _delete_codes(action, rows)
        _forget(action.project, key)
    else:
        _bin_codes(action, rows.filter(deleted_at=None), key)
    action.message = f"{action.done_count} codes deleted"


def _delete_codes(action: AsyncAction, rows: VoucherQuerySet) -> None:
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            ids = [public_id(Voucher.prefix, key) for key in keys]
            BinEntry.objects.filter(project=action.project, resource_id__in=ids).delete()
            forget_assignments(keys)
            Voucher.objects.filter(pk__in=keys).delete()
            advance(action, done=len(keys))


def _bin_codes(action: AsyncAction, rows: VoucherQuerySet, campaign: uuid.UUID) -> None:
    for keys in batches_by_age(rows, BATCH):
        with transaction.atomic():
            deleted = Campaign.objects.select_for_update().filter(pk=campaign, deleted_at__isnull=False)
            deleted_at = deleted.values_list("deleted_at", flat=True).first()
            if deleted_at is None:
                return
            binned = Voucher.objects.filter(pk__in=keys, deleted_at=None).update(deleted_at=deleted_at)
            advance(action, done=binned)


@transaction.atomic
def _forget(project: Project, key: uuid.UUID) -> None:
    tiers = PromotionTier.objects.filter(project=project, campaign=key)
    forget_assignments([key, *tiers.values_list("pk", flat=True)])
    Campaign.objects.filter(project=project, pk=key).delete()


def _columns(project: Project, campaign: Campaign, data: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {name: data[name] for name in ("start_date", "expiration_date") if name in data}
    if data.get("description") is not None:
        columns["description"] = data["description"]
    for name in ("auto_join", "join_once"):
        if data.get(name) is not None:
            columns[name] = data[name]
    if data.get("metadata") is not None:
        resource = schema_of_campaign(uses_voucher_schema=campaign.use_voucher_metadata_schema)
        check_metadata(schemas_now(project), resource, data["metadata"], is_new=False)
        columns["metadata"] = campaign.metadata | data["metadata"]
    if data.get("category") or data.get("category_id"):
        columns["category"] = category_of(project, name=data.get("category"), ref=data.get("category_id"))
    if data.get("activity_duration_after_publishing"):
        columns["activity_duration_after_publishing"] = check_duration(
            data["activity_duration_after_publishing"], ".activity_duration_after_publishing"
        )
    if any(name in data for name in WINDOWS.values()):
        current = {WINDOWS[key]: value for key, value in (campaign.validity or {}).items()}
        columns["validity"] = check_windows(current | {k: data[k] for k in WINDOWS.values() if k in data})
    columns |= rollback_columns(data)
    columns |= who_counts(data) | _voucher_columns(campaign, data.get("voucher") or {})
    return {name: value for name, value in columns.items() if getattr(campaign, name) != value}


def _voucher_columns(campaign: Campaign, voucher: Any) -> dict[str, Any]:
    if not isinstance(voucher, Mapping):
        raise InvalidPayload("Property .voucher should be object")
    columns: dict[str, Any] = {}
    if voucher.get("discount") and campaign.discount is not None:
        discount = check_discount(voucher["discount"], ".voucher.discount")
        if discount["type"] != campaign.discount["type"]:
            raise InvalidPayload("Property .voucher.discount.type can't be changed")
        columns["discount"] = discount
    if isinstance(voucher.get("redemption"), Mapping) and "quantity" in voucher["redemption"]:
        columns["quantity"] = check_quantity(voucher["redemption"], ".voucher.redemption")
    return columns


def _freeze_used(campaign: Campaign, columns: Mapping[str, Any]) -> None:
    """Write what is about to change into the codes that were given or used with it."""
    used = Voucher.objects.filter(USED, campaign=campaign)
    if "discount" in columns:
        used.filter(discount__isnull=True).update(discount=campaign.discount)
    if "validity" in columns and campaign.validity is not None:
        used.filter(validity__isnull=True).update(validity=campaign.validity)


def _count(count: Any, *, least: int) -> int:
    if count is None or count == "":
        return least
    if isinstance(count, str) and count.isascii() and count.isdigit() and len(count) < 10:
        count = int(count)
    if type(count) is not int or count < least:
        raise InvalidPayload(f"Property .vouchers_count should be a whole number of at least {least}")
    return count


def _literal(code_config: Any) -> str | None:
    """Return a pattern without any random place, which a common code may have."""
    pattern = code_config.get("pattern") if isinstance(code_config, Mapping) else None
    return check_code(pattern) if isinstance(pattern, str) and pattern and "#" not in pattern else None


def _record(project: Project, event: str, campaign: Campaign, *, channel: str, now: datetime) -> None:
    record_event(
        project,
        event,
        {"campaign": campaigns_to_wire([campaign])[0]},
        entity_id=campaign.public_id,
        campaign_id=campaign.pk,
        channel=channel,
        now=now,
    )
