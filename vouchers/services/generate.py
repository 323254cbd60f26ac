"""Making many codes: in batches, each committed together with its progress, until the count is exact."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.errors import DomainError
from promoengine.core.events import record_event
from promoengine.core.ids import new_id
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from vouchers.codes import CodePattern, parse_code_config
from vouchers.models import Voucher
from vouchers.services.create import thin_voucher

BATCH = 5000
COUNT_MAX = 10_000_000
# How many codes more than wanted are tried where the last batch met codes that were taken.
SPARE = 1000
# Codes are found by chance, so a space must stay roomy enough for chance to find free ones.
ROOM = 1.05


class PatternTooSmall(DomainError):
    key = "invalid_code_config"
    message = "Invalid code config"


class GenerationRunning(DomainError):
    key = "invalid_campaign"
    message = "Invalid Campaign"


class TooManyCodes(DomainError):
    key = "too_many_vouchers_requested"
    message = "Too many vouchers requested"


def check_room(pattern: CodePattern, count: int, *, existing: int = 0) -> None:
    """Refuse to make more codes than a pattern has.

    Raises:
        PatternTooSmall: it has fewer, or hardly more.
        TooManyCodes: more than ten million at once.
    """
    if count > COUNT_MAX:
        raise TooManyCodes(f"Only up to {COUNT_MAX} codes can be made at once")
    needed = count + existing
    if pattern.capacity < needed or (needed > 20 and pattern.capacity < needed * ROOM):
        raise PatternTooSmall(
            f"Pattern {pattern.pattern} has {pattern.capacity} codes, too few for {needed}; make it longer"
        )


@transaction.atomic
def start_generation(project: Project, *, campaign: Campaign, count: int, now: datetime) -> AsyncAction:
    """Start making `count` codes for a campaign in the background.

    Raises:
        PatternTooSmall: the pattern has fewer codes than that.
        GenerationRunning: the campaign is being worked on.
    """
    check_room(parse_code_config(campaign.code_config), count, existing=campaign.vouchers_count)
    claimed = Campaign.objects.filter(
        project=project, pk=campaign.pk, generation_status__in=["DONE", "FAILED", "DRAFT"]
    ).update(generation_status=Campaign.GenerationStatus.IN_PROGRESS)
    if not claimed:
        raise GenerationRunning(f"Campaign {campaign.name} is being modified; try again when it is done")
    campaign.generation_status = Campaign.GenerationStatus.IN_PROGRESS
    return start_async_action(
        project,
        "CAMPAIGN.VOUCHERS_GENERATE",
        job="vouchers.jobs.generate_codes",
        params={"campaign": str(campaign.pk)},
        total_count=count,
        now=now,
    )


def run_generation(action: AsyncAction) -> None:
    """Make the codes that an action still lacks; every batch is committed with its progress."""
    campaign = Campaign.objects.get(project=action.project, pk=action.params["campaign"])
    pattern = parse_code_config(campaign.code_config)
    fruitless, spare = 0, 0
    while action.done_count < action.total_count:
        wanted = min(BATCH, action.total_count - action.done_count)
        with transaction.atomic():
            made = _insert_codes(campaign, pattern, wanted, spare=spare)
            advance(action, done=made)
            Campaign.objects.filter(pk=campaign.pk).update(vouchers_count=F("vouchers_count") + made)
        fruitless = 0 if made else fruitless + 1
        spare = SPARE if made < wanted else 0
        if fruitless == 20:
            _finish(action, campaign, Campaign.GenerationStatus.FAILED)
            raise PatternTooSmall(f"Only {action.done_count} free codes of {pattern.pattern} were found")
    _finish(action, campaign, Campaign.GenerationStatus.DONE)
    action.message = f"{action.done_count} codes made"


def _finish(action: AsyncAction, campaign: Campaign, status: Campaign.GenerationStatus) -> None:
    outcome = "completed" if status == Campaign.GenerationStatus.DONE else "failed"
    with transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(generation_status=status)
        record_event(
            action.project,
            f"campaign.vouchers.generation.{outcome}",
            {"campaign": {"id": campaign.public_id, "name": campaign.name}, "count": action.done_count},
            entity_id=campaign.public_id,
            campaign_id=campaign.pk,
            now=timezone.now(),
        )


def _insert_codes(campaign: Campaign, pattern: CodePattern, count: int, *, spare: int) -> int:
    """Insert up to `count` new codes and return how many; `spare` ones make up for those that are taken."""
    codes = list(dict.fromkeys(pattern.generate(count + spare)))
    keys = codes if campaign.project.case_sensitive_codes else [code.upper() for code in codes]
    columns = thin_voucher(campaign)
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT_CODES,
            {
                "ids": [new_id() for _ in codes],
                "codes": codes,
                "count": count,
                "keys": keys,
                "project": campaign.project_id,
                "campaign": campaign.pk,
                "now": timezone.now(),
                "gift_amount": columns.get("gift_amount"),
                "gift_effect": columns.get("gift_effect", ""),
                "type": columns["type"],
                "quantity": columns["quantity"],
                "start": columns["start_date"],
                "end": columns["expiration_date"],
                "is_referral": campaign.campaign_type == Campaign.CampaignType.REFERRAL_PROGRAM,
            },
        )
        return int(cursor.rowcount)


# In the order of the index, so that two runs which meet the same code wait for each other one way round.
INSERT_CODES = f"""
    INSERT INTO {Voucher._meta.db_table} (
        id, code, code_key, project_id, campaign_id, type, quantity, start_date, expiration_date,
        gift_amount, gift_balance, gift_effect, active, redeemed_quantity, redeemed_amount, published_count,
        metadata, is_referral_code, created_at
    )
    SELECT made.id, made.code, made.key, %(project)s, %(campaign)s, %(type)s, %(quantity)s::integer,
        %(start)s::timestamptz, %(end)s::timestamptz, %(gift_amount)s::bigint, %(gift_amount)s::bigint,
        %(gift_effect)s, true, 0, 0, 0, '{{}}'::jsonb, %(is_referral)s, %(now)s
    FROM (
        SELECT *
        FROM unnest(%(ids)s::uuid[], %(codes)s::text[], %(keys)s::text[]) AS candidate (id, code, key)
        WHERE NOT EXISTS (
            SELECT 1 FROM {Voucher._meta.db_table} AS taken
            WHERE taken.project_id = %(project)s AND taken.code_key = candidate.key
        )
        LIMIT %(count)s
    ) AS made
    ORDER BY made.key
    ON CONFLICT (project_id, code_key) DO NOTHING
"""
