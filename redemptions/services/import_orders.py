"""Many historic orders at once, in the background: batch by batch, and without a word about them."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from campaigns.facts import Catalogue, catalogue_facts
from campaigns.services.override import read_override, store_overrides
from customers.models import Customer
from customers.payload import read_customer
from customers.services.upsert import upsert_customer
from promoengine.core.errors import DomainError, Duplicate, InvalidPayload, NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import advance, start_async_action
from promoengine.core.services.definitions import share_definitions
from promoengine.core.services.metadata import schemas_at
from redemptions.facts import moment_of
from redemptions.metadata import check_order
from redemptions.models import Order
from redemptions.order_requests import OrderRequest, parse_order_request
from redemptions.order_selectors import orders_for_wire
from redemptions.services.summaries import refresh_summaries
from redemptions.services.upsert_order import PEOPLE, People, order_values, person_key

ORDERS_MAX = 2000
BATCH = 200
# As often as others may make an order of a batch between looking for it and making it.
ATTEMPTS = 5
ORDER_FIELDS = [
    *("source_id", "customer", "referrer", "status", "amount", "currency", "items", "calculated", "metadata"),
    "updated_at",
]

Failures = list[dict[str, Any]]
Known = dict[tuple[str, str], Customer]


@dataclass(frozen=True, slots=True)
class Row:
    """An order of an import with its number, counted from 1, and the people that it names."""

    number: int
    asked: OrderRequest
    people: People

    @property
    def key(self) -> uuid.UUID | None:
        return parse_public_id(Order.prefix, self.asked.order.id or "")

    @property
    def source_ref(self) -> str | None:
        """What the shop calls its order; an `id` that is none of ours is the shop's, too."""
        return self.asked.order.id or self.asked.order.source_id


def import_orders(project: Project, *, rows: Any, now: datetime) -> AsyncAction:
    """Start the import of up to 2000 orders, each made anew or changed by its `id` or `source_id`.

    No event tells of them; their customers are counted anew, and so enter and leave segments.

    Raises:
        InvalidPayload: it is no array of orders, or one of them is wrong; the details name the property.
        InvalidAmount: an amount is negative or too large.
    """
    if not isinstance(rows, list):
        raise InvalidPayload("Payload should be array")
    if len(rows) > ORDERS_MAX:
        raise InvalidPayload(f"Payload should have up to {ORDERS_MAX} orders")
    for index, row in enumerate(rows):
        _check(parse_order_request(row, f"[{index}]"))
    return start_async_action(
        project,
        "ORDERS.IMPORT",
        job="redemptions.jobs.import_orders",
        params={"rows": rows},
        total_count=len(rows),
        now=now,
    )


def run_import(action: AsyncAction) -> None:
    """Store the orders of an action, from where an earlier run of it stopped.

    A project's imports take turns. Nobody is counted before all is stored.
    """
    with _in_turn(action.project):
        numbered = enumerate(action.params.get("rows", ()), start=1)
        rest = islice(numbered, action.done_count + action.failed_count, None)
        while batch := list(islice(rest, BATCH)):
            rows, failures = _prepared(action.project, batch)
            _store(action, rows, failures)
        keys = sorted(uuid.UUID(key) for key in action.params.get("customers", ()))
        for first in range(0, len(keys), BATCH):
            refresh_summaries(keys[first : first + BATCH], now=timezone.now())
    # What was sent is with the orders now: an erasure wouldn't find it here.
    action.params = {}
    action.save(update_fields=["params"])
    action.message = f"{action.done_count} orders imported, {action.failed_count} failed"


def _check(asked: OrderRequest) -> None:
    """Raise InvalidPayload where what an order says of people or goods has the wrong shape."""
    for name in PEOPLE:
        if data := getattr(asked, name):
            read_customer(data, f"{asked.where}.{name}")
    for index, line in enumerate(asked.order.items or ()):
        read_override(line, f"{asked.where}.items[{index}]")


def _prepared(project: Project, batch: Sequence[tuple[int, Any]]) -> tuple[list[Row], Failures]:
    """Store the people and goods that orders bring along; return the orders, and those whose can't be."""
    asked = [(number, parse_order_request(row, f"[{number - 1}]")) for number, row in batch]
    broken = _goods_stored(project, asked)
    known = _known_people(project, [order for _, order in asked])
    rows, failures = [], []
    for number, order in asked:
        try:
            if number in broken:
                raise broken[number]
            rows.append(Row(number, order, _people(project, order, known)))
        except DomainError as refusal:
            failures.append(_failure(number, order, refusal))
    return rows, failures


def _goods_stored(project: Project, asked: Sequence[tuple[int, OrderRequest]]) -> dict[int, DomainError]:
    """Store the goods that lines say to, all at once or, where one can't be, order by order.

    Return what refused which order.
    """
    now = timezone.now()
    lines = [line for _, order in asked for line in order.order.items or ()]
    try:
        with transaction.atomic():
            store_overrides(project, lines, now=now)
    except DomainError as refusal:
        if len(asked) == 1:
            return {asked[0][0]: refusal}
        return {
            number: found
            for number, order in asked
            for found in _goods_stored(project, [(number, order)]).values()
        }
    return {}


