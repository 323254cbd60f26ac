"""Consents: what customers agree to, with the way and the time."""

import json

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from customers.consents import refused_categories
from customers.models import Consent, ConsentStatement
from customers.services.consent import save_consent
from promoengine.core.errors import NotFound
from promoengine.core.models import OutboxEvent
from tests.factories import CustomerFactory


@pytest.fixture
def news(project):
    return save_consent(project, name="News by e-mail", description="Once a week", now=timezone.now())


@pytest.fixture
def ann(project):
    return CustomerFactory(project=project, source_id="ann", email="ann@example.com")


def said(api, ref="ann"):
    rows = api.get(f"/v1/customers/{ref}/consents").json()["data"]
    return {row["name"]: (row["given"], row["source"]) for row in rows}


def test_consents_are_listed_as_the_sdk_expects(api, client_api, news):
    for answer in (api.get("/v1/consents"), client_api.get("/client/v1/consents")):
        listed = answer.json()
        assert listed["groups"] == {"object": "list", "total": 0, "data_ref": "data", "data": []}
        assert listed["consents"]["total"] == 1
        assert listed["consents"]["data"][0] == {
            "id": news.public_id,
            "name": "News by e-mail",
            "description": "Once a week",
            "category": "EMAIL",
            "created_at": listed["consents"]["data"][0]["created_at"],
            "object": "consent",
        }


def test_a_consent_is_made_and_changed(api):
    made = api.post("/v1/consents", {"name": "News", "description": "Once a week", "category": "SMS"}).json()

    changed = api.put(f"/v1/consents/{made['id']}", {"name": "News by SMS"}).json()

    assert (made["name"], made["description"], made["category"]) == ("News", "Once a week", "SMS")
    assert changed | {"name": "News"} == made | {"updated_at": changed.get("updated_at")}
    assert changed["name"] == "News by SMS"
    assert api.get("/v1/consents").json()["consents"]["data"] == [changed]


@pytest.mark.parametrize(
    ("body", "key", "named"),
    [
        ([], "invalid_payload", ""),
        ({}, "invalid_payload", "name"),
        ({"name": "x" * 256}, "invalid_payload", "name"),
        ({"name": "Letters", "category": "PIGEON"}, "invalid_payload", "category"),
        ({"name": "Letters", "description": 5 * [1]}, "invalid_payload", "description"),
        ({"name": "News by e-mail"}, "duplicate_found", "News by e-mail"),
    ],
)
def test_a_consent_that_is_wrong_is_neither_made_nor_changed(api, project, news, body, key, named):
    letters = save_consent(project, name="Post", category="POST", now=timezone.now())
    before = list(Consent.objects.order_by("pk").values())

    for answer in (api.post("/v1/consents", body), api.put(f"/v1/consents/{letters.public_id}", body)):
        assert (answer.json()["key"], named in answer.content.decode()) == (key, True)

    assert list(Consent.objects.order_by("pk").values()) == before


def test_a_customer_gives_a_consent_and_takes_it_back(api, ann, news):
    assert said(api) == {"News by e-mail": (False, None)}

    api.put("/v1/customers/ann/consents", {news.public_id: True}, **{"X-Voucherify-Channel": "checkout"})
    assert said(api) == {"News by e-mail": (True, "checkout")}

    api.put("/v1/customers/ann/consents", {"News by e-mail": False})
    assert said(api) == {"News by e-mail": (False, "API")}
    assert list(ConsentStatement.objects.order_by("id").values_list("is_given", flat=True)) == [True, False]


def test_saying_it_again_writes_nothing(api, ann, news):
    for _ in range(2):
        api.put("/v1/customers/ann/consents", {news.public_id: True})

    assert ConsentStatement.objects.count() == 1
    assert OutboxEvent.objects.filter(type="customer.updated").count() == 1


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"unknown": True}, 404, "unknown"),
        ({"News by e-mail": "yes"}, 400, ".News by e-mail"),
        ([], 400, "Payload"),
    ],
)
def test_what_is_wrong_changes_nothing(api, ann, news, body, status, named):
    answer = api.put("/v1/customers/ann/consents", body)

    assert answer.status_code == status
    assert named in answer.json()["details"]
    assert not ConsentStatement.objects.exists()


def test_a_browser_may_state_consents_where_the_project_lets_it_change_customers(
    client_api, project, ann, news
):
    refused = client_api.put("/client/v1/customers/ann/consents", {news.public_id: True})
    project.client_create_customer_enabled = True
    project.save()
    allowed = type(client_api)(project, "client").put(
        "/client/v1/customers/ann/consents", {news.public_id: True}
    )

    assert (refused.status_code, allowed.status_code) == (403, 204)
    assert ConsentStatement.objects.get().source == "CLIENT_API"


def test_other_projects_consents_and_customers_are_unknown(api, other_api, ann, news):
    CustomerFactory(project=other_api.project, source_id="bob")

    assert other_api.get("/v1/consents").json()["consents"]["data"] == []
    assert other_api.put("/v1/customers/ann/consents", {}).status_code == 404
    assert other_api.put("/v1/customers/bob/consents", {news.public_id: True}).status_code == 404
    assert other_api.get("/v1/customers/ann/consents").status_code == 404


def test_what_was_said_stays_without_a_name_when_the_customer_is_erased(api, ann, news):
    api.put("/v1/customers/ann/consents", {news.public_id: True})

    api.post("/v1/customers/ann/permanent-deletion")

    assert ConsentStatement.objects.get().is_given
    assert Consent.objects.count() == 1


