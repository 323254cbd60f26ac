"""Segments in the dashboard."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Segment
from promoengine.core.models import Project
from tests.factories import CustomerFactory, ProjectFactory

EMPTY = {f"{name}_{row}": "" for name in ("field", "key", "value") for row in range(3)} | {
    f"operator_{row}": "$in" for row in range(3)
}
SEGMENT = {"name": "Friends", "type": "passive", "listed": "", "junction": "and", **EMPTY}


@pytest.fixture
def marketer(client, project):
    client.force_login(User.objects.create_superuser("marketer"))
    return client


def add(marketer, **fields):
    return marketer.post("/admin/customers/segment/add/", SEGMENT | fields)


def condition(field, operator, value="", key="", row=0):
    return {f"field_{row}": field, f"operator_{row}": operator, f"value_{row}": value, f"key_{row}": key}


def errors_of(page):
    return {name: list(messages) for name, messages in page.context["adminform"].form.errors.items()}


def test_a_static_segment_is_made_of_pasted_ids(marketer, project, api):
    ann = CustomerFactory(project=project, source_id="ann")
    CustomerFactory(project=project, source_id="bob")

    add(marketer, type="static", listed=f" ann \n\n{ann.public_id}\nbob")

    for ref in ("ann", "bob"):
        assert [one["name"] for one in api.get(f"/v1/customers/{ref}/segments").json()["data"]] == ["Friends"]
    assert Project.objects.get(pk=project.pk).definitions_version == 1


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        (condition("address.city", "$in", "Berlin, Warsaw"), {"address.city": {"$in": ["Berlin", "Warsaw"]}}),
        (condition("metadata", "$more_than", "3", "level"), {"metadata.level": {"$more_than": [3]}}),
        (condition("events", "$more_than", "1", "paid"), {"events.paid.count": {"$more_than": [1]}}),
        (
            condition("summary.orders.total_amount", "$more_than", "100.50"),
            {"summary.orders.total_amount": {"$more_than": [10050]}},
        ),
        (condition("birthdate", "$this_month", "ignored"), {"birthdate": {"$this_month": [True]}}),
        (condition("created_at", "$less_than_ago", "30"), {"created_at": {"$less_than_ago": [30]}}),
        (
            condition("email", "$has_value") | condition("name", "$starts_with", "A", row=1),
            {"email": {"$has_value": [True]}, "name": {"$starts_with": ["A"]}},
        ),
    ],
)
def test_a_segment_is_made_of_conditions(marketer, fields, asked):
    add(marketer, **fields)

    expected = {field: {"conditions": conditions} for field, conditions in asked.items()}
    assert Segment.objects.get().filter == {"junction": "and"} | expected


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({}, {"field_0": ["Say at least one thing that must hold."]}),
        (condition("name", "$in"), {"value_0": ["Write at least one value."]}),
        (condition("metadata", "$in", "a"), {"key_0": ["Write its name."]}),
        (condition("name", "$this_month"), {"operator_0": ["Only dates can be asked this."]}),
        (condition("summary.orders.total_count", "$in", "x"), {"value_0": ["Write a number."]}),
        (condition("created_at", "$less_than_ago", "1, 2"), {"value_0": ["Write one number."]}),
        (
            condition("name", "$in", "a") | condition("name", "$in", "b", row=1),
            {"field_1": ["This stands in another condition already."]},
        ),
        (
            condition("created_at", "$less_than_ago", "-1"),
            {
                "__all__": [
                    "Property .filter.created_at.conditions.$less_than_ago"
                    " should have one value, a number that is not negative"
                ]
            },
        ),
    ],
)
def test_what_is_missing_is_said_on_its_field(marketer, fields, errors):
    assert errors_of(add(marketer, **fields)) == errors
    assert not Segment.objects.exists()


def test_an_unknown_customer_is_named(marketer, project):
    page = marketer.post(
        "/admin/customers/segment/add/", SEGMENT | {"type": "static", "listed": "nobody"}, follow=True
    )

    assert "Cannot find customer with id nobody" in page.content.decode()
    assert not Segment.objects.exists()


def test_a_segment_is_shown_with_its_conditions_and_some_of_its_customers(marketer, project, api):
    CustomerFactory(project=project, source_id="ann", name="Ann Smith")
    spent = {"summary.orders.total_amount": {"conditions": {"$more_than": [10050]}}}
    api.post("/v1/segments", {"name": "Big", "type": "passive", "filter": {"junction": "or"} | spent})
    api.post("/v1/segments", {"name": "Listed", "type": "static", "customers": ["ann"]})

    shown = {
        row.name: marketer.get(f"/admin/customers/segment/{row.pk}/change/").content.decode()
        for row in Segment.objects.all()
    }

    assert "Total of paid orders is more than 100.50 EUR" in shown["Big"]
    assert "Any of them" in shown["Big"]
    assert "Ann Smith" in shown["Listed"]


def test_the_list_counts_customers_and_shows_only_the_projects(marketer, project, api, other_api):
    CustomerFactory.create_batch(3, project=project)
    refs = [row["id"] for row in api.get("/v1/customers").json()["customers"]]
    api.post("/v1/segments", {"name": "Three", "type": "static", "customers": refs})
    other_api.post("/v1/segments", {"name": "Theirs", "type": "static", "customers": []})

    page = marketer.get("/admin/customers/segment/")

    assert [(row.name, row.members_count) for row in page.context["cl"].result_list] == [("Three", 3)]


def test_a_list_of_three_takes_as_many_queries_as_of_one(marketer, api):
    counts = []
    for names in (["a"], ["b", "c"]):
        for name in names:
            api.post("/v1/segments", {"name": name, "type": "static", "customers": []})
        marketer.get("/admin/customers/segment/")
        with CaptureQueriesContext(connection) as queries:
            marketer.get("/admin/customers/segment/")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_deleting_asks_for_the_segment_alone_and_grows_the_version(marketer, project, api):
    CustomerFactory(project=project, source_id="ann")
    api.post("/v1/segments", {"name": "Listed", "type": "static", "customers": ["ann"]})
    segment = Segment.objects.get()

    page = marketer.get(f"/admin/customers/segment/{segment.pk}/delete/")
    marketer.post(f"/admin/customers/segment/{segment.pk}/delete/", {"post": "yes"})

    assert page.context["deleted_objects"] == ["Listed"]
    assert not Segment.objects.exists()
    assert Project.objects.get(pk=project.pk).definitions_version == 2


def test_another_projects_segment_is_not_shown(marketer, project):
    theirs = Segment.objects.create(project=ProjectFactory(), name="Theirs", type="static")

    page = marketer.get(f"/admin/customers/segment/{theirs.pk}/change/")

    assert page.status_code == 302
