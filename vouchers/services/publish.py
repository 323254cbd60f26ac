"""Publications: giving codes to a customer. A free code is taken by one and only one."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from campaigns.models import Campaign
from campaigns.rule_selectors import load_assignments
from campaigns.selectors import campaign_by_ref
from customers.models import Customer
from customers.selectors import find_customer
from customers.services.upsert import upsert_in_transaction
from promoengine.core.errors import DomainError, InvalidPayload, NotFound
from promoengine.core.events import record_event
from promoengine.core.models import Project
from promoengine.core.services.definitions import share_definitions
from promoengine.core.services.metadata import check_metadata, schemas_now
from promoengine.engine.timeframes import parse_duration
from vouchers.batches import batches_of, in_zone, released_at
from vouchers.models import CodeBatch, Publication, Voucher
from vouchers.selectors import voucher_by_ref, vouchers_for_wire
from vouchers.services.create import create_voucher
from vouchers.services.one_code import has_joined, same_person, serve, served_batches
from vouchers.services.take import Pool, take_free
from vouchers.wire import publication_to_wire

COUNT_MAX = 50


class MissingVouchers(DomainError):
    key = "missing_vouchers"
    message = "Missing vouchers"


class NoSuitableVoucher(DomainError):
    key = "no_voucher_suitable_for_publication"
    message = "Couldn't find any voucher suitable for publication"


class VoucherAlreadyPublished(DomainError):
    key = "voucher_already_published"
    message = "Voucher already published"


class VoucherCannotBePublished(DomainError):
    key = "voucher_cannot_be_published"
    message = "Voucher cannot be published"


class TooManyVouchers(DomainError):
    key = "too_many_vouchers_requested"
    message = "Too many vouchers requested"


class DuplicateSourceId(DomainError):
    key = "duplicate_source_id"
    message = "Duplicate source_id"


@dataclass(frozen=True, slots=True)
class PublicationRequest:
    """Who gets what: a code by name, or `count` free codes of a campaign."""

    customer: Mapping[str, Any]
    voucher: str | None = None
    campaign: str | None = None
    count: int = 1
    join_once: bool | None = None
    source_id: str | None = None
    channel: str = "API"
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A publication with its customer and codes."""

    publication: Publication
    customer: Customer
    vouchers: list[Voucher]


def publish(project: Project, asked: PublicationRequest, *, now: datetime) -> Published:
    """Give codes to a customer, who is made where they are new, and return what they got.

    A refusal is kept as a failed publication. The same `source_id` gives the same codes again.

    Raises:
        InvalidPayload, MissingVouchers, TooManyVouchers: the request is wrong.
        MetadataRefused: an attribute of the publication or the customer is missing or wrong.
        NotFound: the project has no such voucher, campaign or customer.
        NoSuitableVoucher: the campaign has no free code yet, or any more, and may not grow.
        VoucherAlreadyPublished, VoucherCannotBePublished: this code is locked, it or the person served.
        DuplicateSourceId: the id belongs to another customer's publication.
    """
    _check(asked)
    if earlier := _earlier(project, asked):
        return earlier
    try:
        return _publish(project, asked, now=now)
    except IntegrityError as error:
        if asked.source_id and (earlier := _earlier(project, asked)):
            return earlier
        raise DuplicateSourceId(f"Publication with source_id: '{asked.source_id}' already exists") from error
    except (NoSuitableVoucher, VoucherAlreadyPublished, VoucherCannotBePublished) as refusal:
        _record_failure(project, asked, refusal, now=now)
        raise


@transaction.atomic
def _publish(project: Project, asked: PublicationRequest, *, now: datetime) -> Published:
    # Before all others: who locks a batch waits for takers under way, and takers then see the lock.
    share_definitions(project)
    customer = upsert_in_transaction(project, data=asked.customer, channel=asked.channel, now=now)
    if asked.voucher:
        voucher = voucher_by_ref(project, asked.voucher)
        campaign = voucher.campaign
        _hand_over_this(project, voucher, customer, now=now)
        ids = [voucher.pk]
    else:
        campaign = campaign_by_ref(project, asked.campaign or "")
        if served := _served(project, campaign, customer, asked):
            return served
        ids = _take_free(project, campaign, customer, asked.count, now=now)
        _hand_over(Voucher.objects.filter(pk__in=ids), campaign, customer, now=now)
    check_metadata(schemas_now(project), "publication", asked.metadata, is_new=True)
    vouchers = _vouchers(project, ids)
    publication = Publication.objects.create(
        project=project,
        customer=customer,
        campaign=campaign,
        voucher_ids=ids,
        voucher_code=vouchers[0].code,
        voucher_type=vouchers[0].type,
        source_id=asked.source_id,
        tracking_id=customer.source_id,
        channel=asked.channel,
        metadata=dict(asked.metadata or {}),
        created_at=now,
    )
    published = Published(publication, customer, vouchers)
    record_event(
        project,
        "publication.succeeded",
        publication_to_wire(publication, customer, published.vouchers),
        entity_id=publication.public_id,
        customer_id=customer.pk,
        campaign_id=campaign.pk if campaign else None,
        channel=asked.channel,
        now=now,
    )
    return published


