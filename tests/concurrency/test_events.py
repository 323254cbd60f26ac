"""The same events from all sides at once."""

import pytest

from customers.models import Customer, CustomEvent, SegmentMember
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from tests.concurrency.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_known", [True, False])
def test_an_event_sent_by_many_at_once_is_told_once(api, project, is_known):
    if is_known:
        api.post("/v1/customers", {"source_id": "ann", "name": "Ann"})
    body = {"event": "paid", "source_id": "order-1", "customer": {"source_id": "ann", "name": "Ann"}}

    answers = in_parallel(16, lambda _: api.post("/v1/events", body))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["customer"]["id"] for answer in answers}) == 1
    assert (CustomEvent.objects.count(), Customer.objects.count()) == (1, 1)
    assert OutboxEvent.objects.filter(type="customer.custom_event").count() == 1


def test_a_repetition_that_loses_the_race_changes_nobody(api, project):
    api.post("/v1/customers", {"source_id": "ann", "name": "Ann"})

    def act(number):
        customer = {"source_id": "ann", "name": f"Ann {number}"}
        return api.post("/v1/events", {"event": "paid", "source_id": "order-1", "customer": customer})

    in_parallel(16, act)

    assert OutboxEvent.objects.filter(type="customer.updated").count() == 1
    assert CustomEvent.objects.count() == 1


def test_counts_of_events_let_a_customer_enter_once(api, project):
    asks = {"events.paid.count": {"conditions": {"$more_than_equal": [8]}}}
    api.post("/v1/segments", {"name": "S", "type": "auto-update", "filter": asks})
    for action in AsyncAction.objects.all():
        run_async_action(action.pk)

    in_parallel(16, lambda _: api.post("/v1/events", {"event": "paid", "customer": {"source_id": "ann"}}))

    assert CustomEvent.objects.count() == 16
    assert SegmentMember.objects.count() == 1
    assert OutboxEvent.objects.filter(type="customer.segment.entered").count() == 1


def test_an_erasure_leaves_no_event_behind(api, project):
    api.post("/v1/customers", {"source_id": "ann", "name": "Ann"})

    def act(number):
        if number == 7:
            return api.post("/v1/customers/ann/permanent-deletion")
        return api.post("/v1/events", {"event": "seen", "customer": {"source_id": "ann"}})

    answers = in_parallel(16, act)

    assert {answer.status_code for answer in answers} == {200}
    erased = Customer.objects.exclude(deleted_at=None).get()
    assert not CustomEvent.objects.filter(customer=erased).exists()


@pytest.mark.parametrize("path", ["/v1/customers/{id}", "/v1/customers/ann"])
def test_a_change_under_way_writes_nothing_of_an_erased_customer(api, project, path):
    made = api.post("/v1/customers", {"source_id": "ann", "name": "Ann"}).json()

    def act(number):
        if number == 7:
            return [api.post("/v1/customers/ann/permanent-deletion")]
        return [api.put(path.format(**made), {"name": f"Ann {number} {turn}"}) for turn in range(4)]

    answers = [answer.status_code for some in in_parallel(16, act) for answer in some]

    erased = Customer.objects.exclude(deleted_at=None).get()
    assert set(answers) <= {200, 404}
    assert (erased.name, erased.source_id) == (None, None)
