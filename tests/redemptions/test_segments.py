"""Rules that ask which segments a customer is in, at the checkout and in qualifications."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.names import names_of
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.jobs import refresh_customers
from tests.factories import CustomerFactory, PromotionTierFactory, VoucherFactory
from tests.redemptions.storefront import assign, code_with, make_rule, redeem, redeemables, validate

VIP = {"metadata.vip": {"conditions": {"$is": [True]}}}
ANN, BOB = {"source_id": "ann"}, {"source_id": "bob"}
ORDER = {"amount": 10000}


@pytest.fixture(autouse=True)
def _customers(project):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": True}, email="ann@example.com")
    CustomerFactory(project=project, source_id="bob", email="bob@example.com")


def segment(api, type_="passive", name="Segment", **asked):
    if type_ == "static":
        asked = asked or {"customers": ["ann"]}
    else:
        asked = asked or {"filter": VIP}
    answer = api.post("/v1/segments", {"name": name, "type": type_, **asked})
    assert answer.status_code == 200, answer.content
    return answer.json()["id"]


def code_for(api, *segments, operator="$is"):
    return code_with(api, {"name": "customer.segment", "conditions": {operator: list(segments)}})


def applies(api, code, customer):
    return validate(api, code, customer=customer, order=ORDER)["valid"]


@pytest.mark.parametrize("type_", ["static", "auto-update", "passive"])
def test_a_rule_asks_who_is_in(api, type_):
    code = code_for(api, segment(api, type_))

    assert [applies(api, code, customer) for customer in (ANN, BOB)] == [True, False]
    assert applies(api, code, {"source_id": "nobody yet"}) is False
    assert applies(api, code, None) is False


@pytest.mark.parametrize("type_", ["static", "auto-update", "passive"])
def test_a_rule_asks_who_is_not_in(api, type_):
    code = code_for(api, segment(api, type_), operator="$is_not")

    assert [applies(api, code, customer) for customer in (ANN, BOB)] == [False, True]


@pytest.mark.parametrize("type_", ["auto-update", "passive"])
def test_what_is_sent_lies_over_what_is_stored(api, type_):
    code = code_for(api, segment(api, type_))

    assert applies(api, code, {"source_id": "new", "metadata": {"vip": True}}) is True
    assert applies(api, code, BOB | {"metadata": {"vip": True}}) is True
    assert applies(api, code, ANN | {"metadata": {"vip": False}}) is False


def test_a_redemption_lets_a_customer_in_and_tells_it(api, project):
    code = code_for(api, segment(api, "auto-update"))

    redeem(api, code, customer={"source_id": "eve", "metadata": {"vip": True}}, order=ORDER)

    entered = OutboxEvent.objects.filter(project=project, type="customer.segment.entered")
    assert [event.data["customer"]["source_id"] for event in entered] == ["eve"]


def test_a_customer_outside_is_refused_with_the_published_reason(api):
    code = code_for(api, segment(api))

    answer = api.post(
        "/v1/redemptions", {"redeemables": redeemables(code), "customer": BOB, "order": ORDER}
    ).json()

    assert answer["key"] == "customer_rules_violated"


def test_what_orders_add_up_to_counts_from_the_next_time_on(api, project):
    bought = segment(
        api,
        "auto-update",
        filter={"summary.orders.total_amount": {"conditions": {"$more_than_equal": [9000]}}},
    )
    code = code_for(api, bought)
    for action in AsyncAction.objects.filter(project=project):
        run_async_action(action.pk)
    assert applies(api, code, ANN) is False
    redeem(api, VoucherFactory(project=project).code, customer=ANN, order=ORDER)

    count_redemptions(project)
    count_redemptions(project)

    assert applies(api, code, ANN) is True
    assert OutboxEvent.objects.filter(project=project, type="customer.segment.entered").count() == 1


def count_redemptions(project):
    events = OutboxEvent.objects.filter(project=project, type="redemption.succeeded")
    refresh_customers(event_ids=[str(event.pk) for event in events])


def test_custom_events_count(api):
    code = code_for(
        api, segment(api, filter={"events.signed_up.count": {"conditions": {"$more_than_equal": [1]}}})
    )
    assert applies(api, code, ANN) is False

    api.post("/v1/events", {"event": "signed_up", "customer": ANN})

    assert applies(api, code, ANN) is True


def test_no_event_yet_is_a_count_of_zero(api):
    code = code_for(api, segment(api, filter={"events.signed_up.count": {"conditions": {"$is": [0]}}}))

    assert applies(api, code, ANN) is True
    assert applies(api, code, {"source_id": "new"}) is True


def test_a_new_segment_holds_at_once(api):
    code = code_for(api, segment(api))
    assert applies(api, code, BOB) is False

    static = segment(api, "static", customers=["bob"])
    other = code_for(api, static)

    assert applies(api, other, BOB) is True


def test_a_deleted_segment_matches_nobody(api):
    ident = segment(api)
    code = code_for(api, ident)

    assert api.delete(f"/v1/segments/{ident}").status_code == 204

    assert applies(api, code, ANN) is False


def test_another_projects_segment_matches_nobody(api, other_api):
    code = code_for(api, segment(other_api))

    assert applies(api, code, ANN) is False


def test_a_trace_names_segments(api, project):
    ident = segment(api, name="Best friends")
    code = code_for(api, ident)

    answer = api.post(
        "/v1/validations",
        {
            "redeemables": redeemables(code),
            "customer": ANN,
            "order": ORDER,
            "options": {"expand": ["trace"]},
        },
    ).json()

    (condition,) = answer["redeemables"][0]["trace"]["conditions"]
    assert condition["text"] == "Customer segment is Best friends"
    assert (condition["actual"], condition["met"]) == ([ident], True)
    assert names_of(project, [ident]) == {ident: "Best friends"}


@pytest.mark.parametrize("type_", ["static", "auto-update", "passive"])
def test_qualifications_show_what_the_segments_of_a_customer_open(api, project, type_):
    tier, voucher = PromotionTierFactory(project=project), VoucherFactory(project=project)
    condition = {"name": "customer.segment", "conditions": {"$is": [segment(api, type_)]}}
    rule = make_rule(api, condition)
    assign(api, rule, related_object_id=tier.public_id, related_object_type="promotion_tier")
    assign(api, rule, voucher=voucher.code)

    def qualified(customer):
        answer = api.post("/v1/qualifications", {"customer": customer, "order": ORDER}).json()
        return {one["id"] for one in answer["redeemables"]["data"]}

    assert qualified(ANN) == {tier.public_id, voucher.code}
    assert qualified(BOB) == set()


def test_a_checkout_pays_only_where_a_rule_asks(api, project):
    plain, ruled = VoucherFactory(project=project).code, code_for(api, segment(api))
    for code in (plain, ruled):
        validate(api, code, customer=ANN, order=ORDER)
    segment(api, "static")

    def segment_queries(code):
        with CaptureQueriesContext(connection) as queries:
            validate(api, code, customer=ANN, order=ORDER)
        return sum("customers_segment" in query["sql"] for query in queries)

    assert segment_queries(plain) == 0
    assert segment_queries(ruled) == 3
    assert segment_queries(ruled) == 1