def happened():
    return list(
        OutboxEvent.objects.filter(type__startswith="consent.").order_by("pk").values_list("type", "channel")
    )


def test_a_deleted_consent_is_asked_for_no_more_and_what_was_said_stays(api, client_api, ann, news):
    api.put("/v1/customers/ann/consents", {news.public_id: True})

    gone = api.delete(f"/v1/consents/{news.public_id}", **{"X-Voucherify-Channel": "back office"})

    assert (gone.status_code, gone.content) == (204, b"")
    for answer in (api.get("/v1/consents"), client_api.get("/client/v1/consents")):
        assert answer.json()["consents"]["data"] == []
    assert said(api) == {}
    for name in (news.public_id, news.name):
        assert api.put("/v1/customers/ann/consents", {name: False}).status_code == 404
    assert ConsentStatement.objects.get().is_given
    assert happened()[-1] == ("consent.deleted", "back office")
    held = json.loads(b"".join(api.get("/v1/customers/ann/personal-data").streaming_content))
    (stated,) = held["data"]["consent_statements"]
    assert (stated["is_given"], stated["consent__name"]) == (True, news.name)


def test_a_deleted_consent_is_neither_changed_nor_deleted_again(api, news):
    path = f"/v1/consents/{news.public_id}"
    api.delete(path)
    events = happened()

    answers = [api.delete(path), api.put(path, {"name": "Back"}), api.delete("/v1/consents/cons_1")]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert {answer.json()["key"] for answer in answers} == {"not_found"}
    assert Consent.objects.get().name == news.name
    assert happened() == events


def test_one_that_is_being_changed_while_it_is_deleted_stays_deleted(api, project, news):
    api.delete(f"/v1/consents/{news.public_id}")

    with pytest.raises(NotFound):
        save_consent(project, news, name="Back", now=timezone.now())

    assert not Consent.objects.present().exists()


def test_the_name_of_a_deleted_consent_is_free_and_its_statements_are_not_the_new_ones(api, ann, news):
    api.put("/v1/customers/ann/consents", {news.public_id: True})
    api.delete(f"/v1/consents/{news.public_id}")

    made = api.post("/v1/consents", {"name": news.name})

    assert (made.status_code, made.json()["id"] != news.public_id) == (200, True)
    assert said(api) == {news.name: (False, None)}


def test_whoever_refused_a_deleted_consent_stays_refused_until_they_agree_to_another(api, project, ann, news):
    bob = CustomerFactory(project=project, source_id="bob")
    calls = save_consent(project, name="Calls", category="PHONE", now=timezone.now())
    for ref in ("ann", "bob"):
        api.put(f"/v1/customers/{ref}/consents", {news.public_id: False, calls.public_id: True})
    api.delete(f"/v1/consents/{news.public_id}")
    assert refused_categories([ann.pk, bob.pk]) == {(ann.pk, "EMAIL"), (bob.pk, "EMAIL")}

    letters = save_consent(project, name="Letters by e-mail", now=timezone.now())
    api.put("/v1/customers/ann/consents", {letters.public_id: True})

    assert refused_categories([ann.pk, bob.pk]) == {(bob.pk, "EMAIL")}
    api.put("/v1/customers/ann/consents", {letters.public_id: False})
    assert refused_categories([ann.pk, bob.pk]) == {(ann.pk, "EMAIL"), (bob.pk, "EMAIL")}


def test_the_dashboard_deletes_a_consent_as_rest_does(api, marketer, ann, news):
    api.put("/v1/customers/ann/consents", {news.public_id: True})
    page = f"/admin/customers/consent/{news.pk}/delete/"

    asked = marketer.get(page).content.decode()
    told = marketer.post(page, {"post": "yes"}, follow=True).content.decode()

    assert "was deleted successfully" in told
    assert "stays as evidence" in asked
    assert "consent statement" not in asked
    assert ConsentStatement.objects.count() == 1
    assert happened()[-1] == ("consent.deleted", "USER_PORTAL")
    assert LogEntry.objects.get().is_deletion()
    assert news.name not in marketer.get("/admin/customers/consent/").content.decode()
    assert marketer.get(page).status_code == 302
    assert news.name not in marketer.get(f"/admin/customers/customer/{ann.pk}/change/").content.decode()


def test_several_consents_are_deleted_at_once_and_their_names_are_free(api, marketer, project, news):
    more = save_consent(project, name="More", now=timezone.now())
    chosen = {"action": "delete_selected", "_selected_action": [news.pk, more.pk], "post": "yes"}

    marketer.post("/admin/customers/consent/", chosen)
    marketer.post("/admin/customers/consent/add/", {"name": "More", "category": "SMS", "description": ""})

    assert [name for name, _channel in happened()] == ["consent.created"] * 2 + ["consent.deleted"] * 2 + [
        "consent.created"
    ]
    assert Consent.objects.present().get().category == "SMS"


def test_who_may_not_delete_consents_deletes_none(client, db, project, news):
    user = User.objects.create_user("lena", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=("view_consent", "change_consent", "add_consent"))
    )
    client.force_login(user)

    answers = [
        client.post(f"/admin/customers/consent/{news.pk}/delete/", {"post": "yes"}),
        client.get(f"/admin/customers/consent/{news.pk}/delete/"),
    ]
    client.post(
        "/admin/customers/consent/",
        {"action": "delete_selected", "_selected_action": [news.pk], "post": "yes"},
    )

    assert [answer.status_code for answer in answers] == [403] * 2
    assert Consent.objects.present().exists()
