"""Importing codes: rows are read and checked, staged, and inserted set by set; each bad one is reported.

Reading commits by the batch and changes no code. What comes next depends on what was asked for: a check tells
what would happen, all or nothing inserts in one transaction, good rows alone in batches. Every step keeps its
progress in its own transaction, so a killed worker's successor goes on with neither loss nor doubles.
"""

from datetime import datetime

from django.utils import timezone

from campaigns.models import Campaign
from promoengine.core.errors import DomainError
from promoengine.core.events import record_event
from promoengine.core.ids import public_id
from promoengine.core.models import AsyncAction, Project, UploadedFile
from promoengine.core.row_imports import CHECK
from promoengine.core.services.async_actions import Canceled, start_async_action
from promoengine.core.services.seen_attributes import note_attributes
from vouchers.import_plans import ImportPlan
from vouchers.services.batches import check_batch
from vouchers.services.import_sources import CHECKED_FILE, FILE, RECORDS, campaign_of
from vouchers.services.import_steps import ENDED, READING, ImportSteps
from vouchers.services.read_codes import check_has_codes

SAMPLE = 200
INTO_CAMPAIGN, ON_THEIR_OWN = "CAMPAIGN.VOUCHERS_IMPORT", "VOUCHERS.IMPORT"


def start_code_import(
    project: Project, *, file: UploadedFile, plan: ImportPlan, is_records: bool = False, now: datetime
) -> AsyncAction:
    """Start the import of an uploaded table, or of the JSON of published records.

    The file is let go of once the codes are in; that of a check stays, for it is what is imported next.

    Raises:
        CampaignGone, InvalidVoucher: the campaign is not there, or has no codes.
        InvalidPayload: the codes can't become such a batch.
    """
    campaign = campaign_of(project, plan)
    if campaign is not None:
        check_has_codes(campaign)
    check_batch(plan.batch, campaign=campaign, now=now)
    what = INTO_CAMPAIGN if campaign else ON_THEIR_OWN
    return start_async_action(
        project,
        what if is_records else f"{what}_CSV",
        job="vouchers.jobs.import_codes",
        params={
            CHECKED_FILE if plan.mode == CHECK else FILE: str(file.pk),
            RECORDS: is_records,
            "name": file.name,
            "plan": plan.to_params(),
            "step": READING,
        },
        is_stoppable=True,
        now=now,
    )


def run_code_import(action: AsyncAction) -> None:
    """Import the file of an action, from where an earlier run of it stopped.

    Raises:
        Paused, Canceled: somebody asked for it; good rows that are in stay.
        UnreadableFile, InvalidPayload, FileGone: there is no table with codes; nothing was imported.
        CampaignGone: the campaign was deleted; good rows that are in went with it.
        NothingImported: all or nothing was asked for, and some rows are bad.
    """
    steps = ImportSteps(action)
    try:
        if action.params["step"] != ENDED:
            steps.run(at_the_end=_tell)
    except (Canceled, DomainError):
        steps.let_go()
        raise
    action.message = _in_words(action, steps.plan)


def _tell(steps: ImportSteps) -> None:
    """Write down what came in, in the transaction that ends the import."""
    action, now = steps.action, timezone.now()
    if steps.plan.mode == CHECK or not action.done_count:
        return
    note_attributes(action.project, "voucher", steps.staging.sample_of_metadata(SAMPLE), now=now)
    record_event(
        action.project,
        "vouchers.imported",
        {
            "count": action.done_count,
            "campaign_ids": [public_id(Campaign.prefix, key) for key in steps.campaign_keys()],
            "async_action_id": action.public_id,
        },
        entity_id=action.public_id,
        campaign_id=steps.plan.campaign_key(),
        channel=steps.plan.channel,
        now=now,
    )


def _in_words(action: AsyncAction, plan: ImportPlan) -> str:
    done = f"{action.done_count} codes {'would be imported' if plan.mode == CHECK else 'imported'}"
    known = f", {action.skipped_count} were there already" if action.skipped_count else ""
    return f"{done}{known}, {action.failed_count} failed"
