"""Orders made, changed, redeemed on, imported and counted by many at once."""

from collections import Counter
from threading import Event
from time import sleep

import pytest
from django.db import connection

from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.jobs import refresh_customers
from redemptions.models import Order
from redemptions.services import summaries
from tests.concurrency.parallel import in_parallel
from tests.factories import VoucherFactory

pytestmark = pytest.mark.django_db(transaction=True)

ANN = {"source_id": "ann"}


def told():
    """Return how often what happened to orders."""
    found = OutboxEvent.objects.filter(type__startswith="customer.order.").values_list("type", flat=True)
    return Counter(event.removeprefix("customer.order.") for event in found)


def hear():
    """Count the customers of all that happened so far, as the job does."""
    refresh_customers(event_ids=[str(key) for key in OutboxEvent.objects.values_list("pk", flat=True)])


def spent(api, customer):
    orders = api.get(f"/v1/customers/{customer}").json()["summary"]["orders"]
    return orders["total_count"], orders["total_amount"]


def is_fine(answers):
    return {answer.status_code for answer in answers} == {200}


def test_an_order_sent_by_many_is_made_once(api):
    answers = in_parallel(
        16,
        lambda number: api.post(
            "/v1/orders",
            {"source_id": "cart", "status": "PAID", "customer": ANN, "metadata": {str(number): 1}},
        ),
    )

    assert is_fine(answers), [answer.content for answer in answers]
    order = Order.objects.get()
    assert len(order.metadata) == 16
    assert {answer.json()["id"] for answer in answers} == {order.public_id}
    assert told() == {"created": 1, "paid": 1, "updated": 15}


def test_two_changes_at_once_are_both_there(api):
    api.post("/v1/orders", {"source_id": "cart", "amount": 100})

    answers = in_parallel(
        16,
        lambda number: api.put(
            "/v1/orders/cart", {"amount": 500} if number == 7 else {"metadata": {str(number): number}}
        ),
    )

    assert is_fine(answers)
    order = api.get("/v1/orders/cart").json()
    assert (order["amount"], len(order["metadata"])) == (500, 15)
    assert told() == {"created": 1, "updated": 16}


def test_a_status_reached_by_many_is_told_once(api):
    api.post("/v1/orders", {"source_id": "cart", "amount": 100, "customer": ANN})

    assert is_fine(in_parallel(16, lambda _: api.put("/v1/orders/cart", {"status": "PAID"})))

    assert told() == {"created": 1, "updated": 1, "paid": 1}


@pytest.mark.parametrize("round_", range(5))
def test_a_redemption_and_changes_at_once(api, project, round_):
    codes = [VoucherFactory(project=project).code for _ in range(2)]
    api.post("/v1/orders", {"source_id": "cart", "amount": 5000, "customer": ANN})

    def act(number):
        if number >= 2:
            return api.put("/v1/orders/cart", {"metadata": {str(number): 1}})
        body = {
            "redeemables": [{"object": "voucher", "id": codes[number]}],
            "order": {"source_id": "cart"},
            "customer": ANN,
        }
        return api.post("/v1/redemptions", body)

    answers = in_parallel(8, act)

    keys = Counter(answer.json().get("key", "fine") for answer in answers)
    assert keys.keys() <= {"fine", "multiple_requests"}
    redeemed = sum(answer.status_code == 200 for answer in answers[:2])
    order = api.get("/v1/orders/cart").json()
    assert is_fine(answers[2:])
    assert len(order["metadata"]) == 6
    assert order.get("total_discount_amount", 0) == 1000 * redeemed
    assert len(order.get("redemptions", {})) == redeemed
    assert told()["updated"] == 6 + redeemed
    assert told()["paid"] == (redeemed > 0)


