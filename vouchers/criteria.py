"""What codes can be searched by: a fragment, an attribute, a holder, a state."""

import json
import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, F, Func, JSONField, Q, Value
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import Contains, GreaterThan

from campaigns.models import Campaign
from customers.models import Customer
from promoengine.core.errors import InvalidPayload
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from vouchers.codes import BareCode, bare_fragment
from vouchers.models import CodeBatch, Voucher

HOLDERS_MAX = 1000
SHORTEST_INDEXED = 3
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition, said in two ways.

    `indexed` is what an index can find all rows by. `plain` says the same so that no index is asked: whoever
    reads some rows anyway wants each of them judged, and not the whole table's index read for them.
    """

    indexed: Q
    plain: Q

    @classmethod
    def only(cls, condition: Q) -> "Criterion":
        """Return a criterion that may be said in one way wherever it is asked."""
        return cls(condition, condition)


def with_fragment(text: str) -> Criterion:
    """Return what codes with `text` in them meet, in any letter case, with or without blanks and dashes.

    The index knows fragments of three signs; for shorter ones it would be read as a whole.
    """
    bare = bare_fragment(text)
    if not bare:
        return Criterion.only(Q(code_key__contains=text.strip()))
    typed = Upper(Value(bare))
    plain = Q(GreaterThan(StrIndex(BareCode("code_key"), typed), 0))
    if len(bare) < SHORTEST_INDEXED:
        return Criterion.only(plain)
    return Criterion(Q(Contains(BareCode("code_key"), typed)), plain)


def with_attribute(name: str, text: str) -> Criterion:
    """Return what codes meet whose metadata have the attribute `name`, of the value `text` if there is one.

    A number, yes or no is found as it is written, and one value of several is, too.
    """
    if not text:
        return Criterion(Q(metadata__has_key=name), Q(_on_metadata("jsonb_exists", Value(name))))
    values = [text, *_as_json(text)]
    indexed, plain = Q(), Q()
    for value in values:
        for held in (value, [value]):
            indexed |= Q(metadata__contains={name: held})
            plain |= Q(_on_metadata("jsonb_contains", Value({name: held}, JSONField())))
    return Criterion(indexed, plain)


def holders_meant(project: Project, text: str) -> list[uuid.UUID]:
    """Return the keys of customers by their id, the shop's own id of them, or a part of their e-mail address.

    Raises:
        InvalidPayload: more than a thousand are meant.
    """
    meant = Q(source_id=text) | Q(pk=parse_public_id(Customer.prefix, text))
    customers = Customer.objects.filter(project=project).present()
    keys = list(customers.filter(meant).values_list("pk", flat=True))
    if keys:
        return keys
    mailed = Q(email__icontains=text) if len(text) >= SHORTEST_INDEXED else Q(email=text)
    keys = list(customers.filter(mailed).order_by().values_list("pk", flat=True)[: HOLDERS_MAX + 1])
    if len(keys) > HOLDERS_MAX:
        raise InvalidPayload(
            f"More than {HOLDERS_MAX} customers have {text!r} in their e-mail: write more of it"
        )
    return keys


@dataclass(frozen=True, slots=True)
class Closed:
    """What keeps codes shut besides their own columns: disabled campaigns and locked batches."""

    campaigns: tuple[uuid.UUID, ...] = ()
    batches: tuple[uuid.UUID, ...] = ()


def closed_at(project: Project, now: datetime) -> Closed:
    """Return what is shut at a moment."""
    campaigns = Campaign.objects.filter(project=project, active=False)
    batches = CodeBatch.objects.filter(project=project, locked_until__gt=now)
    return Closed(tuple(campaigns.values_list("pk", flat=True)), tuple(batches.values_list("pk", flat=True)))


def in_state(state: str, *, closed: Closed, now: datetime) -> Q:
    """Return what codes meet of which `Voucher.state_at` says `state`.

    Only a code without limit has uses that its row does not count yet, and none of those is used up.
    """
    of_campaign = Q(campaign_id__in=closed.campaigns)
    if state == Voucher.State.DISABLED:
        return Q(active=False) | of_campaign if closed.campaigns else Q(active=False)
    met = Q(active=True)
    if closed.campaigns:
        met &= ~of_campaign
    # A lock of its batch holds as long as nobody has been given it.
    locked = Q(batch_id__in=closed.batches, published_count=0)
    if state == Voucher.State.NOT_ACTIVE_YET:
        return met & (Q(start_date__gt=now) | locked if closed.batches else Q(start_date__gt=now))
    met &= Q(start_date=None) | Q(start_date__lte=now)
    if closed.batches:
        met &= ~locked
    if state == Voucher.State.EXPIRED:
        return met & Q(expiration_date__lte=now)
    met &= Q(expiration_date=None) | Q(expiration_date__gt=now)
    if state == Voucher.State.USED:
        return met & Q(quantity__isnull=False, redeemed_quantity__gte=F("quantity"))
    met &= Q(quantity=None) | Q(redeemed_quantity__lt=F("quantity"))
    if state == Voucher.State.NO_BALANCE:
        return met & Q(gift_amount__isnull=False, gift_balance=0)
    return met & (Q(gift_balance=None) | Q(gift_balance__gt=0))


def _on_metadata(function: str, value: Any) -> Func:
    return Func(F("metadata"), value, function=function, output_field=BooleanField())


def _as_json(text: str) -> list[Any]:
    """Return the numbers and yes or no that `text` may be the writing of."""
    lowered = text.lower()
    if lowered in ("true", "yes", "false", "no"):
        return [lowered in ("true", "yes")]
    return [json.loads(text)] if NUMBER.fullmatch(text) and _is_json(text) else []


def _is_json(text: str) -> bool:
    whole = text.lstrip("-").partition(".")[0]
    return whole == "0" or not whole.startswith("0")
