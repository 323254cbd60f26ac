"""The steps of an import of codes, each with its progress in its own transaction."""

import uuid
from collections.abc import Callable
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.terms import category_of
from promoengine.core.errors import DomainError
from promoengine.core.ids import new_id
from promoengine.core.models import AsyncAction, ReportedRow
from promoengine.core.row_imports import CHECK, GOOD
from promoengine.core.services.async_actions import advance, checkpoint
from promoengine.core.services.reports import Reported, first_reported, report_rows
from vouchers.import_plans import ALL, plan_of
from vouchers.models import CodeBatch
from vouchers.services.batches import add_to_batch, open_batch, terms_of
from vouchers.services.create import thin_voucher
from vouchers.services.import_sources import CampaignGone, Source, source_of
from vouchers.services.staging import ALL_INSERTED, Keys, Settled, Staging

READ_BATCH, INSERT_BATCH = 5000, 10_000
READING, PARTING, INSERTING, CLOSING, ENDED = "reading", "parting", "inserting", "closing", "ended"
TRIES = 5


class NothingImported(DomainError):
    """All or nothing was asked for, and some rows are bad."""


class TermsMoved(DomainError):
    """A campaign was changed while codes were inserted by its former terms."""

    key = "invalid_campaign"
    message = "Invalid Campaign"


class KnownMeanwhile(DomainError):
    """Somebody else made a code, and not as the row says it, after all were checked."""


