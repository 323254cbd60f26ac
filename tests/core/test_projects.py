"""Projects over the management API."""

import pytest

from customers.models import Customer
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.projects import owned_models, purge_deleted_projects
from tests.api import Api
from tests.factories import (
    CampaignFactory,
    ProductCollectionFactory,
    ProjectFactory,
    PromotionTierFactory,
    SkuFactory,
    VoucherFactory,
)
from tests.versions import growths

URL = "/management/v1/projects"
NEW = {"name": "Winter shop", "case_sensitive_codes": False, "timezone": "Europe/Oslo", "currency": "NOK"}
USAGE = {"value": 80, "emails": [], "in_app": False, "enabled": False}
UNSENT = {"email": False, "emails": [], "in_app": False}


def test_a_key_lists_and_reads_its_own_project(management, project):
    ProjectFactory()

    body = management.get(URL).json()

    (shown,) = body["data"]
    assert body == {"object": "list", "data_ref": "data", "data": [shown], "total": 1}
    assert management.get(f"{URL}/{project.public_id}").json() == shown
    assert shown == {
        "id": project.public_id,
        "name": project.name,
        "description": "",
        "currency": "EUR",
        "timezone": "UTC",
        "cluster_id": "self-hosted",
        "api_version": "v2018-08-01",
        "case_sensitive_codes": True,
        "client_trusted_domains": ["*"],
        "client_redeem_enabled": False,
        "client_publish_enabled": False,
        "client_list_vouchers_enabled": False,
        "client_create_customer_enabled": False,
        "client_loyalty_events_enabled": False,
        "client_set_voucher_expiration_date_enabled": False,
        "api_usage_notifications": dict.fromkeys(
            ["messages", "api_calls", "cycle_calls", "redemptions", "webhook_calls", "bulk_api_calls"], USAGE
        ),
        "webhooks_callout_notifications": {"webhooks": UNSENT, "distributions": UNSENT},
        "is_sandbox": False,
        "webhook_version": "v2024-01-01",
    }


def test_what_browsers_are_told_is_chosen(management, project):
    url = f"{URL}/{project.public_id}"

    changed = management.put(url, {"client_refusals": "CART"}).json()
    refused = management.put(url, {"client_refusals": "SOME"}).json()

    assert changed["client_refusals"] == management.get(url).json()["client_refusals"] == "CART"
    assert refused["details"] == "Property .client_refusals must be one of ALL, CART, NONE"


def test_a_project_is_made_with_keys_that_open_it(management, client):
    made = management.post(URL, NEW).json()

    server, browser = made["server_side_key"], made["client_side_key"]
    headers = {"X-App-Id": server["app_id"], "X-App-Token": server["app_token"]}
    assert client.get("/v1/campaigns", headers=headers).json()["total"] == 0
    headers = {"X-Client-Application-Id": browser["app_id"], "X-Client-Token": browser["app_token"]}
    assert client.get("/client/v1/promotions/tiers", headers=headers).status_code == 200
    assert made | NEW == made


def test_who_makes_a_project_may_manage_it_and_nobody_else(management):
    made = management.post(URL, NEW).json()
    path = f"{URL}/{made['id']}"
    stranger = Api(ProjectFactory(), ApiKey.Kind.MANAGEMENT)

    assert [one["id"] for one in management.get(URL).json()["data"]][1:] == [made["id"]]
    body = {"related_object": "customer", "properties": {}}
    assert management.post(f"{path}/metadata-schemas", body).status_code == 200
    assert management.get(f"{path}/stacking-rules").status_code == 200
    for call in (stranger.get, stranger.put, stranger.delete):
        assert call(path).status_code == 404
    assert stranger.get(URL).json()["total"] == 1


def test_two_projects_may_have_one_name(management):
    first, second = management.post(URL, NEW).json(), management.post(URL, NEW).json()

    assert first["id"] != second["id"]
    assert Project.objects.filter(name="Winter shop").values("key").distinct().count() == 2


