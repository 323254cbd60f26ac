"""Bringing a campaign's changed terms to its codes, and freeing campaigns whose work was given up."""

import uuid
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.events import record_event
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from vouchers.models import UsageEntry, Voucher, VoucherQuerySet
from vouchers.services.generate import (
    PROPAGATE,
    WORKED_ON,
    Order,
    end_generation,
    running_work,
    start_ordered,
    work_on,
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


def start_propagation(project: Project, *, campaign: Campaign, order: Order | None, now: datetime) -> None:
    """Start bringing a campaign's terms to its codes, after which those of the order are made.

    It is to be called in the transaction that holds the campaign, and nobody works on it.
    """
    campaign.generation_status, campaign.failed_change = Campaign.GenerationStatus.MODIFYING, None
    campaign.save(update_fields=["generation_status", "failed_change"])
    start_async_action(
        project,
        PROPAGATE,
        job="vouchers.jobs.propagate_terms",
        params={"campaign": str(campaign.pk)} | ({"order": order} if order else {}),
        total_count=campaign.vouchers_count,
        now=now,
    )


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
    _end(action, campaign)
    action.message = f"{action.done_count} codes changed"


def failed_change(campaign: Campaign) -> AsyncAction | None:
    """Return the action that gave up bringing a campaign's terms to its codes; None where there is none, or
    it is not kept any more.
    """
    if campaign.failed_change is None:
        return None
    return AsyncAction.objects.filter(project=campaign.project_id, pk=campaign.failed_change).first()


def order_left(campaign: Campaign) -> Order | None:
    """Return the order of codes that were to be made after a change that was given up."""
    given_up = failed_change(campaign)
    return given_up.params.get("order") if given_up else None


def end_given_up(*, now: datetime) -> int:
    """Free the campaigns that nobody works on any more, though they say so, and return how many.

    The work on them failed, or its worker died each time.
    """
    stuck = Campaign.objects.filter(generation_status__in=WORKED_ON).order_by("pk")
    return sum(_free(key, now) for key in list(stuck.values_list("pk", flat=True)))


def batches_by_age(rows: VoucherQuerySet, size: int) -> Iterator[list[uuid.UUID]]:
    """Yield the keys of a campaign's codes in batches, oldest first; what is behind is not read again."""
    age = Tuple(F("created_at"), F("pk"))
    rest = rows.order_by("created_at", "pk").values_list("created_at", "pk")
    found = list(rest[:size])
    while found:
        yield [key for _created_at, key in found]
        found = list(rest.filter(TupleGreaterThan(age, found[-1]))[:size])


@transaction.atomic
def _end(action: AsyncAction, campaign: Campaign) -> None:
    """Let the campaign be worked on again, and start what was ordered, once however often this is run."""
    if action.params.get("is_over"):
        return
    action.params["is_over"] = True
    action.save(update_fields=["params"])
    Campaign.objects.filter(pk=campaign.pk).update(generation_status=Campaign.GenerationStatus.DONE)
    if (order := action.params.get("order")) and campaign.deleted_at is None:
        start_ordered(action.project, campaign=campaign, order=order, now=timezone.now())


@transaction.atomic
def _free(key: uuid.UUID, now: datetime) -> bool:
    # Whoever holds it is at work on it, or frees it.
    rows = Campaign.objects.select_for_update(skip_locked=True).filter(
        pk=key, generation_status__in=WORKED_ON
    )
    campaign = rows.first()
    if campaign is None or running_work(campaign):
        return False
    work, status = work_on(campaign), campaign.generation_status
    if work is not None and status == Campaign.GenerationStatus.IN_PROGRESS:
        end_generation(work, campaign, Campaign.GenerationStatus.FAILED)
        return True
    campaign.generation_status = Campaign.GenerationStatus.FAILED
    campaign.failed_change = work.pk if work else None
    campaign.save(update_fields=["generation_status", "failed_change"])
    if work is not None:
        _tell_of_failure(campaign, work, now)
    return True


def _tell_of_failure(campaign: Campaign, work: AsyncAction, now: datetime) -> None:
    record_event(
        work.project,
        "campaign.vouchers.update.failed",
        {
            "campaign": {"id": campaign.public_id, "name": campaign.name},
            "count": work.done_count,
            "reason": work.message,
            "async_action_id": work.public_id,
        },
        entity_id=campaign.public_id,
        campaign_id=campaign.pk,
        now=now,
    )