def test_a_redemption_and_an_order_of_the_same_number_are_one(api, project):
    code = VoucherFactory(project=project).code
    body = {
        "redeemables": [{"object": "voucher", "id": code}],
        "order": {"source_id": "cart", "amount": 5000},
        "customer": ANN,
    }

    def act(number):
        if number % 2:
            return api.post("/v1/redemptions", body)
        return api.post("/v1/orders", {"source_id": "cart", "amount": 5000, "customer": ANN})

    answers = in_parallel(8, act)

    order = Order.objects.get()
    assert is_fine(answers[::2])
    assert told()["created"] == 1
    redeemed = sum(answer.status_code == 200 for answer in answers[1::2])
    assert redeemed >= 1
    shown = api.get(f"/v1/orders/{order.public_id}").json()
    assert len(shown["redemptions"]) == redeemed


def test_what_customers_spent_is_exact_whoever_counts_when(api):
    for number in range(12):
        api.post("/v1/orders", {"source_id": f"o-{number}", "amount": 100 + number, "customer": ANN})

    def act(number):
        answer = api.put(f"/v1/orders/o-{number % 12}", {"status": "PAID" if number < 12 else "FULFILLED"})
        hear()
        if number % 3 == 0:
            answer = api.put(f"/v1/orders/o-{number % 12}", {"status": "CANCELED"})
            hear()
        return answer

    assert is_fine(in_parallel(24, act))

    paid = Order.objects.filter(status__in=("PAID", "FULFILLED"))
    assert spent(api, "ann") == (paid.count(), sum(paid.values_list("amount", flat=True)))


def test_who_counts_slowly_stores_nothing_old(api, monkeypatch):
    api.post("/v1/orders", {"source_id": "cart", "amount": 100, "customer": ANN})
    is_counted, is_overtaken = Event(), Event()
    cards = summaries._cards

    def linger(customer_ids):
        """Between counting and storing, let the other go by, unless they are kept waiting."""
        if not is_counted.is_set():
            is_counted.set()
            while not (is_overtaken.is_set() or somebody_waits()):
                sleep(0.01)
        return cards(customer_ids)

    monkeypatch.setattr(summaries, "_cards", linger)

    def act(number):
        if number == 0:
            return hear()
        is_counted.wait(30)
        api.put("/v1/orders/cart", {"status": "PAID"})
        hear()
        return is_overtaken.set()

    in_parallel(2, act)

    assert spent(api, "ann") == (1, 100)


def somebody_waits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def test_orders_that_swap_their_people_wait_for_nobody_in_a_circle(api):
    def act(number):
        first, second = ("ann", "bob") if number % 2 else ("bob", "ann")
        return api.post(
            "/v1/orders",
            {
                "source_id": f"o-{number % 4}",
                "amount": number,
                "customer": {"source_id": first, "metadata": {str(number): 1}},
                "referrer": {"source_id": second, "metadata": {f"r{number}": 1}},
            },
        )

    answers = in_parallel(16, act)

    assert is_fine(answers), [answer.content for answer in answers if answer.status_code != 200]
    assert Order.objects.count() == 4


def test_imports_of_the_same_orders_at_once_beside_changes(api):
    def rows(status):
        return [
            {"source_id": f"o-{number}", "status": status, "amount": 100, "customer": ANN}
            for number in range(40)
        ]

    for status in ("PAID", "FULFILLED", "PAID"):
        api.post("/v1/orders/import", rows(status))
    actions = list(AsyncAction.objects.order_by("created_at"))

    def act(number):
        if number < 3:
            run_async_action(actions[number].pk)
            return None
        answer = api.post("/v1/orders", {"source_id": f"o-{number}", "metadata": {"seen": number}})
        hear()
        return answer

    answers = in_parallel(12, act)

    assert is_fine(answers[3:])
    assert {action.status for action in AsyncAction.objects.all()} == {"DONE"}
    assert Order.objects.count() == 40
    assert Order.objects.filter(metadata__has_key="seen").count() == 9
    assert spent(api, "ann") == (40, 4000)
