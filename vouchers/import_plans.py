"""What is imported and how: which column means what, and what becomes of bad rows and of known codes."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from promoengine.core.errors import InvalidPayload
from promoengine.core.row_imports import GOOD, LEFT_OUT, METADATA

# Beside looking at all rows, and importing the good ones: import all or nothing.
ALL = "all"


@dataclass(frozen=True, slots=True)
class Field:
    """Something of a code that a column may give: what pages call it, and what headers do."""

    label: Any
    names: tuple[str, ...]


FIELDS = {
    "code": Field(_("Code"), ("code", "voucher code", "coupon code", "coupon")),
    "campaign": Field(_("Campaign"), ("campaign", "campaign name")),
    "active": Field(_("Active"), ("active", "enabled")),
    "category": Field(_("Category"), ("category",)),
    "start_date": Field(_("Start date"), ("start date", "valid from")),
    "expiration_date": Field(_("End date"), ("expiration date", "end date", "expires", "valid until")),
    "quantity": Field(_("How often it may be used"), ("redemption limit", "usage limit", "limit")),
    "redeemed_quantity": Field(_("Uses so far"), ("redeemed quantity", "uses", "used")),
    "type": Field(_("Kind of code"), ("voucher type", "type")),
    "discount_type": Field(_("Kind of discount"), ("discount type",)),
    "value": Field(_("Value of the discount or gift card"), ("value", "discount", "amount")),
    "effect": Field(_("What the discount is on"), ("discount effect", "effect")),
    "gift_amount": Field(_("Amount of the gift card"), ("gift amount",)),
    "redeemed_amount": Field(_("Amount used so far"), ("redeemed amount",)),
    "additional_info": Field(_("Note"), ("additional info", "note")),
}
# The published headers, of codes into a campaign and of codes on their own; all others are metadata.
CAMPAIGN_HEADERS = {
    "code": "code",
    "category": "category",
    "active": "active",
    "gift amount": "gift_amount",
    "redeemed amount": "redeemed_amount",
    "redeemed quantity": "redeemed_quantity",
    "loyalty points": LEFT_OUT,
}
OWN_HEADERS = {
    "code": "code",
    "voucher type": "type",
    "value": "value",
    "discount type": "discount_type",
    "discount effect": "effect",
    "category": "category",
    "start date": "start_date",
    "expiration date": "expiration_date",
    "redemption limit": "quantity",
    "redeemed quantity": "redeemed_quantity",
    "redeemed amount": "redeemed_amount",
    "active": "active",
    "additional info": "additional_info",
}
# What exports have beside these, and an import can't set.
EXPORTED_ALONE = {"id": LEFT_OUT, "holder": LEFT_OUT, "created": LEFT_OUT, "loyalty points": LEFT_OUT}
ANY_HEADERS = EXPORTED_ALONE | {name: key for key, one in FIELDS.items() for name in one.names}


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """How a file is imported. `mapping` says of each column by its name what it is: a field, METADATA or
    LEFT_OUT; where it is None, the header decides as the published endpoints have it.

    Without a `campaign` the rows are codes on their own, or of the campaign that a column names. Known codes
    `fail` as published, or are left as they are where the row says the same. `is_price_tag` is whether
    amounts are written as on a price tag instead of in minor units; times without a zone are of `zone`.
    `batch` is what is said of the batch that codes of a campaign become, as `BatchTerms` has it in JSON.
    """

    mode: str = GOOD
    campaign: str = ""
    mapping: Mapping[str, str] | None = None
    known_codes_fail: bool = False
    is_price_tag: bool = True
    zone: str = "UTC"
    channel: str = "API"
    batch: Mapping[str, Any] = field(default_factory=dict)

    def to_params(self) -> dict[str, Any]:
        """Return what `plan_of` reads, as JSON has it."""
        return asdict(self)

    def campaign_key(self) -> uuid.UUID | None:
        return uuid.UUID(self.campaign) if self.campaign else None

    def mapping_for(self, columns: Sequence[str]) -> dict[str, str]:
        """Return what each of a file's columns is.

        Raises:
            InvalidPayload: no column has the codes, or two give the same field.
        """
        if self.mapping is None:
            found = published_mapping(columns, is_campaign=bool(self.campaign))
        else:
            found = {name: self.mapping.get(name, LEFT_OUT) for name in columns if name}
        check_mapping(found)
        return found


def plan_of(params: Mapping[str, Any]) -> ImportPlan:
    """Read a plan from the params of a job."""
    return ImportPlan(**params)


def guess(columns: Sequence[str], headers: Mapping[str, str] = ANY_HEADERS) -> dict[str, str]:
    """Return what the columns seem to be by their names: known headers, each field once, else metadata."""
    found: dict[str, str] = {}
    for name in columns:
        if not name:
            continue
        key = headers.get(" ".join(name.lower().replace("_", " ").replace("-", " ").split()), METADATA)
        found[name] = METADATA if key in FIELDS and key in found.values() else key
    return found


def published_mapping(columns: Sequence[str], *, is_campaign: bool) -> dict[str, str]:
    """Return what the columns of a file are by the published headers."""
    return guess(columns, CAMPAIGN_HEADERS if is_campaign else OWN_HEADERS)


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Refuse a mapping that says too little or too much.

    Raises:
        InvalidPayload: no column has the codes, two give the same field, or a field does not exist.
    """
    given = [key for key in mapping.values() if key not in (METADATA, LEFT_OUT)]
    if unknown := set(given) - set(FIELDS):
        raise InvalidPayload(f"There is no field {', '.join(sorted(unknown))}")
    if "code" not in given:
        raise InvalidPayload("There is no column 'Code'")
    for key in FIELDS:
        if given.count(key) > 1:
            raise InvalidPayload(f"Only one column can be: {FIELDS[key].label}")
