"""Changing many codes at once, in the background: in batches, each committed together with its progress."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Func, JSONField, Q, QuerySet, Value
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from campaigns.models import Campaign
from campaigns.services.bin import put_codes_in_bin
from promoengine.core.api.renderers import wire_datetime
from promoengine.core.errors import InvalidPayload
from promoengine.core.events import record_event
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import Canceled, advance, checkpoint, start_async_action
from promoengine.core.services.metadata import check_metadata, schemas_now
from vouchers.models import ChangedVoucher, Voucher
from vouchers.selections import Selection, parse_selection

BATCH = 5000
TYPE = "VOUCHERS.BULK_UPDATE"
UNDONE_WITHIN = timedelta(days=30)

Rows = QuerySet[Voucher]


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to each code: one of `enable`, `disable`, `extend`, `set_metadata` and `delete`.

    `extend` sets the end to `until`, which clears it where it is None; `set_metadata` merges `metadata`.
    """

    kind: str
    until: datetime | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def can_be_undone(self) -> bool:
        return self.kind in ("enable", "disable")

    def to_params(self) -> dict[str, Any]:
        return {"kind": self.kind, "until": wire_datetime(self.until), "metadata": self.metadata}


def start_bulk_change(
    project: Project, *, selection: Selection, change: Change, channel: str, now: datetime
) -> AsyncAction:
    """Start changing all codes of a selection; those made from now on are left alone.

    Raises:
        MetadataRefused: the attribute to set breaks the schema of vouchers.
        InvalidPayload: there is no such change, it changes nothing, or the selection is empty.
    """
    if change.kind not in CHANGES:
        raise InvalidPayload(f"There is no change {change.kind!r} of codes")
    if change.kind == "set_metadata" and not change.metadata:
        raise InvalidPayload("Name an attribute")
    check_metadata(schemas_now(project), "voucher", change.metadata, is_new=False)
    newest = selection.rows(project).order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        raise InvalidPayload("There are no such codes")
    selection = replace(selection, newest=newest, at=now)
    return start_async_action(
        project,
        TYPE,
        job="vouchers.jobs.change_codes",
        params={
            "selection": selection.to_params(),
            "change": change.to_params(),
            "channel": channel,
            "after": None,
        },
        is_stoppable=True,
        undo_job="vouchers.jobs.undo_change_of_codes" if change.can_be_undone else "",
        now=now,
    )


def run_bulk_change(action: AsyncAction) -> None:
    """Change the codes of an action, from where an earlier run of it stopped.

    Raises:
        Paused, Canceled: somebody asked for it; what has been changed stays so.
    """
    change = _change_of(action.params["change"])
    rows = parse_selection(action.params["selection"]).rows(action.project).order_by("pk")
    if not action.total_count:
        action.total_count = rows.count()
        action.save(update_fields=["total_count"])
    try:
        while True:
            checkpoint(action)
            with transaction.atomic():
                if not _change_batch(action, change, rows):
                    break
    except Canceled:
        _record(action, change)
        raise
    _record(action, change)
    action.message = f"{action.done_count} codes changed, {action.failed_count} could not be"


def run_undo(action: AsyncAction) -> None:
    """Enable again what an action disabled, or the other way round, where nobody has done so meanwhile."""
    undone = AsyncAction.objects.get(project=action.project, pk=action.params["action"])
    active = undone.params["change"]["kind"] == "disable"
    entries = ChangedVoucher.objects.filter(action=undone).order_by("pk")
    while True:
        checkpoint(action)
        with transaction.atomic():
            batch = dict(entries.values_list("pk", "voucher_id")[:BATCH])
            if not batch:
                break
            rows = _locked(Voucher.objects.filter(pk__in=batch.values()).exclude(active=active))
            rows.update(active=active, updated_at=timezone.now())
            entries.filter(pk__in=batch).delete()
            advance(action, done=len(batch))
    action.message = f"{action.done_count} codes are as they were"


