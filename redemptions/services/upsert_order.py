"""Making orders and changing them, as shops and people ask for it; redemptions write theirs themselves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from campaigns.facts import Catalogue, catalogue_facts
from campaigns.services.override import store_overrides
from customers.models import Customer
from customers.services.upsert import upsert_in_transaction
from promoengine.core.errors import Duplicate, InvalidPayload
from promoengine.core.models import Project
from promoengine.core.services.definitions import current_version, share_definitions
from promoengine.core.services.metadata import schemas_at, schemas_now
from promoengine.engine.allocation import fitted, worths
from promoengine.engine.order import Item
from promoengine.engine.order import Order as Amounts
from redemptions.facts import moment_of, stored_order
from redemptions.metadata import check_order
from redemptions.models import Order
from redemptions.order_requests import LineDiscount, OrderRequest, parse_order_request
from redemptions.order_selectors import order_by_ref, orders_for_wire
from redemptions.orders import merge_order, numbered
from redemptions.services.order_events import Standing, record_order_change
from redemptions.services.orders import OrderRefunded, calculated_of

People = Mapping[str, Customer]

PEOPLE = ("customer", "referrer")


class JustMade(Exception):
    """Another request has just made an order of that source id: change that one."""


def upsert_order(project: Project, *, data: Any, channel: str = "API", now: datetime) -> Order:
    """Make the order a payload describes, or change the one it names by `id` or `source_id`; return it.

    An order's customer and referrer are upserted, and so are goods that lines say to override. Metadata is
    merged, lines are replaced. Nothing is written, and nothing said to have happened, where nothing changes.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        InvalidAmount: an amount is negative or too large.
        NotFound: an id of an order, customer or of goods is given that the project does not have.
        Duplicate: the order is named by its id, and another has the source id.
        OrderRefunded: something of it has come back, and its items or amounts would change.
    """
    asked = parse_order_request(data)
    try:
        return _upsert(project, asked, channel=channel, now=now)
    except JustMade:
        return _upsert(project, asked, channel=channel, now=now)


@transaction.atomic
def update_order(project: Project, ref: str, *, data: Any, channel: str = "API", now: datetime) -> Order:
    """Change the order of that id or source id, and return it; what is not mentioned stays.

    Raises:
        InvalidPayload, MetadataRefused: a field is wrong; the details name it.
        InvalidAmount: an amount is negative or too large.
        NotFound: the project has no such order, or not the customer or goods that an id names.
        Duplicate: another order has the source id.
        OrderRefunded: something of it has come back, and its items or amounts would change.
    """
    asked = parse_order_request(data)
    return _change(project, order_by_ref(project, ref), asked, channel=channel, now=now)


@transaction.atomic
def _upsert(project: Project, asked: OrderRequest, *, channel: str, now: datetime) -> Order:
    stored = stored_order(project, asked.order)
    if stored is not None:
        return _change(project, stored, asked, channel=channel, now=now)
    catalogue = _enter(project, asked, is_new=True, now=now)
    people = _people(project, asked, channel=channel, now=now)
    order = Order(project=project, source_id=asked.order.source_id, created_at=now)
    for name, value in order_values(project, asked, None, people, catalogue).items():
        setattr(order, name, value)
    try:
        order.save(force_insert=True)
    except IntegrityError as error:
        raise JustMade from error
    record_order_change(project, order, None, channel=channel, now=now)
    return order


def _change(project: Project, order: Order, asked: OrderRequest, *, channel: str, now: datetime) -> Order:
    catalogue = _enter(project, asked, is_new=False, now=now)
    # Locked before its customers, as redemptions do it, and read anew: what was read may have changed.
    Order.objects.select_for_update(no_key=True).values_list("pk").get(pk=order.pk)
    order = orders_for_wire(project).get(pk=order.pk)
    before = Standing.of(order)
    people = _people(project, asked, channel=channel, now=now)
    values = order_values(project, asked, order, people, catalogue)
    changed = {name: value for name, value in values.items() if getattr(order, name) != value}
    if not changed:
        return order
    for name, value in (changed | {"updated_at": now}).items():
        setattr(order, name, value)
    try:
        with transaction.atomic():
            order.save(update_fields=[*changed, "updated_at"])
    except IntegrityError as error:
        raise Duplicate(f"Duplicated order exists with source_id {order.source_id}") from error
    record_order_change(project, order, before, channel=channel, now=now)
    return order


def _enter(project: Project, asked: OrderRequest, *, is_new: bool, now: datetime) -> Catalogue:
    """Store the goods that lines say to, hold off changes of definitions, and return the goods there were.

    The order's metadata are held to their schemas.

    In this order all that write orders take their locks: definitions, order, customers.
    """
    lines = asked.order.items or ()
    catalogue = catalogue_facts(
        project, lines=lines, version=current_version(project), at=moment_of(project, now)
    )
    growth = store_overrides(project, lines, where=f"{asked.where}.items", now=now)
    version = share_definitions(project)
    # A version that this transaction made may come to nothing, so nothing is kept by it.
    schemas = schemas_now(project) if growth else schemas_at(project, version)
    check_order(schemas, asked.order, is_new=is_new, lines_are_new=True, where=asked.where)
    return catalogue


def _people(project: Project, asked: OrderRequest, *, channel: str, now: datetime) -> People:
    named = [(person_key(data), name, data) for name in PEOPLE if (data := getattr(asked, name))]
    return {
        name: upsert_in_transaction(
            project, data=data, channel=channel, where=f"{asked.where}.{name}", now=now
        )
        # Two orders that name the same two people lock them in the same order.
        for _, name, data in sorted(named, key=lambda one: one[0])
    }


def person_key(data: Mapping[str, Any]) -> tuple[str, str]:
    """Return by which of its fields a customer is known, and what it says; empty where none is given."""
    fields = ("id", "source_id", "email")
    return next(((name, str(data[name])) for name in fields if data.get(name)), ("", ""))


def order_values(
    project: Project, asked: OrderRequest, stored: Order | None, people: People, catalogue: Catalogue
) -> dict[str, Any]:
    """Return the columns of the order as it is to be.

    Raises:
        InvalidPayload: a discount is above what it is taken off.
        CurrencyMismatch: codes were redeemed on the order in another currency, or prices are in another.
        OrderRefunded: something of the order has come back, and its items or amounts would change.
    """
    whole = merge_order(asked.order, stored, catalogue, home=project.currency, overwrite=True)
    assert whole is not None
    amounts = _with_discounts(asked, whole.to_engine(catalogue))
    shares = fitted(whole.shared(amounts), worths(amounts), amounts.total_discount)
    values = {
        "source_id": asked.order.source_id or whole.source_id,
        "customer": people.get("customer") or (stored.customer if stored else None),
        "referrer": people.get("referrer") or (stored.referrer if stored else None),
        "status": whole.status or (stored.status if stored else Order.Status.CREATED),
        "amount": amounts.amount,
        "currency": whole.currency,
        "items": numbered(whole.lines, stored.items if stored else ()),
        "calculated": calculated_of(amounts, shares),
        "metadata": whole.metadata,
    }
    if stored is not None and stored.refunded_amount is not None and _sold(values) != _sold(vars(stored)):
        raise OrderRefunded(f"Order {stored.public_id} has refunds; its items and amounts stay as they are")
    return values


def _sold(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what refunds are worked out from; how discounts are shared out follows from it."""
    discounts = {name: value for name, value in values["calculated"].items() if name != "shares"}
    return values["amount"], values["currency"], values["items"], discounts