def _check(asked: PublicationRequest) -> None:
    if not asked.voucher and not asked.campaign:
        raise MissingVouchers("Either Campaign or Voucher is required")
    if not asked.customer:
        raise InvalidPayload("Payload must have required property 'customer'")
    if not 1 <= asked.count <= COUNT_MAX:
        raise InvalidPayload(f"Property .campaign.count should be between 1 and {COUNT_MAX}")
    if asked.source_id and asked.count > 1:
        raise TooManyVouchers("Only up to 1 can be published")


def _earlier(project: Project, asked: PublicationRequest) -> Published | None:
    """Return the publication that the same `source_id` made before.

    Raises:
        DuplicateSourceId: it went to another customer.
    """
    if not asked.source_id:
        return None
    rows = Publication.objects.filter(project=project, source_id=asked.source_id, result="SUCCESS")
    publication = rows.select_related("customer").first()
    if publication is None:
        return None
    customer = find_customer(project, asked.customer)
    if publication.customer is None or customer != publication.customer:
        raise DuplicateSourceId(f"Publication with source_id: '{asked.source_id}' already exists")
    return Published(publication, publication.customer, _vouchers(project, publication.voucher_ids))


def _served(
    project: Project, campaign: Campaign, customer: Customer, asked: PublicationRequest
) -> Published | None:
    """Return what the customer got of a campaign, where the request says that each is served only once.

    Raises:
        VoucherCannotBePublished: the campaign itself says so, and this person has been served.
        TooManyVouchers: the campaign says so, and more than one is asked for.
    """
    if not (campaign.join_once or asked.join_once):
        return None
    if campaign.join_once and asked.count > 1:
        raise TooManyVouchers(f"Campaign {campaign.name} gives one code to each customer")
    # One customer at a time, so that two requests at once don't both find nothing.
    Customer.objects.select_for_update().get(pk=customer.pk)
    if asked.join_once:
        rows = Publication.objects.filter(
            project=project, customer=customer, campaign=campaign, result="SUCCESS"
        )
        if publication := rows.order_by("pk").first():
            return Published(publication, customer, _vouchers(project, publication.voucher_ids))
    if campaign.join_once:
        _join(project, campaign, customer)
    return None


def _join(project: Project, campaign: Campaign, customer: Customer) -> None:
    if has_joined(project, campaign, customer) or not serve(campaign, None, customer):
        raise VoucherCannotBePublished("Voucher cannot be published. Customer already joined program.")


def _hand_over_this(project: Project, voucher: Voucher, customer: Customer, *, now: datetime) -> None:
    """Give one code by name: a common one may be given to many, another only to one."""
    if not voucher.active:
        raise VoucherCannotBePublished(f"Voucher {voucher.code} is disabled")
    if voucher.locked_until and voucher.locked_until > now and not voucher.published_count:
        raise VoucherCannotBePublished(
            f"Voucher {voucher.code} is locked until {in_zone(project, voucher.locked_until)}"
        )
    campaign = voucher.campaign
    is_common = campaign is not None and campaign.type == Campaign.Type.STANDALONE
    free = Voucher.objects.filter(pk=voucher.pk, deleted_at=None)
    if not is_common:
        free = free.filter(Q(published_count=0) | Q(holder=customer))
    if not _hand_over(free, campaign, customer, now=now):
        raise VoucherAlreadyPublished(f"Voucher {voucher.code} is published to another customer")
    # After the code, in the same order as whoever takes free codes: neither then waits for the other.
    if campaign is not None and not is_common and voucher.holder_id != customer.pk:
        _serve_by_name(project, campaign, voucher, customer)


