"""What a checkout asks for, read from the wire into immutable values; the shape is checked only here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from customers.payload import read_identities
from customers.tracking import as_tracking_id
from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.engine.figures import CURRENCY

REDEEMABLES_MAX = 30
ITEMS_MAX = 500
AMOUNT_MAX = 2**53
KEY_MAX = 255
OBJECTS = ("voucher", "promotion_tier", "promotion_stack")
SESSION_TTL = timedelta(days=7)
SESSION_TTL_MAX = timedelta(days=366)
TTL_UNITS = {
    "DAYS": timedelta(days=1),
    "HOURS": timedelta(hours=1),
    "MINUTES": timedelta(minutes=1),
    "SECONDS": timedelta(seconds=1),
    "MILLISECONDS": timedelta(milliseconds=1),
    "MICROSECONDS": timedelta(microseconds=1),
    "NANOSECONDS": timedelta(microseconds=1),  # the finest a clock here tells
}
# As it is asked for, or, our own, what of it saves most and in which order.
COMBINATIONS = ("REQUESTED", "BEST")
STATUSES = ("CREATED", "PAID", "PROCESSING", "CANCELED", "FULFILLED")
ITEM_TEXTS = ("source_id", "product_id", "sku_id", "related_object")


class DuplicatedRedeemables(DomainError):
    key = "duplicated_redeemables"
    message = "Duplicated redeemables detected"


class InvalidAmount(DomainError):
    key = "invalid_amount"
    message = "Invalid Amount"


@dataclass(frozen=True, slots=True)
class AskedRedeemable:
    """A redeemable as the caller names it; `credits` are the gift credits wanted, in minor units."""

    object: str
    id: str
    credits: int | None = None


@dataclass(frozen=True, slots=True)
class AskedSession:
    """A lock wanted until `ttl` has passed; without a key the server makes one."""

    key: str | None
    ttl: timedelta
    ttl_number: float
    ttl_unit: str


@dataclass(frozen=True, slots=True)
class AskedOrder:
    """An order as sent; `items` are checked lines: integer `quantity` and, where sent, `price`, `amount`.

    `currency` is our own field, an ISO 4217 code in capitals.
    """

    id: str | None = None
    source_id: str | None = None
    amount: int | None = None
    items: tuple[dict[str, Any], ...] | None = None
    status: str | None = None
    metadata: dict[str, Any] | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """One validation or redemption: what is to be used, on which order, by whom.

    `identities` are what else the customer is known by, of those kinds that were sent; `tracking_id` is as
    it is given out, whatever a shop has sent. `wants_best` asks a validation for the choice and order of the
    redeemables that saves most.
    """

    redeemables: tuple[AskedRedeemable, ...]
    order: AskedOrder | None = None
    customer: dict[str, Any] | None = None
    identities: dict[str, str | None] = field(default_factory=dict)
    session: AskedSession | None = None
    tracking_id: str | None = None
    metadata: dict[str, Any] | None = None
    expand: frozenset[str] = field(default_factory=frozenset)
    wants_best: bool = False


def parse_checkout(body: Any) -> CheckoutRequest:
    """Read the body of a validation or redemption of several redeemables.

    Raises:
        InvalidPayload: the shape is wrong; the details name the property.
        DuplicatedRedeemables: one redeemable stands there twice.
    """
    body = read_object(body, "")
    if "redeemables" not in body:
        raise InvalidPayload("Payload must have required property 'redeemables'")
    rows = body["redeemables"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= REDEEMABLES_MAX:
        raise InvalidPayload(
            f"Property .redeemables should be an array of 1 to {REDEEMABLES_MAX} redeemables"
        )
    redeemables = tuple(_redeemable(row, f".redeemables[{index}]") for index, row in enumerate(rows))
    refuse_doubles([f"{one.object}: {one.id.strip()}" for one in redeemables])
    return parse_context(body, redeemables)


def parse_context(body: Mapping[str, Any], redeemables: tuple[AskedRedeemable, ...] = ()) -> CheckoutRequest:
    """Read what stands around the redeemables: order, customer, session, metadata, options.

    Raises:
        InvalidPayload: the shape is wrong; the details name the property.
    """
    options = _optional_object(body, "options") or {}
    expand = options.get("expand") or []
    if not isinstance(expand, list) or any(not isinstance(word, str) for word in expand):
        raise InvalidPayload("Property .options.expand should be an array of strings")
    combination = options.get("combination") or COMBINATIONS[0]
    if combination not in COMBINATIONS:
        raise InvalidPayload(f"Property .options.combination should be one of {', '.join(COMBINATIONS)}")
    customer = parse_customer(body.get("customer")) or {}
    identities = read_identities(customer)
    tracked = read_text(body, "tracking_id", "")
    return CheckoutRequest(
        redeemables,
        order=parse_order(body.get("order")),
        customer={name: value for name, value in customer.items() if name != "identities"} or None,
        identities=identities,
        session=_session(body.get("session")),
        tracking_id=as_tracking_id(tracked) if tracked else None,
        metadata=_optional_object(body, "metadata"),
        expand=frozenset(expand),
        wants_best=combination == "BEST",
    )


def parse_customer(customer: Any, where: str = ".customer") -> dict[str, Any] | None:
    """Read a customer given as an object, or by id alone."""
    if customer is None or customer == "":
        return None
    if isinstance(customer, str):
        return {"id": customer} if customer.startswith("cust_") else {"source_id": customer}
    return dict(read_object(customer, where)) or None


def parse_order(order: Any, where: str = ".order") -> AskedOrder | None:
    """Read an order; unknown fields are ignored, and empty text is as good as none.

    Raises:
        InvalidPayload: the shape is wrong; the details name the property.
        InvalidAmount: an amount or price is negative or too large.
    """
    if order is None:
        return None
    order = read_object(order, where)
    items = order.get("items")
    if items is not None and (not isinstance(items, list) or len(items) > ITEMS_MAX):
        raise InvalidPayload(f"Property {where}.items should be an array of up to {ITEMS_MAX} items")
    status = order.get("status")
    if status is not None and status not in STATUSES:
        raise InvalidPayload(f"Property {where}.status should be one of {', '.join(STATUSES)}")
    return AskedOrder(
        id=read_text(order, "id", where),
        source_id=read_text(order, "source_id", where),
        amount=read_amount(order, "amount", where),
        items=None
        if items is None
        else tuple(_item(row, f"{where}.items[{index}]") for index, row in enumerate(items)),
        status=status,
        metadata=_optional_object(order, "metadata", where),
        currency=_currency(order, where),
    )


def _currency(order: Mapping[str, Any], where: str) -> str | None:
    text = read_text(order, "currency", where)
    if text is not None and not CURRENCY.fullmatch(text.upper()):
        raise InvalidPayload(f"Property {where}.currency should be an ISO 4217 currency code, as in EUR")
    return text.upper() if text else None


def _redeemable(row: Any, where: str) -> AskedRedeemable:
    row = read_object(row, where)
    for name in ("object", "id"):
        if row.get(name) in (None, ""):
            raise InvalidPayload(f"Property {where} should have required property '{name}'")
    if row["object"] not in OBJECTS:
        raise InvalidPayload(f"Property {where}.object should be one of {', '.join(OBJECTS)}")
    gift = _optional_object(row, "gift", where) or {}
    return AskedRedeemable(
        row["object"],
        read_text(row, "id", where) or "",
        credits=read_amount(gift, "credits", f"{where}.gift"),
    )


def refuse_doubles(names: Sequence[str]) -> None:
    """Raise DuplicatedRedeemables where a name stands twice."""
    doubles = {name for name in names if names.count(name) > 1}
    if doubles:
        raise DuplicatedRedeemables(", ".join(sorted(doubles)))


def _item(row: Any, where: str) -> dict[str, Any]:
    row = read_object(row, where)
    item: dict[str, Any] = {name: text for name in ITEM_TEXTS if (text := read_text(row, name, where))}
    for name in ("product", "sku", "metadata"):
        if inner := _optional_object(row, name, where):
            item[name] = dict(inner)
    quantity = read_amount(row, "quantity", where)
    price = read_amount(row, "price", where)
    if price is None:
        price = _listed_price(item, where)
    amount = read_amount(row, "amount", where)
    item["quantity"] = 1 if quantity is None else quantity
    if amount is None and price is not None:
        amount = price * item["quantity"]
        if amount > AMOUNT_MAX:
            raise InvalidAmount(f"Property {where} costs more than {AMOUNT_MAX}")
    known = {"amount": amount, "price": price}
    return item | {name: value for name, value in known.items() if value is not None}


def _listed_price(item: Mapping[str, Any], where: str) -> int | None:
    for name in ("sku", "product"):
        if (price := read_amount(item.get(name, {}), "price", f"{where}.{name}")) is not None:
            return price
    return None


def _session(session: Any) -> AskedSession | None:
    if session is None:
        return None
    session = read_object(session, ".session")
    if session.get("type") not in (None, "LOCK"):
        raise InvalidPayload("Property .session.type should be LOCK")
    unit = session.get("ttl_unit") or "DAYS"
    if not isinstance(unit, str) or unit not in TTL_UNITS:
        raise InvalidPayload(f"Property .session.ttl_unit should be one of {', '.join(TTL_UNITS)}")
    number = session.get("ttl")
    if number is None:
        number, unit = SESSION_TTL.days, "DAYS"
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= 1e18:
        raise InvalidPayload("Property .session.ttl should be a positive number")
    try:
        ttl = (number / 1000 if unit == "NANOSECONDS" else number) * TTL_UNITS[unit]
    except OverflowError:
        ttl = SESSION_TTL_MAX * 2
    if ttl > SESSION_TTL_MAX:
        raise InvalidPayload("Property .session.ttl may be up to 366 days")
    return AskedSession(read_text(session, "key", ".session"), ttl, number, unit)


def read_object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidPayload(f"Property {where} should be object" if where else "Payload should be object")
    return value


def _optional_object(row: Mapping[str, Any], name: str, where: str = "") -> dict[str, Any] | None:
    value = row.get(name)
    return None if value is None else dict(read_object(value, f"{where}.{name}"))


def read_text(row: Mapping[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidPayload(f"Property {where}.{name} should be string")
    if len(value) > KEY_MAX:
        raise InvalidPayload(f"Property {where}.{name} may have up to {KEY_MAX} characters")
    return value


def read_amount(row: Mapping[str, Any], name: str, where: str) -> int | None:
    """Read a whole number, which some clients send as `"2"` or `2.0`."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise InvalidPayload(f"Property {where}.{name} should be integer")
    if not 0 <= value <= AMOUNT_MAX:
        raise InvalidAmount(f"Property {where}.{name} has to be a valid positive number")
    return value
