"""What happens to a campaign's codes when it is made, changed or deleted."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.utils import timezone

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
from vouchers.models import UsageEntry, Voucher, VoucherQuerySet
from vouchers.patterns import parse_code_config
from vouchers.services.batches import NO_TERMS, BatchTerms, NewCodes
from vouchers.services.create import create_voucher
from vouchers.services.generate import (
    PROPAGATE,
    GenerationRunning,
    check_room,
    open_order,
    start_generation,
    start_ordered,
)
from vouchers.services.usage import fold_usage

BATCH = 5000
# Each code whose uses are folded holds a lock until its batch is done, and Postgres has room for so many.
BATCH_FOLDED = 500
USED = (
    Q(published_count__gt=0)
    | Q(redeemed_quantity__gt=0)
    | Q(Exists(UsageEntry.objects.filter(voucher=OuterRef("pk"))))
)


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
    the terms they were given with; the others follow in the background. `more` codes are made after that, by
    the changed terms; where they can't be made, nothing is changed.

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
    if campaign.generation_status in ("IN_PROGRESS", "MODIFYING"):
        raise GenerationRunning(f"Campaign {campaign.name} is being modified; try again when it is done")
    columns = _columns(project, campaign, data)
    load_assignments([campaign])
    rules = assign_rules_to(
        project, "campaign", campaign.pk, data.get("validation_rules"), now, channel=channel
    )
    if not columns and rules == campaign.rule_assignments:
        if more:
            _order(project, campaign, more, after=None, channel=channel, now=now)
        return campaign
    _freeze_used(campaign, columns)
    for name, value in columns.items():
        setattr(campaign, name, value)
    check_dates(campaign.start_date, campaign.expiration_date)
    campaign.updated_at = now
    propagates = (
        bool({"start_date", "expiration_date", "quantity"} & columns.keys()) and campaign.vouchers_count
    )
    if propagates:
        campaign.generation_status = Campaign.GenerationStatus.MODIFYING
    campaign.save(update_fields=[*columns, "updated_at", "generation_status"])
    propagation = None
    if propagates:
        propagation = start_async_action(
            project,
            PROPAGATE,
            job="vouchers.jobs.propagate_terms",
            params={"campaign": str(campaign.pk)},
            total_count=campaign.vouchers_count,
            now=now,
        )
    if more:
        _order(project, campaign, more, after=propagation, channel=channel, now=now)
    _record(project, "campaign.updated", campaign, channel=channel, now=now)
    return campaign


def _order(
    project: Project,
    campaign: Campaign,
    more: NewCodes,
    *,
    after: AsyncAction | None,
    channel: str,
    now: datetime,
) -> None:
    """Have more codes made at once, or `after` an action that the campaign is busy with."""
    check_takes_more(campaign, more.count)
    order = open_order(
        project, campaign=campaign, count=more.count, batch=more.batch, channel=channel, now=now
    )
    if after is None:
        start_ordered(project, campaign=campaign, order=order, now=now)
        return
    after.params |= {"order": order}
    after.save(update_fields=["params"])


def run_propagation(action: AsyncAction) -> None:
    """Give the campaign's dates and limit to all its codes that nobody has got or used yet."""
    campaign = Campaign.objects.get(project=action.project, pk=action.params["campaign"])
    terms = campaign.terms()
    stale = Q(pk__in=[])
    for name, value in terms.items():
        stale |= ~Q(**{name: value}) if value is not None else Q(**{f"{name}__isnull": False})
    waiting = Voucher.objects.filter(~USED, stale, campaign=campaign)
    limits = campaign.quantity is not None
    for keys in batches_by_age(waiting, BATCH_FOLDED if limits else BATCH):
        with transaction.atomic():
            if limits:
                fold_usage(keys)
            rows = Voucher.objects.filter(~USED, pk__in=keys)
            advance(action, done=rows.update(**terms, updated_at=timezone.now()))
    _end_propagation(action, campaign)
    action.message = f"{action.done_count} codes changed"


@transaction.atomic
def _end_propagation(action: AsyncAction, campaign: Campaign) -> None:
    """Let the campaign be worked on again, and start what was ordered, once however often this is run."""
    if action.params.get("is_over"):
        return
    action.params["is_over"] = True
    action.save(update_fields=["params"])
    Campaign.objects.filter(pk=campaign.pk).update(generation_status=Campaign.GenerationStatus.DONE)
    if (order := action.params.get("order")) and campaign.deleted_at is None:
        start_ordered(action.project, campaign=campaign, order=order, now=timezone.now())


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


def batches_by_age(rows: VoucherQuerySet, size: int) -> Iterator[list[uuid.UUID]]:
    """Yield the keys of a campaign's codes in batches, oldest first; what is behind is not read again."""
    age = Tuple(F("created_at"), F("pk"))
    rest = rows.order_by("created_at", "pk").values_list("created_at", "pk")
    found = list(rest[:size])
    while found:
        yield [key for _created_at, key in found]
        found = list(rest.filter(TupleGreaterThan(age, found[-1]))[:size])


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