class ImportSteps:
    """What is left to do of one import."""

    def __init__(self, action: AsyncAction) -> None:
        self.action, self.project = action, action.project
        self.plan = plan_of(action.params["plan"])
        self.staging = Staging(action)

    def run(self, *, at_the_end: Callable[["ImportSteps"], None]) -> None:
        """Go on from the step that an earlier run stopped in; the last one calls `at_the_end`."""
        params = self.action.params
        if "staged" not in params or self.staging.count() != params["staged"]:
            self._begin()
        if params["step"] == READING:
            self._read()
        if params["step"] == PARTING:
            self._part_doubles()
        if params["step"] == INSERTING:
            {CHECK: self._check, ALL: self._insert_all, GOOD: self._insert_good}[self.plan.mode]()
        if self.plan.mode == ALL and self.action.failed_count:
            bad, total = self.action.failed_count, self.action.total_count
            raise NothingImported(f"Nothing was imported: {bad} of {total} rows are bad")
        with transaction.atomic():
            at_the_end(self)
            self.let_go()
            self._keep(step=ENDED)

    def let_go(self) -> None:
        """Drop what is staged, and give the first failures to whoever watches."""
        self.staging.drop()
        self.action.failed = first_reported(self.action)
        self.action.save(update_fields=["failed"])

    def campaign_keys(self) -> list[uuid.UUID]:
        """Return the campaigns that the codes read so far are of."""
        return [uuid.UUID(key) for key in self.action.params["campaigns"] if key]

    @transaction.atomic
    def _begin(self) -> None:
        """Start from the first row: for the first time, or because the database crashed and lost what was
        staged. What was inserted by then is known again by the moment of the action.
        """
        self.staging.make()
        ReportedRow.objects.filter(action=self.action).delete()
        counts = ["read_count", "done_count", "skipped_count", "failed_count", "total_count"]
        for name in counts:
            setattr(self.action, name, 0)
        self.action.save(update_fields=counts)
        batch = self.action.params.get("batch") or str(new_id())
        self._keep(step=READING, staged=0, names={}, campaigns=[], after="", batch=batch)

    def _read(self) -> None:
        """Stage all rows that can be meant, and report the others."""
        with source_of(self.action) as source:
            rest = islice(source.rows, self.action.read_count, None)
            while batch := list(islice(rest, READ_BATCH)):
                checkpoint(self.action)
                with transaction.atomic():
                    self._stage(batch, source)
        self.action.total_count = self.action.read_count or 0
        self.action.save(update_fields=["total_count"])
        self._keep(step=PARTING)

    def _stage(self, batch: list[tuple[int, Any]], source: Source) -> None:
        staged, bad = [], []
        for number, row in batch:
            try:
                staged.append(source.reader.read(number, row))
            except DomainError as refusal:
                bad.append(Reported(number, source.reader.name_of(row), str(refusal)))
        self.staging.copy(staged)
        report_rows(self.action, bad)
        campaigns = {str(row["campaign_id"] or "") for row in staged}.union(self.action.params["campaigns"])
        read = (self.action.read_count or 0) + len(batch)
        self.action.read_count, self.action.total_count = read, max(source.estimate, read + 1)
        self.action.save(update_fields=["read_count", "total_count"])
        self._keep(
            staged=self.action.params["staged"] + len(staged), campaigns=sorted(campaigns), names=source.names
        )
        advance(self.action, failed=len(bad))

    @transaction.atomic
    def _part_doubles(self) -> None:
        doubles = self.staging.part_doubles()
        advance(self.action, failed=doubles)
        self._keep(step=INSERTING, staged=self.action.params["staged"] - doubles)

    @transaction.atomic
    def _check(self) -> None:
        """Report the codes that are taken, and count what would come in."""
        found = self._settle(is_inserted=False)
        self._count(made=self.action.params["staged"] - found.bad - found.known, found=found)
        self._keep(step=CLOSING)

    def _insert_all(self) -> None:
        for _ in range(TRIES):
            try:
                with transaction.atomic():
                    self._insert_all_or_report()
                    self._keep(step=CLOSING)
                return
            except (TermsMoved, KnownMeanwhile):
                continue
        raise NothingImported("Nothing was imported: others change these codes just now; try again")

    def _insert_all_or_report(self) -> None:
        """Insert all codes, or report which of them are taken, in the caller's transaction."""
        found = self._settle(is_inserted=False)
        if found.bad or self.action.failed_count:
            advance(self.action, failed=found.bad)
            return
        made = self._insert()
        if made + found.known + found.made != self.action.params["staged"]:
            # Somebody else was quicker with some; the insert has waited until they are there to be seen.
            found = self._settle(is_inserted=True)
            if found.bad:
                raise KnownMeanwhile
        self._count(made=made, found=found)

    def _insert_good(self) -> None:
        tries = 0
        while (keys := self.staging.next_keys(self.action.params["after"], INSERT_BATCH)).number:
            checkpoint(self.action)
            try:
                self._insert_range(keys)
                tries = 0
            except TermsMoved:
                tries += 1
                if tries == TRIES:
                    raise
        self._keep(step=CLOSING)

    @transaction.atomic
    def _insert_range(self, keys: Keys) -> None:
        made = self._insert(after=keys.after, until=keys.until)
        if made == keys.number:
            found = ALL_INSERTED
        else:
            found = self._settle(is_inserted=True, after=keys.after, until=keys.until)
        self._count(made=made, found=found)
        self._keep(after=keys.until)

    def _insert(self, after: str = "", until: str | None = None) -> int:
        """Insert the free codes of a range of keys by their campaigns' terms, and count them there.

        The campaigns are locked last, as everywhere where codes are made; where one was changed since its
        terms were read, all is given up.
        """
        rows = Campaign.objects.filter(project=self.project, pk__in=self.campaign_keys())
        campaigns = {campaign.pk: campaign for campaign in rows}
        for name in self.staging.new_categories(self.project, after=after, until=until):
            category_of(self.project, name=name, ref=None)
        batch_id = uuid.UUID(self.action.params["batch"]) if self.plan.campaign else None
        made = self.staging.insert(
            self.project, campaigns.values(), batch_id=batch_id, after=after, until=until
        )
        if batch_id and made:
            self._count_into_batch(batch_id, campaigns[uuid.UUID(self.plan.campaign)], sum(made.values()))
        for key in sorted(key for key in made if key is not None):
            row = Campaign.objects.filter(pk=key)
            row.update(vouchers_count=F("vouchers_count") + made[key])
            as_it_is = row.get()
            if as_it_is.deleted_at is not None:
                raise CampaignGone(f"Campaign {as_it_is.name} was deleted meanwhile")
            if thin_voucher(as_it_is) != thin_voucher(campaigns[key]):
                raise TermsMoved(f"Campaign {as_it_is.name} is being changed; import the file again")
        return sum(made.values())

    def _count_into_batch(self, batch_id: uuid.UUID, campaign: Campaign, count: int) -> None:
        """Count codes into the batch of this import, which is opened with the first of them."""
        if not CodeBatch.objects.filter(pk=batch_id).exists():
            now = timezone.now()
            terms = terms_of(self.plan.batch, name=self.action.params["name"], now=now)
            open_batch(self.project, campaign, terms, key=batch_id, channel=self.plan.channel, now=now)
        add_to_batch(batch_id, count)

    def _settle(self, *, is_inserted: bool, after: str = "", until: str | None = None) -> Settled:
        return self.staging.settle(
            self.project,
            names=self.action.params["names"],
            known_codes_fail=self.plan.known_codes_fail,
            is_inserted=is_inserted,
            after=after,
            until=until,
        )

    def _count(self, *, made: int, found: Settled) -> None:
        self.action.skipped_count += found.known
        self.action.save(update_fields=["skipped_count"])
        advance(self.action, done=made + found.made, failed=found.bad)

    def _keep(self, **params: Any) -> None:
        self.action.params |= params
        self.action.save(update_fields=["params"])
