"""Customers and events over HTTP."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from customers.models import Customer
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.jobs import refresh_customers
from tests.factories import CustomerFactory, VoucherFactory


def run_newest(project):
    action = AsyncAction.objects.filter(project=project).latest("created_at")
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def test_the_same_source_id_is_the_same_customer(api):
    first = api.post(
        "/v1/customers", {"source_id": "ann", "name": "Ann", "metadata": {"a": 1, "b": 2}}
    ).json()

    second = api.post("/v1/customers", {"source_id": "ann", "metadata": {"b": None, "c": 3}}).json()

    assert (second["id"], second["name"], second["metadata"]) == (
        first["id"],
        "Ann",
        {"a": 1, "b": None, "c": 3},
    )


def test_an_address_alone_makes_a_customer_once(api):
    first = api.post("/v1/customers", {"email": "ann@example.com"}).json()

    assert api.post("/v1/customers", {"email": "ann@example.com"}).json()["id"] == first["id"]


def test_nothing_happens_where_nothing_changes(api):
    for _ in range(2):
        api.post("/v1/customers", {"source_id": "ann", "name": "Ann"})

    assert list(OutboxEvent.objects.values_list("type", flat=True)) == ["customer.created"]


def test_the_source_id_does_not_change(api):
    api.post("/v1/customers", {"source_id": "ann"})

    assert api.put("/v1/customers/ann", {"source_id": "bob", "name": "B"}).json()["source_id"] == "ann"


def test_what_is_not_set_is_absent(api):
    made = api.post("/v1/customers", {"source_id": "ann"}).json()

    assert "metadata" not in made
    assert made["address"] is None


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([], "Payload should be object"),
        ({"source_id": {"a": 1}}, ".source_id "),
        ({"source_id": "x" * 300}, ".source_id "),
        ({"name": True}, ".name "),
        ({"name": "x" * 300}, ".name "),
        ({"email": 5}, ".email "),
        ({"email": "x" * 400}, ".email "),
        ({"phone": []}, ".phone "),
        ({"phone": "1" * 65}, ".phone "),
        ({"description": {}}, ".description "),
        ({"birthdate": "32.1.1990"}, ".birthdate "),
        ({"birthdate": 5}, ".birthdate "),
        ({"birthday": "soon"}, ".birthday "),
        ({"address": "x"}, ".address "),
        ({"address": {"city": ["x"]}}, ".address.city "),
        ({"address": {"postal_code": True}}, ".address.postal_code "),
        ({"metadata": [1]}, ".metadata "),
        ({"metadata": "x"}, ".metadata "),
    ],
)
def test_bad_input_is_named_and_makes_nobody(api, body, named):
    answer = api.post("/v1/customers", body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert named in answer.json()["details"]
    assert Customer.objects.count() == 0


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("bulk/async", {"source_id": "a"}, "array"),
        ("bulk/async", ["x"], "[0]"),
        ("bulk/async", [{"source_id": "a"}, {"name": "b"}], "[1]"),
        ("metadata/async", {"metadata": {}}, ".source_ids "),
        ("metadata/async", {"source_ids": [5], "metadata": {}}, ".source_ids "),
        ("metadata/async", {"source_ids": ["a"]}, ".metadata "),
        ("metadata/async", {"source_ids": ["a"], "metadata": [1]}, ".metadata "),
    ],
)
def test_a_wrong_bulk_request_is_named_and_starts_nothing(api, path, body, named):
    answer = api.post(f"/v1/customers/{path}", body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert named in answer.json()["details"]
    assert not AsyncAction.objects.exists()


def test_an_id_goes_before_a_source_id_sent_with_it(api):
    made = api.post("/v1/customers", {"source_id": "ann"}).json()

    again = api.post("/v1/customers", {"id": made["id"], "source_id": "other", "name": "Ann"}).json()

    assert (again["id"], again["source_id"], again["name"]) == (made["id"], "ann", "Ann")


@pytest.mark.parametrize("ref", ["a@b.example", "a b", "ä/ö", "100%"])
def test_a_source_id_may_be_any_text(api, ref):
    api.post("/v1/customers", {"source_id": ref})

    assert api.client.get(f"/v1/customers/{percent(ref)}", headers=api.headers).json()["source_id"] == ref


def test_a_deleted_customer_is_gone_and_the_source_id_free(api):
    first = api.post("/v1/customers", {"source_id": "ann"}).json()
    api.delete("/v1/customers/ann")

    assert api.get("/v1/customers/ann").status_code == 404
    assert api.post("/v1/customers", {"source_id": "ann"}).json()["id"] != first["id"]


def test_erasing_leaves_nothing_personal(api, project):
    api.post(
        "/v1/customers", {"source_id": "ann", "name": "Ann", "email": "ann@example.com", "metadata": {"x": 1}}
    )
    api.post("/v1/events", {"event": "seen", "customer": {"source_id": "ann"}})

    answer = api.post("/v1/customers/ann/permanent-deletion").json()

    (row,) = Customer.objects.values("name", "email", "source_id", "metadata")
    assert row == {"name": None, "email": None, "source_id": None, "metadata": {}}
    assert (answer["object"], answer["status"]) == ("pernament_deletion", "DONE")
    assert not OutboxEvent.objects.filter(data__icontains="ann@example.com").exists()


def test_the_summary_adds_up_what_was_redeemed(api, project):
    code = VoucherFactory(project=project).code
    body = {"order": {"amount": 3000}, "customer": {"source_id": "ann"}}
    first = api.post(f"/v1/vouchers/{code}/redemption", body).json()
    api.post(f"/v1/vouchers/{code}/redemption", body)
    api.post(f"/v1/redemptions/{first['id']}/rollback")

    refresh_customers(event_ids=[str(key) for key in OutboxEvent.objects.values_list("pk", flat=True)])

    summary = api.get("/v1/customers/ann").json()["summary"]
    assert summary["redemptions"]["total_succeeded"] == 2
    assert summary["redemptions"]["total_rolled_back"] == 1
    assert summary["orders"]["total_amount"] == 2000


def test_customers_are_imported_and_bad_rows_reported(api, project):
    rows = (
        "\ufeffSource_id,Name,Birthdate,Address_City,Color\n"
        "ann,Ann,1990-05-01,Oslo,red\n,,,,x\nbob,Bob,yesterday,,\n"
    )

    answer = api.upload("/v1/customers/importCSV", SimpleUploadedFile("c.csv", rows.encode()))
    action = run_newest(project)

    ann = api.get("/v1/customers/ann").json()
    assert answer.status_code == 202
    assert (ann["address"], ann["metadata"]) == ({"city": "Oslo"}, {"Color": "red"})
    assert (action.done_count, [failure["row"] for failure in action.failed]) == (1, [3, 4])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_files_of_any_common_encoding_are_read(api, project, encoding):
    content = 'Source_id;Name\nann;"Änn\nÖ"\n'.encode(encoding)

    api.upload("/v1/customers/importCSV", SimpleUploadedFile("c.csv", content))
    run_newest(project)

    assert api.get("/v1/customers/ann").json()["name"] == "Änn\nÖ"


def test_many_are_updated_at_once(api, project):
    CustomerFactory(project=project, source_id="ann", metadata={"a": 1})

    api.post("/v1/customers/metadata/async", {"source_ids": ["ann", "new"], "metadata": {"b": 2}})
    run_newest(project)

    assert api.get("/v1/customers/ann").json()["metadata"] == {"a": 1, "b": 2}
    assert api.get("/v1/customers/new").json()["metadata"] == {"b": 2}


def test_a_bulk_request_without_a_body_is_no_error(api):
    assert api.post("/v1/customers/bulk/async").status_code == 202
    assert api.post("/v1/customers/metadata/async").status_code == 202


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["C", "B", "A"]),
        ({"order": "created_at", "limit": 2}, ["A", "B"]),
        ({"name": "b"}, ["B"]),
        ({"email": "C@EXAMPLE"}, ["C"]),
        ({"city": "oslo"}, ["A"]),
        ({"created_at[after]": "2999-01-01"}, []),
    ],
)
def test_customers_are_listed(api, query, names):
    for name in ("A", "B", "C"):
        address = {"city": "Oslo"} if name == "A" else None
        api.post(
            "/v1/customers",
            {"source_id": name, "name": name, "email": f"{name}@example.com", "address": address},
        )

    assert [row["name"] for row in api.get("/v1/customers", query).json()["customers"]] == names


def test_listing_asks_as_much_for_three_as_for_one(api, project, django_assert_num_queries):
    for _ in range(4):
        CustomerFactory(project=project)
    api.get("/v1/customers")

    with django_assert_num_queries(2):
        api.get("/v1/customers", {"limit": 1})
    with django_assert_num_queries(2):
        api.get("/v1/customers", {"limit": 3})


def percent(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())
