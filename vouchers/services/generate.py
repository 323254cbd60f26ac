"""Making many codes: in batches, each committed together with its progress, until the count is exact."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.errors import DomainError
from promoengine.core.events import record_event
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import (
    NOT_ENDED,
    Canceled,
    advance,
    checkpoint,
    start_async_action,
)
from vouchers.models import Voucher
from vouchers.patterns import CodePattern, parse_code_config
from vouchers.services.batches import NO_TERMS, BatchTerms, add_to_batch, open_batch
from vouchers.services.insert_codes import insert_codes

GENERATE, PROPAGATE = "CAMPAIGN.VOUCHERS_GENERATE", "CAMPAIGN.VOUCHERS_UPDATE"
WORKED_ON: dict[str, str] = {
    Campaign.GenerationStatus.IN_PROGRESS: GENERATE,
    Campaign.GenerationStatus.MODIFYING: PROPAGATE,
}
BATCH = 10_000
COUNT_MAX = 10_000_000
# Codes are found by chance, so a space must stay roomy enough for chance to find free ones.
ROOM = 1.05
# A space that has so many times more codes than wanted is roomy, whatever else of it is taken.
ROOMY = 100
SAMPLE = 2000
FRUITLESS_MAX = 20

# The batch that codes are to be made of, and how many, as the params of an action have it.
Order = dict[str, Any]


class PatternTooSmall(DomainError):
    key = "invalid_code_config"
    message = "Invalid code config"


class GenerationRunning(DomainError):
    key = "invalid_campaign"
    message = "Invalid Campaign"


class TooManyCodes(DomainError):
    key = "too_many_vouchers_requested"
    message = "Too many vouchers requested"


def check_room(project: Project, pattern: CodePattern, count: int) -> None:
    """Refuse to make more codes than a pattern has left in the project.

    Raises:
        PatternTooSmall: it has fewer, or hardly more.
        TooManyCodes: more than ten million at once.
    """
    if count > COUNT_MAX:
        raise TooManyCodes(f"Only up to {COUNT_MAX} codes can be made at once")
    capacity = pattern.capacity(project)
    needed = count if count <= 20 else count * ROOM
    if capacity >= count * ROOMY:
        return
    if capacity * (1 - _share_taken(project, pattern)) < needed:
        raise PatternTooSmall(
            f"Pattern {pattern.pattern} has {capacity} codes, too few free ones for {count}; make it longer"
        )


@transaction.atomic
def start_generation(
    project: Project,
    *,
    campaign: Campaign,
    count: int,
    batch: BatchTerms = NO_TERMS,
    channel: str = "API",
    now: datetime,
) -> AsyncAction:
    """Start making `count` codes for a campaign in the background, a batch of its own.

    Raises:
        PatternTooSmall: the pattern has fewer codes than that.
        GenerationRunning: the campaign is being worked on.
        InvalidPayload: the batch would be locked until a moment that is past.
    """
    order = open_order(project, campaign=campaign, count=count, batch=batch, channel=channel, now=now)
    return start_ordered(project, campaign=campaign, order=order, now=now)


def open_order(
    project: Project, *, campaign: Campaign, count: int, batch: BatchTerms, channel: str, now: datetime
) -> Order:
    """Open the batch of `count` codes that `start_ordered` is to make, in the caller's transaction.

    Raises:
        PatternTooSmall: the pattern has fewer codes than that.
        InvalidPayload: the batch would be locked until a moment that is past.
    """
    check_room(project, parse_code_config(campaign.code_config), count)
    opened = open_batch(project, campaign, batch, channel=channel, now=now)
    return {"batch": str(opened.pk), "count": count}


@transaction.atomic
def start_ordered(project: Project, *, campaign: Campaign, order: Order, now: datetime) -> AsyncAction:
    """Start making the codes of an opened batch in the background.

    Raises:
        GenerationRunning: the campaign is being worked on.
    """
    claimed = Campaign.objects.filter(
        project=project, pk=campaign.pk, generation_status__in=["DONE", "FAILED", "DRAFT"]
    ).update(generation_status=Campaign.GenerationStatus.IN_PROGRESS)
    if not claimed:
        raise GenerationRunning(f"Campaign {campaign.name} is being modified; try again when it is done")
    campaign.generation_status = Campaign.GenerationStatus.IN_PROGRESS
    return start_async_action(
        project,
        GENERATE,
        job="vouchers.jobs.generate_codes",
        params={"campaign": str(campaign.pk), "batch": order["batch"]},
        total_count=order["count"],
        is_stoppable=True,
        now=now,
    )


def running_work(campaign: Campaign) -> AsyncAction | None:
    """Return the action that makes a campaign's codes, also while it is paused, or changes them; or None."""
    work = work_on(campaign)
    return work if work is not None and work.status in NOT_ENDED else None


