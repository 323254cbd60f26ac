"""What pages of the dashboard have in common: refusals beside what was typed, empty lists, one project."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import ProductCollection
from customers.services.locations import create_location
from promoengine.core.models import Project, RetentionPeriod
from tests.factories import CategoryFactory, ProductFactory, ProjectFactory

COLLECTION = "/admin/campaigns/productcollection/"
RETENTION = "/admin/core/retentionperiod/add/"


@pytest.fixture
def marketer(client, project):
    client.force_login(User.objects.create_superuser("marketer"))
    return client


def form_of(page):
    return page.context["adminform"].form


def test_a_form_that_a_service_refuses_comes_back_as_it_was_typed(marketer, project):
    listed = {"name": "Shirts", "type": "STATIC", "listed": "shirt\nnot-there"}
    ProductFactory(project=project, source_id="shirt")

    page = marketer.post(f"{COLLECTION}add/", listed)

    assert form_of(page).errors == {"listed": ["Cannot find product with id not-there"]}
    assert 'value="Shirts"' in page.content.decode()
    assert "not-there</textarea>" in page.content.decode()
    assert not ProductCollection.objects.exists()


def test_a_refusal_that_is_of_no_field_stands_above_the_form(marketer, project):
    for days in ("30", "40"):
        page = marketer.post(RETENTION, {"table": "customers.CustomEvent", "days": days})

    assert "change that entry" in str(form_of(page).non_field_errors())
    assert 'value="40"' in page.content.decode()
    assert RetentionPeriod.objects.get().days == 30


@pytest.mark.parametrize("path", ["/admin/", "/admin/vouchers/voucher/", "/admin/campaigns/campaign/add/"])
@pytest.mark.parametrize("is_chosen", [True, False])
def test_the_project_is_looked_up_once_a_request(marketer, project, path, is_chosen):
    if is_chosen:
        marketer.get(f"/admin/core/project/{project.pk}/work-here")

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert marketer.get(path).status_code == 200

    table = Project._meta.db_table
    found = [one["sql"] for one in queries if one["sql"].startswith(f'SELECT "{table}"."id"')]
    assert len(found) == 1


def test_who_changes_the_project_works_in_the_other_at_once(marketer, project):
    other = ProjectFactory(name="Other shop")

    page = marketer.get(f"/admin/core/project/{other.pk}/work-here", follow=True)

    assert "Other shop" in page.content.decode()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("campaigns/binentry/", "can be brought back"),
        ("campaigns/campaign/", "an offer with its codes"),
        ("campaigns/campaign/?q=spring", "Nothing is found for “spring”."),
        ("campaigns/campaign/?active__exact=1", "Nothing has all that you filter by."),
        ("vouchers/voucher/", "made with a campaign"),
        ("vouchers/voucher/?q=spring&state=USED", "Nothing is found for “spring” with these filters."),
        ("core/apikey/", "over the API"),
    ],
)
def test_an_empty_list_says_why_in_plain_words(marketer, project, path, said):
    page = marketer.get(f"/admin/{path}").content.decode()

    assert said in page
    assert ("Show all" in page) == ("?" in path)


def test_who_deletes_is_told_what_becomes_of_it(marketer, project):
    product = ProductFactory(project=project)
    category = CategoryFactory(project=project)

    asked = [
        marketer.get(f"/admin/{path}/{row.pk}/delete/").content.decode()
        for path, row in (("campaigns/product", product), ("campaigns/category", category))
    ]

    assert "It goes to the trash with its SKUs" in asked[0]
    assert "This can&#x27;t be undone." in asked[1]


def test_who_deletes_what_can_not_be_changed_comes_back_to_the_list(marketer, project):
    circle = {"center": "geo:52,21", "radius": "3 km"}
    shape = {"type": "circle", "format": "distance", "distance": circle}
    location = create_location(project, name="Town", shape=shape, now=timezone.now())

    answer = marketer.post(f"/admin/customers/location/{location.pk}/delete/", {"post": "yes"})

    assert answer["Location"] == "/admin/customers/location/"
