"""Exports in the dashboard: what a list shows becomes a file."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from promoengine.core.models import AsyncAction, MetadataSchema
from promoengine.core.services.async_actions import run_async_action
from redemptions.models import Export
from redemptions.services import exports
from tests.factories import CampaignFactory, CustomerFactory, ProjectFactory, VoucherFactory

LISTS = {
    "voucher": "vouchers_voucher",
    "customer": "customers_customer",
    "redemption": "redemptions_redemption",
    "publication": "vouchers_publication",
    "order": "redemptions_order",
}


def user_with(*permissions):
    user = User.objects.create_user("marketer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def marketer(client, project):
    client.force_login(user_with(*(f"view_{name}" for name in LISTS)))
    return client


def ask(client, exported_object, query="", **chosen):
    return client.post(f"{reverse('admin:redemptions_export_new', args=[exported_object])}?{query}", chosen)


def make(client, exported_object, query="", *, fields, format="CSV"):
    """Return the finished export of a list, and the answer of its progress."""
    answer = ask(client, exported_object, query, fields_chosen=fields, format=format)
    assert answer.status_code == 302, answer.content.decode()
    export = Export.objects.latest("created_at")
    assert answer["Location"] == reverse("admin:redemptions_export_change", args=[export.pk])
    run_async_action(export.action_id)
    export.refresh_from_db()
    return export, progress(client, export).content.decode()


def progress(client, export):
    return client.get(reverse("admin:redemptions_export_progress", args=[export.pk]))


def rows(client, exported_object, query="", **chosen):
    """Return the rows of the file that a list's export is, without its first line."""
    _export, html = make(client, exported_object, query, **chosen)
    path = re.search(r'href="(/v1/exports/[^"]+)"', html)[1].replace("&amp;", "&")
    answer = Client().get(path)
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))[1:]


@pytest.mark.parametrize("name", LISTS)
def test_each_list_leads_to_its_export(marketer, name):
    html = marketer.get(reverse(f"admin:{LISTS[name]}_changelist"), {"q": "a b"}).content.decode()
    url = reverse("admin:redemptions_export_new", args=[name])

    assert f'href="{url}?q=a+b"' in html
    assert marketer.get(f"{url}?q=a+b").status_code == 200


@pytest.mark.parametrize(
    "query",
    ["", "q=spr", "active__exact=1", "q=SPR&active__exact=1", "o=1", "o=-1", "type__exact=GIFT_VOUCHER"],
)
def test_the_file_has_what_the_list_shows(marketer, project, query):
    for number, active in enumerate([True, False, True]):
        VoucherFactory(project=project, code=f"SPRING-{number}", active=active)
    VoucherFactory(project=project, code="OTHER")
    VoucherFactory(project=ProjectFactory(), code="FOREIGN")
    page = marketer.get(f"{reverse('admin:vouchers_voucher_changelist')}?{query}").context["cl"]

    assert rows(marketer, "voucher", query, fields=["code"]) == [[row.code] for row in page.result_list]


def test_a_campaigns_codes(marketer, project):
    campaign = CampaignFactory(project=project, name="Spring")
    VoucherFactory(project=project, campaign=campaign, code="OURS", discount=None)
    VoucherFactory(project=project, code="OTHER")
    query = f"campaign__id__exact={campaign.pk}"
    page = marketer.get(f"{reverse('admin:redemptions_export_new', args=['voucher'])}?{query}")

    assert "of the campaign Spring" in page.content.decode()
    assert rows(marketer, "voucher", query, fields=["code", "campaign"]) == [["OURS", "Spring"]]


def test_customers_that_a_search_finds(marketer, project):
    CustomerFactory(project=project, name="Ann Łuk", source_id="ann")
    CustomerFactory(project=project, name="Bob", source_id="bob")
    CustomerFactory(project=project, name="Anna", deleted_at=timezone.now(), source_id=None)

    assert rows(marketer, "customer", "q=ann", fields=["name", "source_id"]) == [["Ann Łuk", "ann"]]


def test_orders_of_a_status(marketer, api, project):
    for number, status in enumerate(["PAID", "CREATED"]):
        api.post("/v1/orders", {"source_id": f"o-{number}", "amount": 1000, "status": status})

    assert rows(marketer, "order", "status__exact=PAID", fields=["source_id", "total_amount"]) == [
        ["o-0", "1000"]
    ]


def test_redemptions_and_publications(marketer, api, project):
    VoucherFactory(project=project, code="A")
    customer = {"source_id": "ann"}
    api.post("/v1/publications", {"voucher": "A", "customer": customer})
    api.post(
        "/v1/redemptions", {"redeemables": [{"object": "voucher", "id": "A"}], "order": {"amount": 5000}}
    )
    api.post(
        "/v1/redemptions", {"redeemables": [{"object": "voucher", "id": "B"}], "order": {"amount": 5000}}
    )

    assert rows(marketer, "redemption", "result__exact=SUCCESS", fields=["voucher_code"]) == [["A"]]
    assert rows(marketer, "publication", "result__exact=SUCCESS", fields=["voucher_code"]) == [["A"]]


def test_nothing_found_is_said_and_is_a_file(marketer, project):
    page = marketer.get(reverse("admin:redemptions_export_new", args=["order"])).content.decode()

    assert "Orders: 0 rows" in page
    assert rows(marketer, "order", fields=["id"]) == []


