"""Entering and leaving segments while many change the same customers at once."""

import pytest

from customers.models import Customer, SegmentMember
from customers.services.segment_syncs import run_sync
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from tests.concurrency.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)

VIP = {"metadata.vip": {"conditions": {"$is": [True]}}}
OR_NAME = {"junction": "or", "name": {"conditions": {"$has_value": [True]}}}


def moves(customer):
    """Return what happened to a customer, in order, as 1 for entering and -1 for leaving."""
    events = OutboxEvent.objects.filter(customer_id=customer.pk, type__startswith="customer.segment.")
    return [1 if event.type.endswith("entered") else -1 for event in events.order_by("pk")]


def fill():
    for action in AsyncAction.objects.filter(status="ENQUEUED"):
        run_async_action(action.pk)


def assert_moves_agree():
    for customer in Customer.objects.all():
        steps = moves(customer)
        is_member = SegmentMember.objects.filter(customer=customer).exists()
        assert is_member is (customer.metadata.get("vip") is True)
        assert steps == [1, -1] * (len(steps) // 2) + [1] * is_member


def test_a_customer_changed_from_all_sides_enters_and_leaves_in_turn(api, project):
    api.post("/v1/segments", {"name": "VIP", "type": "auto-update", "filter": VIP})

    def act(number):
        for turn in range(4):
            vip = bool((number + turn) % 2)
            answer = api.post("/v1/customers", {"source_id": f"c-{turn % 2}", "metadata": {"vip": vip}})
            assert answer.status_code == 200, answer.content
            api.post("/v1/events", {"event": "seen", "customer": {"source_id": f"c-{turn % 2}"}})

    in_parallel(16, act)
    fill()

    assert_moves_agree()


def test_a_segment_made_while_customers_come_misses_none_and_tells_of_none_twice(api, project):
    def act(number):
        if number == 5:
            answer = api.post("/v1/segments", {"name": "VIP", "type": "auto-update", "filter": VIP})
            fill()
            return answer
        return api.post("/v1/customers", {"source_id": f"c-{number}", "metadata": {"vip": True}})

    answers = in_parallel(24, act)

    assert {answer.status_code for answer in answers} == {200}
    assert SegmentMember.objects.count() == Customer.objects.count() == 23
    assert_moves_agree()


def test_a_filter_changed_and_filled_while_customers_change_tells_each_move_once(api, project, monkeypatch):
    monkeypatch.setattr("customers.services.segment_syncs.WINDOW", 3)
    never = {"metadata.vip": {"conditions": {"$is": ["never"]}}}
    made = api.post("/v1/segments", {"name": "VIP", "type": "auto-update", "filter": never}).json()
    for number in range(8):
        api.post("/v1/customers", {"source_id": f"c-{number}", "metadata": {"vip": bool(number % 2)}})

    def act(number):
        if number in (3, 7):
            answer = api.put(f"/v1/segments/{made['id']}", {"filter": VIP if number == 3 else VIP | OR_NAME})
            fill()
            return answer
        vip = bool((number // 8) % 2)
        return api.post("/v1/customers", {"source_id": f"c-{number % 8}", "metadata": {"vip": vip}})

    answers = in_parallel(24, act)
    api.put(f"/v1/segments/{made['id']}", {"filter": VIP})
    fill()

    assert {answer.status_code for answer in answers} == {200}
    assert_moves_agree()


def test_two_workers_at_one_filling_tell_of_nobody_twice(api, project):
    for number in range(6):
        api.post("/v1/customers", {"source_id": f"c-{number}", "metadata": {"vip": True}})
    api.post("/v1/segments", {"name": "VIP", "type": "auto-update", "filter": VIP})
    (action,) = AsyncAction.objects.all()

    in_parallel(4, lambda number: run_sync(AsyncAction.objects.get(pk=action.pk)))

    assert SegmentMember.objects.count() == 6
    assert_moves_agree()


def test_a_segment_deleted_while_customers_come_is_no_error(api, project):
    made = api.post("/v1/segments", {"name": "VIP", "type": "auto-update", "filter": VIP}).json()

    def act(number):
        if number == 5:
            return api.delete(f"/v1/segments/{made['id']}")
        return api.post("/v1/customers", {"source_id": f"c-{number}", "metadata": {"vip": True}})

    answers = in_parallel(24, act)

    assert {answer.status_code for answer in answers} == {200, 204}
    assert not SegmentMember.objects.exists()