def forget_undo(*, now: datetime) -> None:
    """Let go of what changes of a month ago would be taken back by."""
    old = AsyncAction.objects.filter(type=TYPE, finished_at__lt=now - UNDONE_WITHIN).exclude(undo_job="")
    for key in old.values_list("pk", flat=True):
        entries = ChangedVoucher.objects.filter(action=key).order_by("pk")
        while batch := list(entries.values_list("pk", flat=True)[:BATCH]):
            ChangedVoucher.objects.filter(pk__in=batch).delete()
        AsyncAction.objects.filter(pk=key).update(undo_job="")


def _change_batch(action: AsyncAction, change: Change, rows: Rows) -> bool:
    """Change the next codes in the caller's transaction; return whether there were any."""
    after = action.params["after"]
    keys = list((rows.filter(pk__gt=after) if after else rows).values_list("pk", flat=True)[:BATCH])
    if not keys:
        return False
    changed = CHANGES[change.kind](Voucher.objects.filter(pk__in=keys), change)
    if change.can_be_undone:
        ChangedVoucher.objects.bulk_create(ChangedVoucher(action=action, voucher_id=key) for key in changed)
    if change.kind == "delete":
        _put_in_bin(action.project, changed)
    action.params["after"] = str(keys[-1])
    action.save(update_fields=["params"])
    unfit = len(keys) - len(changed) if change.kind == "extend" else 0
    advance(action, done=len(keys) - unfit, failed=unfit)
    return True


def _put_in_bin(project: Project, keys: list[uuid.UUID]) -> None:
    codes = Voucher.objects.filter(pk__in=keys).select_related("campaign").only("code", "campaign__id")
    named = (
        (code.public_id, code.code, code.campaign.public_id if code.campaign else None) for code in codes
    )
    put_codes_in_bin(project, named, now=timezone.now())


def _switch(rows: Rows, change: Change) -> list[uuid.UUID]:
    active = change.kind == "enable"
    return _update(rows.exclude(active=active), active=active)


def _extend(rows: Rows, change: Change) -> list[uuid.UUID]:
    fit = rows if change.until is None else rows.filter(Q(start_date=None) | Q(start_date__lt=change.until))
    return _update(fit, expiration_date=change.until)


def _set_metadata(rows: Rows, change: Change) -> list[uuid.UUID]:
    patch = Value(dict(change.metadata or {}), JSONField())
    merged = Func(F("metadata"), patch, arg_joiner=" || ", template="(%(expressions)s)")
    return _update(rows, metadata=merged)


def _delete(rows: Rows, change: Change) -> list[uuid.UUID]:
    keys = _update(rows, deleted_at=timezone.now())
    of_campaigns = Voucher.objects.filter(pk__in=keys).order_by().values_list("campaign_id")
    for campaign_id, count in of_campaigns.annotate(Count("pk")):
        Campaign.objects.filter(pk=campaign_id, vouchers_count__gte=count).update(
            vouchers_count=F("vouchers_count") - count
        )
    return keys


CHANGES: dict[str, Callable[[Rows, Change], list[uuid.UUID]]] = {
    "enable": _switch,
    "disable": _switch,
    "extend": _extend,
    "set_metadata": _set_metadata,
    "delete": _delete,
}


def _update(rows: Rows, **columns: Any) -> list[uuid.UUID]:
    keys = list(_locked(rows).values_list("pk", flat=True))
    Voucher.objects.filter(pk__in=keys).update(updated_at=timezone.now(), **columns)
    return keys


def _locked(rows: Rows) -> Rows:
    """Lock rows in the order of their keys, as redemptions do, so that neither waits for the other."""
    return rows.select_for_update().order_by("pk")


def _change_of(params: Mapping[str, Any]) -> Change:
    until = parse_datetime(params["until"]) if params["until"] else None
    return Change(params["kind"], until=until, metadata=params["metadata"])


@transaction.atomic
def _record(action: AsyncAction, change: Change) -> None:
    """Tell of the change once, also where a worker dies right after it has."""
    if action.params.get("is_told"):
        return
    action.params["is_told"] = True
    action.save(update_fields=["params"])
    record_event(
        action.project,
        "vouchers.changed",
        {
            "change": change.to_params(),
            "selection": action.params["selection"],
            "count": action.done_count,
            "async_action_id": action.public_id,
        },
        entity_id=action.public_id,
        channel=action.params["channel"],
        now=timezone.now(),
    )
