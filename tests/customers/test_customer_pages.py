"""A customer's page in the dashboard: consents, and all that is held on them."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from customers.models import Consent, ConsentStatement, Customer
from customers.services.consent import save_consent
from tests.factories import CustomerFactory, ProjectFactory


@pytest.fixture
def ann(project):
    return CustomerFactory(project=project, source_id="ann", name="Ann", email="ann@example.com")


def page(customer, name="change"):
    return f"/admin/customers/customer/{customer.pk}/{name}/"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Fill in at least one of"),
        ({"description": "x"}, "Fill in at least one of"),
        ({"source_id": "ann", "name": "Somebody else"}, "Another customer has this id."),
    ],
)
def test_a_new_customer_is_known_by_something_and_is_nobody_else(marketer, ann, fields, said):
    page = marketer.post("/admin/customers/customer/add/", fields).content.decode()

    ann.refresh_from_db()
    assert said in page
    assert (Customer.objects.count(), ann.name) == (1, "Ann")


def test_a_guest_has_something_to_be_opened_by(marketer, project):
    guest = CustomerFactory(project=project, source_id=None, name=None, email=None, tracking_id="track_x")

    page = marketer.get("/admin/customers/customer/").content.decode()

    assert "Guest" in page
    assert marketer.get(f"/admin/customers/customer/{guest.pk}/change/").status_code == 200


def test_consents_are_made_and_renamed(marketer, project):
    marketer.post("/admin/customers/consent/add/", {"name": "News", "category": "SMS", "description": ""})
    consent = Consent.objects.get()
    marketer.post(
        f"/admin/customers/consent/{consent.pk}/change/",
        {"name": "Weekly news", "category": "EMAIL", "description": "x"},
    )

    consent.refresh_from_db()
    assert (consent.project, consent.name, consent.category) == (project, "Weekly news", "EMAIL")
    assert "Weekly news" in marketer.get("/admin/customers/consent/").content.decode()


def test_two_consents_of_one_name_are_refused_in_words(marketer, project):
    for _ in range(2):
        answer = marketer.post(
            "/admin/customers/consent/add/",
            {"name": "News", "category": "SMS", "description": ""},
        )

    assert Consent.objects.count() == 1
    assert answer.context["adminform"].form.errors == {"name": ["Another consent has this name."]}


def test_ticks_are_what_the_customer_says(marketer, project, ann):
    news, sms = (save_consent(project, name=name, now=timezone.now()) for name in ("News", "Texts"))

    marketer.post(page(ann, "consents"), {"consent": [news.public_id]})
    shown = marketer.get(page(ann)).content.decode()
    marketer.post(page(ann, "consents"), {"consent": []})

    assert "by way of the dashboard" in shown
    assert "never asked" in shown
    assert [row.is_given for row in ConsentStatement.objects.order_by("id")] == [True, False]
    assert not ConsentStatement.objects.filter(consent=sms).exists()


def test_a_page_without_consents_says_how_to_make_one(marketer, ann):
    assert "Add a consent" in marketer.get(page(ann)).content.decode()


def test_all_that_is_held_is_downloaded(marketer, ann):
    answer = marketer.get(page(ann, "personal-data"))

    assert answer["Content-Disposition"] == f'attachment; filename="personal-data-{ann.public_id}.json"'
    document = json.loads(b"".join(answer.streaming_content))
    assert document["data"]["customers"][0]["email"] == "ann@example.com"


def test_a_customer_is_erased_only_when_asked_twice(marketer, ann):
    asked = marketer.get(page(ann, "erase"))
    assert Customer.objects.get().name == "Ann"

    marketer.post(page(ann, "erase"))

    assert "Erase for good" in asked.content.decode()
    assert Customer.objects.get().name is None


@pytest.mark.parametrize("name", ["change", "personal-data", "erase"])
def test_other_projects_customers_are_not_found(marketer, name):
    stranger = CustomerFactory(project=ProjectFactory())

    assert marketer.get(page(stranger, name)).status_code in (302, 404)
    assert marketer.post(page(stranger, "erase")).status_code == 404


@pytest.mark.parametrize(
    ("method", "name"), [("get", "personal-data"), ("get", "erase"), ("post", "erase"), ("post", "consents")]
)
def test_who_may_only_look_may_do_nothing_else(client, ann, method, name):
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(reader)

    assert getattr(client, method)(page(ann, name)).status_code == 403
    shown = client.get(page(ann)).content.decode()
    assert "Erase for good" not in shown
    assert "Download all" not in shown