@pytest.mark.parametrize("missing", NEW)
def test_a_project_needs_its_settings(management, missing):
    answer = management.post(URL, {name: value for name, value in NEW.items() if name != missing})

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert answer.json()["details"] == f"Payload must have required property '{missing}'"
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ([], "Payload must be object"),
        ({"name": " "}, "Property .name must be a text of 1 to 200 characters"),
        ({"name": 5}, "Property .name must be a text of 1 to 200 characters"),
        ({"currency": "euro"}, "Property .currency must be an ISO 4217 currency code, and is 'euro'"),
        ({"timezone": "Mars"}, "Property .timezone must be an IANA time zone, and is 'Mars'"),
        ({"timezone": ["UTC"]}, "Property .timezone must be an IANA time zone, and is ['UTC']"),
        ({"client_trusted_domains": "*"}, "Property .client_trusted_domains must be an array of strings"),
        ({"client_redeem_enabled": "yes"}, "Property .client_redeem_enabled must be boolean"),
        ({"dial_code": 47}, "Property .dial_code must be string"),
        ({"api_usage_notifications": []}, "Property .api_usage_notifications must be object"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(management, project, body, details):
    answer = management.put(f"{URL}/{project.public_id}", body)

    assert (answer.status_code, answer.json()["details"]) == (400, details)
    assert growths(project) == 0


def test_an_update_changes_what_it_names_and_takes_effect(management, client_api, project):
    ProjectFactory()
    before = management.get(f"{URL}/{project.public_id}").json()
    body = {
        "description": "For the north",
        "timezone": "Europe/Oslo",
        "client_trusted_domains": ["shop.example"],
        "dial_code": "47",
        "default_code_config": {"charset": "0123456789"},
    }

    changed = management.put(f"{URL}/{project.public_id}", body).json()

    assert changed == before | body
    assert management.get(f"{URL}/{project.public_id}").json() == changed
    assert growths(project) == 1
    assert Project.objects.exclude(pk=project.pk).get().timezone == "UTC"


def test_what_clients_send_as_null_is_as_good_as_not_sent(management, project):
    nothing = dict.fromkeys(["name", "client_trusted_domains", "client_redeem_enabled", "dial_code"])

    assert management.put(f"{URL}/{project.public_id}", nothing).status_code == 200
    assert management.post(URL, NEW | {"client_trusted_domains": None}).status_code == 200
    assert management.post(URL, NEW | {"currency": None}).status_code == 400
    assert Project.objects.get(pk=project.pk).client_trusted_domains == ["*"]


def test_an_update_of_nothing_changes_nothing(management, project):
    management.put(f"{URL}/{project.public_id}", {"name": project.name})

    assert growths(project) == 0


def test_a_deleted_project_is_closed_at_once_and_gone_later(management, api, project, client):
    others = VoucherFactory().project
    VoucherFactory(project=project, campaign=CampaignFactory(project=project))
    PromotionTierFactory(project=project)
    SkuFactory(project=project)
    ProductCollectionFactory(project=project)
    api.post("/v1/events", {"event": "visit", "customer": {"source_id": "ann"}})
    made = management.post(URL, NEW).json()

    assert management.delete(f"{URL}/{project.public_id}").status_code == 204

    assert management.get(URL).status_code == 401
    assert api.get("/v1/campaigns").status_code == 401
    purge_deleted_projects()
    assert not Project.objects.filter(pk=project.pk).exists()
    left = {
        model._meta.label: model._default_manager.exclude(**{f"{owner}__in": Project.objects.all()}).count()
        for model, owner in owned_models()
    }
    assert {label: count for label, count in left.items() if count} == {}
    assert VoucherFactory._meta.model.objects.get().project == others
    assert {one.public_id for one in Project.objects.all()} == {others.public_id, made["id"]}
    assert not Customer.objects.exists()


def test_only_management_keys_open_the_management_api(api, project):
    for path in (URL, f"{URL}/{project.public_id}", f"{URL}/{project.public_id}/metadata-schemas"):
        assert api.get(path).status_code == 401
