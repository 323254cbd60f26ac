"""Which codes are meant: some that were picked, or all that match what a list is filtered by."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_current_timezone, make_aware
from django.utils.timezone import now as moment_now

from promoengine.core.errors import InvalidPayload
from promoengine.core.ids import parse_key
from promoengine.core.models import Project
from vouchers.criteria import (
    Closed,
    Criterion,
    closed_at,
    holders_meant,
    in_state,
    with_attribute,
    with_fragment,
)
from vouchers.models import Voucher, VoucherQuerySet
from vouchers.walks import BY_CREATION, BY_EXPIRATION, BY_START, EXPIRED_LAST, Walk

PICKED_MAX = 10_000
TEXT_MAX = 255
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
TEXTS = ("search", "holder", "attribute", "value")
# Each pair is the beginning, which is meant too, and the end, which is not.
PERIODS = {
    "created_at": ("created_from", "created_to"),
    "start_date": ("starts_from", "starts_to"),
    "expiration_date": ("ends_from", "ends_to"),
}


@dataclass(frozen=True, slots=True)
class Sought:
    """What a selection comes to: criteria that all must be met, and the walk on which they are looked for."""

    criteria: tuple[Criterion, ...]
    walk: Walk

    @property
    def indexed(self) -> Q:
        return _all(one.indexed for one in self.criteria) & self.walk.among

    @property
    def plain(self) -> Q:
        return _all(one.plain for one in self.criteria)


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes by their keys, or by all that is said here together; what is empty is not asked.

    `holder` is a customer's id, the shop's own or part of an e-mail address; `attribute` and `value` are of
    the metadata. `newest` leaves out what was made after the selection, so that a running campaign has an
    end; `at` is the moment that states are of, else now.
    """

    picked: tuple[uuid.UUID, ...] = ()
    search: str = ""
    campaign: uuid.UUID | None = None
    holder: str = ""
    state: str = ""
    type: str = ""
    active: bool | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    starts_from: datetime | None = None
    starts_to: datetime | None = None
    ends_from: datetime | None = None
    ends_to: datetime | None = None
    attribute: str = ""
    value: str = ""
    newest: uuid.UUID | None = None
    at: datetime | None = None

    def rows(self, project: Project) -> VoucherQuerySet:
        """Return the project's codes that are meant, without those in the bin.

        Raises:
            InvalidPayload: too many customers could be meant by `holder`.
        """
        rows = Voucher.objects.filter(project=project).present()
        if self.picked:
            return rows.filter(pk__in=self.picked)
        rows = rows.filter(self.sought(project).indexed)
        return rows.filter(pk__lte=self.newest) if self.newest else rows

    def sought(self, project: Project) -> Sought:
        """Return how the selection is looked for.

        Raises:
            InvalidPayload: too many customers could be meant by `holder`.
        """
        now = self.at or moment_now()
        holders = holders_meant(project, self.holder) if self.holder else []
        closed = closed_at(project, now) if self.state else Closed()
        walk, covered = self._walk(project, holders, closed=closed, now=now)
        asked = self._conditions(holders)
        if self.state:
            asked["state"] = in_state(self.state, closed=closed, now=now)
        criteria = [Criterion.only(one) for name, one in asked.items() if name not in covered]
        if self.search:
            criteria.append(with_fragment(self.search))
        if self.attribute:
            criteria.append(with_attribute(self.attribute, self.value))
        return Sought(tuple(criteria), walk)

    def to_params(self) -> dict[str, Any]:
        """Return what `parse_selection` reads, as JSON has it."""
        if self.picked:
            return {"picked": [str(key) for key in self.picked]}
        said = {field.name: _to_json(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in said.items() if value}

    def _conditions(self, holders: list[uuid.UUID]) -> dict[str, Q]:
        """Return what columns must be, by what of the selection asks it."""
        asked = {}
        if self.campaign:
            asked["campaign"] = Q(campaign_id=self.campaign)
        if self.holder:
            asked["holder"] = Q(holder_id__in=holders)
        if self.type:
            asked["type"] = Q(type=self.type)
        if self.active is not None:
            asked["active"] = Q(active=self.active)
        for column, names in PERIODS.items():
            if any(getattr(self, name) for name in names):
                asked[column] = self._period(column)
        return asked

    def _walk(
        self, project: Project, holders: list[uuid.UUID], *, closed: Closed, now: datetime
    ) -> tuple[Walk, set[str]]:
        """Return the narrowest walk of an index that all is on that is sought, and what it says already."""
        own, state = Q(project=project), Voucher.State
        made = self._period("created_at")
        if self.campaign:
            return BY_CREATION(Q(campaign_id=self.campaign) & made), {"campaign", "created_at"}
        if self.holder and len(holders) == 1:
            return BY_CREATION(Q(holder_id=holders[0]) & made), {"holder", "created_at"}
        if self.state == state.EXPIRED:
            return EXPIRED_LAST(own & Q(expiration_date__lte=now)), set()
        if self.ends_from or self.ends_to:
            return BY_EXPIRATION(own & self._period("expiration_date")), {"expiration_date"}
        if self.state == state.NOT_ACTIVE_YET and not closed.batches:
            return BY_START(own & Q(start_date__gt=now)), set()
        if self.starts_from or self.starts_to:
            return BY_START(own & self._period("start_date")), {"start_date"}
        if self.active is False:
            return BY_CREATION(own & Q(active=False) & made), {"active", "created_at"}
        if self.state == state.DISABLED and not closed.campaigns:
            return BY_CREATION(own & Q(active=False) & made), {"state", "created_at"}
        if self.state == state.USED:
            own &= Q(is_unused=False)
        elif self.state == state.NO_BALANCE or self.type == Voucher.Type.GIFT_VOUCHER:
            own &= Q(gift_amount__isnull=False)
        return BY_CREATION(own & made), {"created_at"}

    def _period(self, column: str) -> Q:
        begin, end = (getattr(self, name) for name in PERIODS[column])
        period = Q() if column == "created_at" else Q(**{f"{column}__isnull": False})
        if begin:
            period &= Q(**{f"{column}__gte": begin})
        return period & Q(**{f"{column}__lt": end}) if end else period


def parse_selection(params: Mapping[str, Any]) -> Selection:
    """Read a selection from the words of an address or of a job.

    A date is a day in the current zone: it begins a period at its midnight, and ends one with its end.

    Raises:
        InvalidPayload: a key, a type, a state, a date or a yes-or-no is none.
    """
    picked = params.get("picked") or []
    if len(picked) > PICKED_MAX:
        raise InvalidPayload(f"Pick up to {PICKED_MAX} codes, or filter the list and change all that match")
    kind, state, active = (params.get(name) or "" for name in ("type", "state", "active"))
    if kind and kind not in Voucher.Type.values:
        raise InvalidPayload(f"There is no type of code {kind!r}")
    if state and state not in Voucher.State.values:
        raise InvalidPayload(f"There is no state of codes {state!r}")
    if active and active not in BOOLEANS:
        raise InvalidPayload("Codes are enabled, or they are not")
    texts = {name: _text(params.get(name)) for name in TEXTS}
    if texts["value"] and not texts["attribute"]:
        raise InvalidPayload("Name the attribute whose value this is")
    moments = {
        name: _moment(params.get(name), is_end=is_end)
        for names in PERIODS.values()
        for name, is_end in zip(names, (False, True), strict=True)
    }
    return Selection(
        picked=tuple(_key(text) for text in picked),
        campaign=_key(params["campaign"]) if params.get("campaign") else None,
        type=kind,
        state=state,
        active=BOOLEANS[active] if active else None,
        newest=_key(params["newest"]) if params.get("newest") else None,
        at=_moment(params.get("at"), is_end=False),
        **texts,
        **moments,
    )


def _text(said: Any) -> str:
    text = str(said or "").replace("\0", "").strip()
    if len(text) > TEXT_MAX:
        raise InvalidPayload(f"Write up to {TEXT_MAX} characters")
    return text


def _key(text: Any) -> uuid.UUID:
    key = parse_key(str(text))
    if key is None:
        raise InvalidPayload(f"{text!r} is no key of a code or campaign")
    return key


def _moment(text: Any, *, is_end: bool) -> datetime | None:
    if not text:
        return None
    try:
        day: date | None = parse_date(text)
        moment = parse_datetime(text) if day is None else None
        if day is not None:
            moment = datetime.combine(day + timedelta(days=int(is_end)), time())
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise InvalidPayload(f"{text!r} is no date")
    return moment if moment.tzinfo else make_aware(moment, get_current_timezone())


def _to_json(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value) if value else ""


def _all(conditions: Any) -> Q:
    whole = Q()
    for condition in conditions:
        whole &= condition
    return whole
