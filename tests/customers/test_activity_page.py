"""What happened to a customer, on their page in the dashboard."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User

from promoengine.core.events import Happening, record_events
from tests.factories import CampaignFactory, CustomerFactory, ProjectFactory, VoucherFactory

ANN = {"source_id": "ann"}
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def ann(project):
    return CustomerFactory(project=project, source_id="ann", name="Ann")


def activity(client, customer, query=""):
    return client.get(f"/admin/customers/customer/{customer.pk}/activity/{query}")


def told(answer):
    return [(one.what, one.of) for one in answer.context["activity"].told]


def record(customer, count):
    happenings = [
        Happening("customer.custom_event", {"event": {"type": f"seen-{number}"}}, customer_id=customer.pk)
        for number in range(count)
    ]
    for number, happening in enumerate(happenings):
        record_events(customer.project, [happening], now=NOW + timedelta(minutes=number))


def test_it_is_told_in_words_the_newest_first(marketer, api, project, ann):
    asks = {"events.seen.count": {"conditions": {"$more_than_equal": [1]}}}
    api.post("/v1/segments", {"name": "Lookers", "type": "auto-update", "filter": asks})
    api.post("/v1/events", {"event": "seen", "customer": ANN})
    VoucherFactory(project=project, campaign=CampaignFactory(project=project, name="Give"), code="GIVE-1")
    api.post("/v1/publications", {"campaign": {"name": "Give", "count": 1}, "customer": ANN})
    api.post("/v1/orders", {"source_id": "o-1", "amount": 4900, "customer": ANN})
    api.post("/v1/redemptions", {"redeemables": [{"object": "voucher", "id": "GIVE-1"}], "customer": ANN})

    page = activity(marketer, ann)

    assert told(page) == [
        ("Redeemed", "GIVE-1"),
        ("Ordered", f"o-1, 49.00 {project.currency}"),
        ("Was given", "GIVE-1"),
        ("Entered the segment", "Lookers"),
        ("Did", "seen"),
    ]
    assert "the API" in page.content.decode()


def test_earlier_things_are_shown_when_asked_for(marketer, ann):
    record(ann, 45)

    pages, query = [], ""
    while query is not None:
        answer = activity(marketer, ann, query)
        pages.append([of for _, of in told(answer)])
        before = answer.context["activity"].before
        query = f"?before={before}" if before else None
        assert ("Show earlier" in answer.content.decode()) == bool(before)

    assert [len(page) for page in pages] == [20, 20, 5]
    assert [one for page in pages for one in page] == [f"seen-{number}" for number in reversed(range(45))]


def test_where_nothing_happened_the_page_says_so(marketer, ann):
    assert "Nothing is on record" in activity(marketer, ann).content.decode()


def test_it_is_a_part_of_the_customers_page(marketer, ann):
    page = marketer.get(f"/admin/customers/customer/{ann.pk}/change/").content.decode()

    assert f"/admin/customers/customer/{ann.pk}/activity/" in page


def test_what_somebody_sent_is_shown_as_text(marketer, api, ann):
    api.post("/v1/events", {"event": "<script>alert(1)</script>", "customer": ANN})

    assert "&lt;script&gt;" in activity(marketer, ann).content.decode()


@pytest.mark.parametrize("data", [{}, {"order": None, "event": 1, "voucher": []}])
def test_what_is_erased_or_odd_is_told_without_details(marketer, ann, data):
    types = ("customer.custom_event", "customer.order.paid", "redemption.succeeded", "publication.succeeded")
    record_events(ann.project, [Happening(type, data, customer_id=ann.pk) for type in types], now=NOW)

    assert {of for _, of in told(activity(marketer, ann))} == {""}


def test_a_type_that_has_no_words_is_named(marketer, ann):
    record_events(ann.project, [Happening("customer.loyalty.tier_changed", customer_id=ann.pk)], now=NOW)

    assert told(activity(marketer, ann)) == [("Loyalty tier changed", "")]


def test_it_is_for_those_who_may_see_the_customer(client, ann):
    user = User.objects.create_user("looker", password="x", is_staff=True)
    client.force_login(user)
    assert activity(client, ann).status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    assert activity(client, ann).status_code == 200


def test_another_projects_customer_is_not_found(marketer):
    assert activity(marketer, CustomerFactory(project=ProjectFactory())).status_code == 404
