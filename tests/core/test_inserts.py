"""Rows of several tables in one statement are the rows that Django would have written."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, IntegrityError, transaction

from promoengine.core.inserts import insert_rows
from promoengine.core.models import OutboxEvent
from redemptions.models import Order

NOW = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)


def order_of(project, **more):
    return Order(project=project, amount=2**53, items=[{"a": "żółw \"'"}], created_at=NOW, **more)


def test_rows_come_back_as_they_were(project, django_assert_num_queries):
    order = order_of(project, source_id="cart", metadata={"deep": {"list": [1, 2.5, None, True]}})
    event = OutboxEvent(project=project, type="order.created", data={"id": order.public_id}, created_at=NOW)

    with django_assert_num_queries(1):
        insert_rows([order], [], [event])

    stored = Order.objects.get()
    assert [getattr(stored, field.attname) for field in Order._meta.concrete_fields] == [
        getattr(order, field.attname) for field in Order._meta.concrete_fields
    ]
    assert OutboxEvent.objects.get().data == {"id": order.public_id}


def test_several_rows_come_back_as_they_were(project):
    orders = [
        order_of(project, source_id=f"cart {n}", currency=currency) for n, currency in enumerate(("", "USD"))
    ]

    insert_rows(orders)

    stored = Order.objects.order_by("source_id")
    assert [(one.source_id, one.currency, one.items) for one in stored] == [
        (one.source_id, one.currency, one.items) for one in orders
    ]


def test_a_value_that_is_too_long_is_refused_and_not_cut_off(project):
    with pytest.raises(DataError), transaction.atomic():
        insert_rows([order_of(project, source_id="x" * 256)])

    assert not Order.objects.exists()


def test_a_refused_row_keeps_all_out(project):
    insert_rows([order_of(project, source_id="cart")])
    event = OutboxEvent(project=project, type="order.created", created_at=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([event], [order_of(project, source_id="cart")])

    assert not OutboxEvent.objects.exists()


def test_nothing_to_insert_asks_nothing(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows([], [])


def test_a_number_beyond_64_bits_is_inserted_as_it_was_read(project):
    insert_rows([order_of(project, metadata={"big": 10**300})])

    assert Order.objects.get().metadata == {"big": 10**300}
