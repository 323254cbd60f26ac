"""What an offer may say, checked once for campaigns, promotion tiers and single codes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns.models import Campaign, Category
from campaigns.selectors import category_by_id
from campaigns.wire import WINDOWS
from customers.identities import KINDS
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.models import Project
from promoengine.engine.discounts import InvalidDiscount, parse_discount
from promoengine.engine.timeframes import InvalidValidity, parse_duration, parse_validity

AMOUNT_MAX = 2**53  # what a double, and so every JSON reader, still holds exactly
QUANTITY_MAX = 2**31 - 1


class InvalidGift(DomainError):
    key = "invalid_gift"
    message = "Invalid gift"


class InvalidExpirationDate(DomainError):
    key = "invalid_expiration_date"
    message = "Invalid Expiration Date"


def check_discount(discount: Any, where: str = ".discount") -> dict[str, Any]:
    """Return a discount as it is stored: the published fields that are set, whole amounts as integers.

    Raises:
        InvalidPayload: it cannot be meant; the details name the property.
    """
    if not isinstance(discount, Mapping):
        raise InvalidPayload(f"Property {where} should be object")
    try:
        parse_discount(discount)
    except InvalidDiscount as error:
        raise InvalidPayload(f"Property {where}{error}") from error
    return {key: _whole(value) for key, value in discount.items() if value is not None}


def check_gift(gift: Any, where: str = ".gift") -> dict[str, Any]:
    """Return a gift card's `amount` in minor units and its `effect`.

    Raises:
        InvalidPayload: no amount.
        InvalidGift: a negative, fractional or far too large one.
    """
    if not isinstance(gift, Mapping) or gift.get("amount") is None:
        raise InvalidPayload(f"Property {where} must have required property 'amount'")
    amount = _whole(gift["amount"])
    if type(amount) is not int or not 0 <= amount <= AMOUNT_MAX:
        raise InvalidGift(f"Property {where}.amount should be a whole number of minor units, 0 or more")
    effect = gift.get("effect") or "APPLY_TO_ORDER"
    if effect not in ("APPLY_TO_ORDER", "APPLY_TO_ITEMS"):
        raise InvalidGift(f"Property {where}.effect should be APPLY_TO_ORDER, APPLY_TO_ITEMS")
    return {"amount": amount, "balance": amount, "effect": effect}


def check_dates(start: datetime | None, end: datetime | None) -> None:
    """Refuse an offer that would end before it starts.

    Raises:
        InvalidExpirationDate: it would.
    """
    if start and end and end <= start:
        raise InvalidExpirationDate("Expiration date must be after start date")


def check_windows(wire: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the `validity_*` fields of a body as they are stored, or None where none is set.

    Raises:
        InvalidPayload: a window cannot be meant; the details name the property.
    """
    windows = {key: wire[name] for key, name in WINDOWS.items() if wire.get(name) is not None}
    if not windows:
        return None
    if any(not isinstance(windows.get(key, {}), Mapping) for key in ("timeframe", "hours")):
        raise InvalidPayload("Properties .validity_timeframe and .validity_hours should be objects")
    try:
        parse_validity(windows)
    except InvalidValidity as error:
        raise InvalidPayload(f"Property {error}") from error
    return windows


def check_duration(text: str, where: str) -> str:
    """Return an ISO 8601 duration, or raise InvalidPayload with the property's name."""
    try:
        parse_duration(text)
    except InvalidValidity as error:
        raise InvalidPayload(f"Property {where}{error}") from error
    return text


def check_quantity(redemption: Any, where: str = ".redemption") -> int | None:
    """Return how often a code may be used, None for without limit.

    Raises:
        InvalidPayload: not a whole number of at least one.
    """
    if redemption is None:
        return None
    if not isinstance(redemption, Mapping):
        raise InvalidPayload(f"Property {where} should be object")
    quantity = _whole(redemption.get("quantity"))
    if quantity is None:
        return None
    if type(quantity) is not int or not 1 <= quantity <= QUANTITY_MAX:
        raise InvalidPayload(f"Property {where}.quantity should be a whole number of at least 1, or null")
    return quantity


def who_counts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns, of those given, that say who is one customer and whether guests may use an offer.

    Raises:
        InvalidPayload: a kind of identity key, or a policy on guests, is unknown.
    """
    columns: dict[str, Any] = {}
    if (kinds := data.get("one_customer_by")) is not None:
        if not isinstance(kinds, list) or any(kind not in KINDS for kind in kinds):
            raise InvalidPayload(f"Property .one_customer_by should be an array of {', '.join(KINDS)}")
        columns["one_customer_by"] = [kind for kind in KINDS if kind in kinds]
    if (guests := data.get("guests")) is not None:
        if guests not in Campaign.Guests.values:
            raise InvalidPayload(f"Property .guests should be one of {', '.join(Campaign.Guests.values)}")
        columns["guests"] = guests
    return columns


def category_of(project: Project, *, name: str | None, ref: str | None) -> Category | None:
    """Return the category of that id or, made if need be, of that name.

    Raises:
        InvalidPayload: both are given.
        NotFound: the project has no category of that id.
    """
    if name and ref:
        raise InvalidPayload("Either 'category' or 'category_id' may be given, not both")
    if ref:
        return category_by_id(project, ref)
    if name:
        return Category.objects.get_or_create(project=project, name=name)[0]
    return None


def _whole(value: Any) -> Any:
    """Turn 10.0, as some clients write it, into 10."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
