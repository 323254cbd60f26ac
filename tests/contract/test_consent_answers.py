"""Answers about consents: as the JavaScript SDK expects them, and as our description has them."""

import pytest

from customers.models import Consent, ConsentStatement
from tests.factories import CustomerFactory

EMPTY = {"object": "list", "total": 0, "data_ref": "data", "data": []}


@pytest.fixture
def ann(project):
    return CustomerFactory(project=project, source_id="ann")


def test_a_consents_life(ours, our_client_side):
    assert ours.call("get", "/v1/consents") == {"groups": EMPTY, "consents": EMPTY}
    made = ours.call("post", "/v1/consents", {"name": "News"})
    path = f"/v1/consents/{made['id']}"
    assert made | {"id": "", "created_at": ""} == {
        "id": "",
        "name": "News",
        "description": "",
        "category": "EMAIL",
        "created_at": "",
        "object": "consent",
    }

    changed = ours.call("put", path, {"name": "Letters", "description": "Once a year", "category": "POST"})

    assert changed.keys() - made.keys() == {"updated_at"}
    listed = ours.call("get", "/v1/consents")
    assert listed == {"groups": EMPTY, "consents": EMPTY | {"total": 1, "data": [changed]}}
    assert our_client_side.call("get", "/client/v1/consents") == listed
    ours.call("delete", path, status=204)
    assert ours.call("get", "/v1/consents") == {"groups": EMPTY, "consents": EMPTY}


def test_what_a_customer_says(ours, project, ann):
    made = ours.call("post", "/v1/consents", {"name": "News", "category": "SMS"})
    path = "/v1/customers/ann/consents"
    never = {
        "id": made["id"],
        "name": "News",
        "category": "SMS",
        "given": False,
        "source": None,
        "date": None,
        "object": "customer_consent",
    }
    assert ours.call("get", path) == EMPTY | {"total": 1, "data": [never]}

    (given,) = ours.call("put", path, {"News": True})["data"]
    (taken,) = ours.call("put", path, {made["id"]: False})["data"]

    assert (given["given"], given["source"], taken["given"]) == (True, "API", False)
    assert ours.call("get", path)["data"] == [taken]
    assert given["date"] <= taken["date"]


def test_what_a_browser_says_is_answered_with_nothing(our_client_side, project, ann):
    project.client_create_customer_enabled = True
    project.save()
    Consent.objects.create(project=project, name="News")

    our_client_side.call("put", "/client/v1/customers/ann/consents", {"News": True}, status=204)

    assert ConsentStatement.objects.get().is_given


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "Payload"),
        ({}, ".name"),
        ({"name": ""}, ".name"),
        ({"name": "x" * 256}, ".name"),
        ({"name": "New", "category": "PIGEON"}, ".category"),
        ({"name": "New", "category": None}, ".category"),
        ({"name": "New", "description": 5 * [1]}, ".description"),
        ({"name": "New", "description": "x" * 10_001}, ".description"),
    ],
)
def test_what_a_consent_can_not_be_is_refused_by_name(ours, body, says):
    made = ours.call("post", "/v1/consents", {"name": "News"})

    for method, path in (("post", "/v1/consents"), ("put", f"/v1/consents/{made['id']}")):
        assert says in ours.refused(method, path, body, status=400, key="invalid_payload")

    assert ours.call("get", "/v1/consents")["consents"]["data"] == [made]


def test_what_a_consent_is_refused_for(ours, our_client_side, ann):
    news, calls = (ours.call("post", "/v1/consents", {"name": name}) for name in ("News", "Calls"))

    same = [
        ours.refused("post", "/v1/consents", {"name": "News"}, status=409, key="duplicate_found"),
        ours.refused(
            "put", f"/v1/consents/{calls['id']}", {"name": "News"}, status=409, key="duplicate_found"
        ),
    ]
    for method, body in (("put", {"name": "x"}), ("delete", None)):
        for unknown in ("cons_nothing", news["id"] + "x", ann.public_id):
            ours.refused(method, f"/v1/consents/{unknown}", body, status=404, key="not_found")
    for path, body in (("nobody", {}), ("ann", {"Pigeons": True})):
        ours.refused("put", f"/v1/customers/{path}/consents", body, status=404, key="not_found")
    for body, says in (([], "Payload"), ({"News": 1}, ".News"), ({"News": None}, ".News")):
        refused = ours.refused("put", "/v1/customers/ann/consents", body, status=400, key="invalid_payload")
        assert says in refused
    our_client_side.refused(
        "put", "/client/v1/customers/ann/consents", {}, status=403, key="missing_required_permission"
    )

    assert all("News" in details for details in same)
    assert not ConsentStatement.objects.exists()