def work_on(campaign: Campaign) -> AsyncAction | None:
    """Return the action that a campaign says it is worked on by, also one that has ended without being done.

    None where nobody works on it.
    """
    if campaign.generation_status not in WORKED_ON:
        return None
    actions = AsyncAction.objects.filter(
        project=campaign.project_id,
        type=WORKED_ON[campaign.generation_status],
        params__campaign=str(campaign.pk),
    )
    return actions.order_by("-id").first()


def run_generation(action: AsyncAction) -> None:
    """Make the codes that an action still lacks; every batch is committed with its progress.

    Raises:
        Paused, Canceled: somebody asked for it; what has been made stays.
        PatternTooSmall: no free code is found any more.
    """
    campaign = Campaign.objects.select_related("project").get(
        project=action.project, pk=action.params["campaign"]
    )
    try:
        _make(action, campaign)
    except (Canceled, PatternTooSmall):
        end_generation(action, campaign, Campaign.GenerationStatus.FAILED)
        raise
    end_generation(action, campaign, Campaign.GenerationStatus.DONE)
    action.message = f"{action.done_count} codes made"


def end_generation(action: AsyncAction, campaign: Campaign, status: Campaign.GenerationStatus) -> None:
    """End a campaign's generation and tell of it once, also where a worker dies right after it has.

    A campaign that a change did not reach all codes of stays failed, whatever codes are made.
    """
    if action.params.get("is_told"):
        return
    outcome = "completed" if status == Campaign.GenerationStatus.DONE else "failed"
    with transaction.atomic():
        action.params["is_told"] = True
        action.save(update_fields=["params"])
        rows = Campaign.objects.filter(pk=campaign.pk)
        rows.update(
            generation_status=Case(
                When(failed_change=None, then=Value(status)), default=Value(Campaign.GenerationStatus.FAILED)
            )
        )
        record_event(
            action.project,
            f"campaign.vouchers.generation.{outcome}",
            {"campaign": {"id": campaign.public_id, "name": campaign.name}, "count": action.done_count},
            entity_id=campaign.public_id,
            campaign_id=campaign.pk,
            now=timezone.now(),
        )


def _make(action: AsyncAction, campaign: Campaign) -> None:
    pattern, batch_id = parse_code_config(campaign.code_config), action.params.get("batch")
    fruitless, is_crowded = 0, False
    while action.done_count < action.total_count:
        checkpoint(action)
        wanted = min(BATCH, action.total_count - action.done_count)
        with transaction.atomic():
            made = insert_codes(campaign, pattern, wanted, batch_id=batch_id, is_crowded=is_crowded)
            advance(action, done=made)
            add_to_batch(batch_id, made)
            Campaign.objects.filter(pk=campaign.pk).update(vouchers_count=F("vouchers_count") + made)
        is_crowded = made < wanted
        fruitless = 0 if made else fruitless + 1
        if fruitless == FRUITLESS_MAX:
            raise PatternTooSmall(f"Only {action.done_count} free codes of {pattern.pattern} were found")


def _share_taken(project: Project, pattern: CodePattern) -> float:
    """Return which part of a pattern's codes is taken, by a sample of them; the bin counts, too."""
    keys = {code if project.case_sensitive_codes else code.upper() for code in pattern.generate(SAMPLE)}
    return Voucher.objects.filter(project=project, code_key__in=keys).count() / len(keys)