def _known_people(project: Project, asked: Sequence[OrderRequest]) -> Known:
    """Return the customers that orders name, by what they are named, in one query."""
    named = [person_key(data) for order in asked for name in PEOPLE if (data := getattr(order, name))]
    keys = [key for field, ref in named if field == "id" and (key := parse_public_id(Customer.prefix, ref))]
    sources = [ref for field, ref in named if field == "source_id"]
    rows = Customer.objects.filter(project=project).present()
    known: Known = {}
    for customer in rows.filter(Q(pk__in=keys) | Q(source_id__in=sources)):
        _note(known, customer)
    return known


def _people(project: Project, asked: OrderRequest, known: Known) -> People:
    people: dict[str, Customer] = {}
    for name in PEOPLE:
        data = getattr(asked, name)
        if not data:
            continue
        is_named_alone = data.keys() <= {"id", "source_id", "object"}
        customer = known.get(person_key(data)) if is_named_alone else None
        if customer is None:
            where = f"{asked.where}.{name}"
            customer = upsert_customer(project, data=data, where=where, now=timezone.now())
            _note(known, customer)
        people[name] = customer
    return people


def _note(known: Known, customer: Customer) -> None:
    known["id", customer.public_id] = customer
    if customer.source_id is not None:
        known["source_id", customer.source_id] = customer


def _store(action: AsyncAction, rows: Sequence[Row], failures: Failures) -> None:
    """Write a batch of orders and the action's progress, all or nothing."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _write(action, rows, failures)
        except IntegrityError:
            continue  # another request has just made one of them: now it is found
    return _write(action, rows, failures)


@transaction.atomic
def _write(action: AsyncAction, rows: Sequence[Row], earlier: Failures) -> None:
    project, now, failures = action.project, timezone.now(), list(earlier)
    lines = [line for row in rows for line in row.asked.order.items or ()]
    version = share_definitions(project)
    catalogue = catalogue_facts(project, lines=lines, version=version, at=moment_of(project, now))
    schemas = schemas_at(project, version)
    stored = _Orders.of(project, rows)
    for row in rows:
        try:
            order = stored.find(row)
            is_new, where = order is None, row.asked.where
            check_order(schemas, row.asked.order, is_new=is_new, lines_are_new=True, where=where)
            stored.put(project, order, row, catalogue, now=now)
        except DomainError as refusal:
            failures.append(_failure(row.number, row.asked, refusal))
    Order.objects.bulk_create(stored.made.values())
    Order.objects.bulk_update(stored.changed.values(), ORDER_FIELDS)
    touched = {str(customer) for customer in stored.customers}
    action.params = action.params | {"customers": sorted({*action.params.get("customers", ()), *touched})}
    action.save(update_fields=["params"])
    failures.sort(key=lambda failure: failure["row"])
    failed = len(failures)
    advance(action, done=len(rows) + len(earlier) - failed, failed=failed, failures=failures)


@dataclass(slots=True)
class _Orders:
    """The stored orders that a batch names, those that are new or changed, and whose they are or were."""

    by_key: dict[uuid.UUID, Order] = field(default_factory=dict)
    by_source: dict[str, Order] = field(default_factory=dict)
    made: dict[uuid.UUID, Order] = field(default_factory=dict)
    changed: dict[uuid.UUID, Order] = field(default_factory=dict)
    customers: set[uuid.UUID] = field(default_factory=set)

    @classmethod
    def of(cls, project: Project, rows: Sequence[Row]) -> "_Orders":
        """Return those that rows name, held until the transaction ends; nobody else locks several at once."""
        keys = [row.key for row in rows if row.key]
        sources = {ref for row in rows for ref in (row.source_ref, row.asked.order.source_id) if ref}
        found = orders_for_wire(project).filter(Q(pk__in=keys) | Q(source_id__in=sources))
        orders = cls()
        for order in found.select_for_update(of=("self",), no_key=True).order_by("pk"):
            orders.note(order)
        return orders

    def note(self, order: Order) -> None:
        self.by_key[order.pk] = order
        if order.source_id is not None:
            self.by_source[order.source_id] = order
        if order.customer_id is not None:
            self.customers.add(order.customer_id)

    def put(
        self, project: Project, order: Order | None, row: Row, catalogue: Catalogue, *, now: datetime
    ) -> None:
        """Make or change the order of a row, written nowhere yet."""
        values = order_values(project, row.asked, order, row.people, catalogue)
        if (other := self.by_source.get(values["source_id"])) is not None and other is not order:
            raise Duplicate(f"Duplicated order exists with source_id {other.source_id}")
        if order is None:
            order = Order(project=project, created_at=now)
            self.made[order.pk] = order
        elif all(getattr(order, name) == value for name, value in values.items()):
            return
        elif order.pk not in self.made:
            order.updated_at = now
            self.changed[order.pk] = order
        for name, value in values.items():
            setattr(order, name, value)
        self.note(order)

    def find(self, row: Row) -> Order | None:
        order = self.by_key.get(row.key) if row.key else self.by_source.get(row.source_ref or "")
        if order is None and row.asked.order.id is not None:
            raise NotFound("order", row.asked.order.id)
        return order


def _failure(number: int, asked: OrderRequest, refusal: DomainError) -> dict[str, Any]:
    return {"row": number, "source_id": asked.order.source_id, "reason": str(refusal)}


@contextmanager
def _in_turn(project: Project) -> Iterator[None]:
    """Wait for the project's other imports, and keep them waiting; Postgres lets go when the worker dies."""
    lock = (project.pk.int & 0x7FFF_FFFF_FFFF_FFFF) ^ 0x4F52_4453
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