def _serve_by_name(project: Project, campaign: Campaign, voucher: Voucher, customer: Customer) -> None:
    if campaign.join_once:
        _join(project, campaign, customer)
    batch = voucher.batch
    if batch is None or not batch.one_per_person:
        return
    others = Voucher.objects.filter(holder__in=same_person(project, campaign, customer), batch=batch)
    if others.exclude(pk=voucher.pk).exists() or not serve(campaign, batch.pk, customer):
        raise _one_each(batch)


def _take_free(
    project: Project, campaign: Campaign, customer: Customer, count: int, *, now: datetime
) -> list[uuid.UUID]:
    """Lock free codes of a campaign, passing over those that others are taking right now, or make them.

    A campaign that grows does not while it holds codes back from this customer: it would give other codes
    in their place, and neither a lock nor a limit would be worth anything.
    """
    if campaign.type == Campaign.Type.STANDALONE:
        rows = Voucher.objects.filter(project=project, campaign=campaign, deleted_at=None, active=True)
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:count])
    else:
        ids = _take_from_batches(project, campaign, customer, count, now=now)
    while len(ids) < count and campaign.type == Campaign.Type.AUTO_UPDATE:
        ids.append(create_voucher(project, data={}, campaign=campaign, now=now).pk)
    if len(ids) < count:
        raise NoSuitableVoucher(f"Campaign {campaign.name} has no free code left")
    return ids


def _take_from_batches(
    project: Project, campaign: Campaign, customer: Customer, count: int, *, now: datetime
) -> list[uuid.UUID]:
    batches = {batch.pk: batch for batch in batches_of(campaign).filter(count__gt=0)}
    unlocked = [batch for batch in batches.values() if not batch.is_locked_at(now)]
    limited = {batch.pk for batch in unlocked if batch.one_per_person}
    served = served_batches(project, campaign, limited, customer)
    ids: list[uuid.UUID] = []
    asked = set(served)
    while len(ids) < count:
        pools = [
            Pool(batch.pk, 1 if batch.pk in limited else count) for batch in unlocked if batch.pk not in asked
        ]
        taken = take_free(campaign, pools, count - len(ids), besides=ids)
        if not taken:
            break
        for code in taken:
            if code.batch_id in limited:
                asked.add(code.batch_id)
                if not serve(campaign, code.batch_id, customer):
                    served.add(code.batch_id)
                    continue
            ids.append(code.id)
    if len(ids) < count:
        if moment := released_at(batches.values(), now=now):
            raise NoSuitableVoucher(f"Codes of {campaign.name} are released at {in_zone(project, moment)}")
        if asked:
            raise _one_each(batches[next(iter(served or asked))])
    return ids


def _one_each(batch: CodeBatch) -> VoucherCannotBePublished:
    return VoucherCannotBePublished(f"Batch {batch} gives one code to each customer")


def _hand_over(
    rows: QuerySet[Voucher], campaign: Campaign | None, customer: Customer, *, now: datetime
) -> int:
    """Count codes as given, make the customer the holder of those that have none, and let their time begin.

    Returns how many codes that were.
    """
    columns: dict[str, Any] = {}
    if campaign and campaign.activity_duration_after_publishing:
        end = now + parse_duration(campaign.activity_duration_after_publishing)
        columns = {
            name: Case(When(published_count=0, then=Value(moment)), default=F(name))
            for name, moment in (("start_date", now), ("expiration_date", end))
        }
    return rows.update(
        published_count=F("published_count") + 1,
        holder=Case(When(holder=None, then=Value(customer.pk)), default=F("holder_id")),
        updated_at=now,
        **columns,
    )


def _vouchers(project: Project, ids: list[Any]) -> list[Voucher]:
    found = vouchers_for_wire(project).in_bulk(ids)
    vouchers = [found[key] for key in ids if key in found]
    load_assignments(vouchers)
    return vouchers


def _record_failure(
    project: Project, asked: PublicationRequest, refusal: DomainError, *, now: datetime
) -> None:
    try:
        customer = find_customer(project, asked.customer)
    except NotFound:
        customer = None
    campaign = None
    if asked.campaign and not asked.voucher:
        campaign = campaign_by_ref(project, asked.campaign)
    Publication.objects.create(
        project=project,
        customer=customer,
        campaign=campaign,
        voucher_type=campaign.voucher_type or "" if campaign else "",
        source_id=asked.source_id,
        channel=asked.channel,
        metadata=dict(asked.metadata or {}),
        result=Publication.Result.FAILURE,
        failure_code=refusal.key,
        failure_message=refusal.message,
        created_at=now,
    )