def test_the_other_formats(marketer, project):
    export, html = make(marketer, "customer", fields=["name", "email"], format="JSONL")

    assert export.parameters == {"fields": ["name", "email"], "format": "JSONL"}
    assert "Download JSONL" in html


def test_defined_attributes_are_columns(marketer, project):
    MetadataSchema.objects.create(
        project=project,
        name="customer",
        properties={"shoe": {"type": "number", "optional": True}},
        created_at=timezone.now(),
    )
    CustomerFactory(project=project, metadata={"shoe": 43})
    page = marketer.get(reverse("admin:redemptions_export_new", args=["customer"])).content.decode()

    assert 'value="metadata.shoe"' in page
    assert rows(marketer, "customer", fields=["metadata.shoe"]) == [["43"]]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"format": "CSV"}, "Choose at least one column."),
        ({"fields_chosen": ["code"], "format": "PDF"}, "Select a valid choice"),
        ({"fields_chosen": ["color"], "format": "CSV"}, "Select a valid choice"),
    ],
)
def test_bad_choices_are_named_and_make_nothing(marketer, project, chosen, said):
    assert said in ask(marketer, "voucher", **chosen).content.decode()
    assert not Export.objects.exists()


def test_an_address_that_is_no_lists_is_refused(marketer, project):
    answer = ask(marketer, "voucher", "color=red", fields_chosen=["code"], format="CSV")

    assert answer.status_code in (302, 400)
    assert not Export.objects.exists()
    assert ask(marketer, "planet", fields_chosen=["code"], format="CSV").status_code == 404


def test_who_may_not_see_a_list_may_not_export_it(client, project):
    client.force_login(user_with("view_voucher"))

    assert ask(client, "customer", fields_chosen=["name"], format="CSV").status_code == 403
    assert not Export.objects.exists()


def test_who_lost_the_list_gets_no_file(client, project):
    user = user_with("view_customer")
    client.force_login(user)
    ask(client, "customer", fields_chosen=["name"], format="CSV")
    export = Export.objects.get()
    user.user_permissions.clear()

    run_async_action(export.action_id)

    export.refresh_from_db()
    assert "may not see the list any more" in export.action.message
    assert export.status == "ERROR"
    assert progress(client, export).status_code == 404


class TestPastExports:
    def test_the_list(self, marketer, project):
        CustomerFactory(project=project)
        make(marketer, "customer", fields=["name"])
        html = marketer.get(reverse("admin:redemptions_export_changelist")).content.decode()

        assert all(words in html for words in ("Customers, CSV", "Ready", "marketer", "/v1/exports/exp_"))

    def test_it_is_empty_at_first(self, marketer, project):
        html = marketer.get(reverse("admin:redemptions_export_changelist")).content.decode()

        assert "To make one, open a list" in html

    def test_only_what_one_may_see(self, client, api, project):
        api.post("/v1/exports", {"exported_object": "customer"})
        api.post("/v1/exports", {"exported_object": "voucher"})
        client.force_login(user_with("view_voucher"))
        html = client.get(reverse("admin:redemptions_export_changelist")).content.decode()

        assert ("Codes, CSV" in html, "Customers, CSV" in html) == (True, False)
        hidden = Export.objects.get(exported_object="customer")
        assert client.get(reverse("admin:redemptions_export_delete", args=[hidden.pk])).status_code != 200

    def test_another_projects_export_is_not_there(self, marketer, other_api):
        other_api.post("/v1/exports", {"exported_object": "customer"})
        export = Export.objects.get()

        assert progress(marketer, export).status_code == 404

    def test_deleting(self, marketer, project):
        export, _html = make(marketer, "customer", fields=["name"])
        url = reverse("admin:redemptions_export_delete", args=[export.pk])

        assert "Customers, CSV" in marketer.get(url).content.decode()
        marketer.post(url, {"post": "yes"})
        assert not Export.objects.exists()

    def test_who_sees_no_list_has_no_page(self, client, project):
        client.force_login(user_with())

        assert client.get(reverse("admin:redemptions_export_changelist")).status_code == 403
        assert "/redemptions/export/" not in client.get("/admin/").content.decode()

    def test_the_page_says_what_it_is(self, marketer, project):
        export, _html = make(marketer, "customer", "q=ann", fields=["name", "source_id"])
        html = marketer.get(reverse("admin:redemptions_export_change", args=[export.pk])).content.decode()

        assert "Name, Source ID" in html
        assert "Search: “ann”" in html
        assert reverse("admin:redemptions_export_progress", args=[export.pk]) in html

    def test_after_a_week_the_file_is_gone(self, marketer, project):
        export, _html = make(marketer, "customer", fields=["name"])
        exports.drop_old_files(now=timezone.now() + timedelta(days=8))
        html = progress(marketer, export).content.decode()

        assert "Deleted after a week" in html
        assert "/v1/exports/" not in html


def test_canceling(marketer, project):
    ask(marketer, "customer", fields_chosen=["name"], format="CSV")
    export = Export.objects.get()
    url = reverse("admin:redemptions_export_progress", args=[export.pk])

    assert "Waiting" in marketer.get(url).content.decode()
    marketer.post(url)
    run_async_action(export.action_id)

    assert "Canceled" in marketer.get(url).content.decode()
    assert AsyncAction.objects.get(pk=export.action_id).status == "CANCELED"