def _with_discounts(asked: OrderRequest, amounts: Amounts) -> Amounts:
    """Return an order's amounts with the discounts it was sent with, in place of those it had."""
    items = list(amounts.items)
    for index, sent in enumerate(asked.line_discounts):
        items[index] = _line_with_discount(items[index], sent, f"{asked.where}.items[{index}]")
    whole = replace(amounts, items=tuple(items), discount=0)
    if whole.total < 0:
        raise InvalidPayload(f"Property {asked.where}.amount cannot be lower than the discounts of its items")
    if asked.discount is not None:
        _refuse_above(asked.discount, whole.total, f"{asked.where}.discount_amount")
    discount = min(amounts.discount, whole.total) if asked.discount is None else asked.discount
    initial = amounts.initial_amount if asked.initial_amount is None else asked.initial_amount
    return replace(whole, discount=discount, initial_amount=initial)


def _line_with_discount(item: Item, sent: LineDiscount, where: str) -> Item:
    discount = item.discount if sent.amount is None else sent.amount
    quantity = item.discount_quantity if sent.quantity is None else sent.quantity
    _refuse_above(discount, item.amount, f"{where}.discount_amount")
    _refuse_above(quantity, item.quantity, f"{where}.discount_quantity")
    return replace(item, discount=discount, discount_quantity=quantity)


def _refuse_above(value: int, most: int, where: str) -> None:
    if value > most:
        raise InvalidPayload(f"Property {where} cannot be higher than {most}")
