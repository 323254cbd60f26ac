"""Segments in the dashboard."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.admin import segment_forms
from customers.membership import FIELDS
from customers.models import Segment
from promoengine.core.ids import parse_public_id
from promoengine.core.models import AsyncAction
from promoengine.core.operator_words import operator_in_words
from promoengine.core.services.definitions import current_version
from promoengine.engine.calendar import CALENDAR
from promoengine.engine.operators import OPERATORS
from tests.customers.segments import fill
from tests.factories import CustomerFactory, ProjectFactory

EMPTY = {f"{name}_{row}": "" for name in ("field", "key", "value") for row in range(3)} | {
    f"operator_{row}": "$in" for row in range(3)
}
SEGMENT = {"name": "Friends", "type": "passive", "listed": "", "junction": "and", **EMPTY}


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
    assert current_version(project) > project.definitions_version


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

    assert 'value="100.50"' in shown["Big"]
    assert "Ann Smith" in shown["Listed"]


def change(marketer, segment, **fields):
    return marketer.post(f"/admin/customers/segment/{segment.pk}/change/", SEGMENT | fields)


def made(api, **filter_):
    body = {"name": "Friends", "type": "auto-update", "filter": {"junction": "and", **filter_}}
    return Segment.objects.get(pk=parse_public_id("seg", api.post("/v1/segments", body).json()["id"]))


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"address.city": {"$in": ["Berlin", "Warsaw"]}}, condition("address.city", "$in", "Berlin, Warsaw")),
        ({"metadata.level": {"$more_than": [3]}}, condition("metadata", "$more_than", "3", "level")),
        (
            {"events.cart.left.count": {"$more_than": ["1"]}},
            condition("events", "$more_than", "1", "cart.left"),
        ),
        (
            {"summary.orders.total_amount": {"$more_than": [10050]}},
            condition("summary.orders.total_amount", "$more_than", "100.50"),
        ),
        ({"created_at": {"$less_than": [30]}}, condition("created_at", "$less_than_ago", "30")),
        ({"birthdate": {"$this_month": [True]}}, condition("birthdate", "$this_month")),
    ],
)
def test_a_filter_is_shown_in_the_form_and_stays_as_it_is(marketer, api, asked, shown):
    segment = made(api, **{field: {"conditions": one} for field, one in asked.items()})
    filter_ = segment.filter

    page = marketer.get(f"/admin/customers/segment/{segment.pk}/change/")
    initial = page.context["adminform"].form.initial
    change(marketer, segment, type="auto-update", name="Old friends", **shown)

    assert {name: initial[name] for name in shown} == shown
    segment.refresh_from_db()
    assert (segment.name, segment.filter) == ("Old friends", filter_)
    assert AsyncAction.objects.count() == 1


def test_a_changed_filter_is_filled_with_its_progress_shown(marketer, api, project):
    CustomerFactory.create_batch(2, project=project, name="Bob")
    segment = made(api, name={"conditions": {"$in": ["Ann"]}})
    fill(project)

    change(marketer, segment, type="auto-update", **condition("name", "$in", "Bob"))

    page = f"/admin/customers/segment/{segment.pk}"
    assert f"{page}/progress/" in marketer.get(f"{page}/change/").content.decode()
    assert "0 are in by now" in marketer.get(f"{page}/progress/").content.decode()
    fill(project)
    assert "all customers have been asked" in marketer.get(f"{page}/progress/").content.decode()
    assert marketer.get(f"{page}/change/").content.decode().count("Bob") > 1


def test_a_filter_that_says_more_than_the_form_stays_as_it_is(marketer, api):
    segment = made(api, name={"conditions": {"$starts_with": ["A"], "$ends_with": ["n"]}})
    filter_ = segment.filter

    page = marketer.get(f"/admin/customers/segment/{segment.pk}/change/").content.decode()
    change(marketer, segment, name="New name")

    segment.refresh_from_db()
    assert "Name starts with A" in page
    assert "field_0" not in page
    assert (segment.name, segment.filter) == ("New name", filter_)


@pytest.mark.parametrize(
    ("field", "asked", "said"),
    [
        ("metadata.club", {"$is": ["gold"]}, "Customer&#x27;s club is gold"),
        ("birthdate", {"$next_month": [True]}, "Birthday is next month"),
        ("created_at", {"$last_year": [True]}, "Customer since was last year"),
        ("birthdate", {"$this_week_md": [True]}, "Birthday is this week, whatever the year"),
        ("events.review.count", {"$more_than_or_equal": [2]}, "How often “review” happened is at least 2"),
        (
            "events.review.last_date",
            {"$more_than": [5]},
            "When “review” last happened was more than 5 days ago",
        ),
        (
            "summary.orders.average_amount",
            {"$less_than": [1250]},
            "Average of paid orders is less than 12.50",
        ),
        ("address.postal_code", {"$starts_with": ["00"]}, "Postal code starts with 00"),
    ],
)
def test_those_who_may_only_look_read_a_filter_in_words(client, project, api, field, asked, said):
    segment = made(api, **{field: {"conditions": asked}})
    user = User.objects.create_user("lena", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_segment"))
    client.force_login(user)

    assert said in client.get(f"/admin/customers/segment/{segment.pk}/change/").content.decode()


def test_every_field_and_operator_of_filters_has_words():
    unsaid = [field for field in FIELDS if field not in segment_forms.FIELDS | segment_forms.SAID]

    assert unsaid == []
    for operator in OPERATORS | CALENDAR:
        assert "$" not in operator_in_words(operator, "5")


def test_a_listed_segment_gets_a_new_name_alone(marketer, api):
    api.post("/v1/segments", {"name": "Listed", "type": "static", "customers": []})
    segment = Segment.objects.get()

    change(marketer, segment, name="Better", type="passive", **condition("name", "$in", "a"))

    segment.refresh_from_db()
    assert (segment.name, segment.type, segment.filter) == ("Better", "static", None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (condition("name", "$in", "Bob"), "2 customers now."),
        (condition("name", "$in", "Bob, Ann"), "Name is one of Bob, Ann"),
        (
            condition("summary.orders.total_amount", "$more_than", "100.50"),
            "Total of paid orders is more than 100.50 EUR",
        ),
        (condition("name", "$in", "Nobody"), "Nobody now."),
        (condition("name", "$in"), "Fill in at least one condition"),
        ({"type": "static"}, "Those who are listed."),
    ],
)
def test_the_form_says_how_many_it_would_be(marketer, project, other_api, fields, said):
    CustomerFactory.create_batch(2, project=project, name="Bob")
    CustomerFactory(project=other_api.project, name="Bob")

    page = marketer.post("/admin/customers/segment/preview/", SEGMENT | {"name": ""} | fields)

    assert said in page.content.decode()


def test_who_may_only_look_sees_the_conditions_in_words(client, project, api):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_segment"))
    client.force_login(viewer)
    segment = made(api, name={"conditions": {"$in": ["Ann"]}})

    page = client.get(f"/admin/customers/segment/{segment.pk}/change/")

    assert "Name is one of Ann" in page.content.decode()
    assert change(client, segment, name="Mine").status_code == 403


def test_another_projects_segment_has_no_progress_here(marketer, other_api):
    segment = made(other_api, name={"conditions": {"$in": ["Ann"]}})

    assert marketer.get(f"/admin/customers/segment/{segment.pk}/progress/").status_code == 404


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
    segment, version = Segment.objects.get(), current_version(project)

    page = marketer.get(f"/admin/customers/segment/{segment.pk}/delete/")
    marketer.post(f"/admin/customers/segment/{segment.pk}/delete/", {"post": "yes"})

    assert page.context["deleted_objects"] == ["Listed"]
    assert not Segment.objects.exists()
    assert current_version(project) > version


def test_another_projects_segment_is_not_shown(marketer, project):
    theirs = Segment.objects.create(project=ProjectFactory(), name="Theirs", type="static")

    page = marketer.get(f"/admin/customers/segment/{theirs.pk}/change/")

    assert page.status_code == 302
