"""Exports: a job writes a CSV file, and a signed link that expires opens it."""

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from redemptions.export_objects import EXPORTED
from redemptions.models import Export, ExportPart
from redemptions.services import exports
from tests.factories import CampaignFactory, CustomerFactory, VoucherFactory


def work(project):
    for action in AsyncAction.objects.filter(project=project, finished_at=None).order_by("pk"):
        run_async_action(action.pk)


def export(api, exported_object, **parameters):
    """Return the finished export of some rows, as the API shows it."""
    made = api.post("/v1/exports", {"exported_object": exported_object, "parameters": parameters})
    assert made.status_code == 200, made.json()
    assert (made.json()["status"], made.json()["result"]) == ("SCHEDULED", None)
    work(api.project)
    return api.get(f"/v1/exports/{made.json()['id']}").json()


def path_of(done):
    return done["result"]["url"].partition("testserver")[2]


def lines(done):
    """Return the lines of a finished export's file, read without any key."""
    answer = Client().get(path_of(done))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.fixture
def shop(api, project):
    """One of everything that can be exported."""
    customer = CustomerFactory(project=project, source_id="ann", name="Ann", address={"city": "Łódź"})
    campaign = CampaignFactory(project=project, name="Spring")
    VoucherFactory(project=project, campaign=campaign, code="S-1", discount=None, holder=customer)
    VoucherFactory(project=project, code="A-1", metadata={"batch": 7})
    api.post("/v1/publications", {"voucher": "A-1", "customer": {"source_id": "ann"}})
    api.post(
        "/v1/redemptions",
        {
            "redeemables": [{"object": "voucher", "id": "S-1"}],
            "order": {"amount": 1000, "source_id": "o-1"},
            "customer": {"source_id": "ann"},
        },
    )


def test_vouchers(api, shop):
    fields = ["code", "voucher_type", "value", "discount_type", "campaign", "redemption_count", "metadata"]
    found = lines(export(api, "voucher", fields=fields, order="code"))

    assert found == [
        ["Code", "Voucher Type", "Value", "Discount Type", "Campaign", "Redemption Count", "Metadata"],
        ["A-1", "DISCOUNT_VOUCHER", "10.00", "AMOUNT", "", "0", '{"batch": 7}'],
        ["S-1", "DISCOUNT_VOUCHER", "10", "PERCENT", "Spring", "1", ""],
    ]


@pytest.mark.parametrize(
    ("exported_object", "fields", "line"),
    [
        ("customer", ["name", "source_id", "address_city"], ["Ann", "ann", "Łódź"]),
        (
            "redemption",
            ["voucher_code", "campaign", "customer_name", "result"],
            ["S-1", "Spring", "Ann", "SUCCESS"],
        ),
        ("publication", ["voucher_code", "customer_source_id", "channel"], ["A-1", "ann", "API"]),
        ("order", ["source_id", "status", "amount", "total_discount_amount"], ["o-1", "PAID", "1000", "100"]),
    ],
)
def test_other_objects(api, shop, exported_object, fields, line):
    assert lines(export(api, exported_object, fields=fields))[1:] == [line]


@pytest.mark.parametrize("exported_object", EXPORTED)
def test_every_field_can_be_exported(api, shop, exported_object):
    fields = list(EXPORTED[exported_object].fields)
    found = lines(export(api, exported_object, fields=fields))

    assert len(found) > 1
    assert {len(line) for line in found} == {len(fields)}


def test_keys_of_metadata_are_fields_of_their_own(api, shop):
    api.put("/v1/orders/o-1", {"metadata": {"paid by": ["card", "gift"], "=1+1": "=2+2"}})

    found = lines(export(api, "order", fields=["metadata.paid by", "metadata.=1+1", "metadata.none"]))

    assert found == [
        ["metadata.paid by", "metadata.=1+1", "metadata.none"],
        ['["card", "gift"]', "'=2+2", ""],
    ]


@pytest.mark.parametrize("exported_object", EXPORTED)
def test_default_fields(api, shop, exported_object):
    found = lines(export(api, exported_object))

    assert len(found[0]) == len(EXPORTED[exported_object].default_fields)


def test_filters_choose_the_rows(api, shop):
    filters = {"junction": "and", "code": {"conditions": {"$starts_with": ["S-"]}}}

    assert [line[0] for line in lines(export(api, "voucher", filters=filters))] == ["Code", "S-1"]


def test_nothing_found_is_a_file_with_its_first_line(api):
    assert lines(export(api, "order")) == [["ID", "Source ID", "Status"]]


def test_a_long_file_is_written_in_parts(api, project, monkeypatch):
    monkeypatch.setattr(exports, "ROWS_A_PART", 10)
    Customer.objects.bulk_create(
        CustomerFactory.build(project=project, source_id=f"user-{n:02}") for n in range(35)
    )
    done = export(api, "customer", fields=["source_id"], order="source_id")

    assert ExportPart.objects.count() == 5
    assert lines(done)[1:] == [[f"user-{n:02}"] for n in range(35)]


def test_a_worker_that_died_leaves_nothing_twice(api, project, shop, monkeypatch):
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    found = Export.objects.get()
    exports._write(found, action)

    work(project)

    assert len(lines(api.get(f"/v1/exports/{made['id']}").json())) == 2


def test_what_a_spreadsheet_would_compute_is_quoted(api, project):
    CustomerFactory(project=project, name='=HYPERLINK("http://evil")')

    assert lines(export(api, "customer"))[1][0].startswith("'=")


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        (None, "invalid_payload", "exported_object"),
        ([], "invalid_payload", "object"),
        ({"exported_object": "planet"}, "invalid_payload", "[ voucher, redemption"),
        ({"exported_object": "order", "parameters": []}, "invalid_payload", ".parameters"),
        (
            {"exported_object": "order", "parameters": {"fields": ["color"]}},
            "invalid_export_fields",
            "Allowed fields: id, source_id",
        ),
        (
            {"exported_object": "order", "parameters": {"fields": "id"}},
            "invalid_payload",
            ".parameters.fields",
        ),
        (
            {"exported_object": "order", "parameters": {"order": "color"}},
            "invalid_payload",
            ".parameters.order",
        ),
        (
            {"exported_object": "order", "parameters": {"filters": {"color": {"conditions": {"$is": 1}}}}},
            "invalid_payload",
            ".parameters.filters.color",
        ),
        (
            {"exported_object": "order", "parameters": {"filters": {"status": 5}}},
            "invalid_payload",
            ".parameters.filters.status",
        ),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, body, key, said):
    answer = api.post("/v1/exports", body)

    assert (answer.status_code, answer.json()["key"]) == (400, key)
    assert said in answer.json()["details"]
    assert not Export.objects.exists()


class TestLinks:
    def test_a_made_up_token_opens_nothing(self, api, shop):
        done = export(api, "customer")

        assert Client().get(f"/v1/exports/{done['id']}?token=x").status_code == 401

    def test_a_token_opens_its_own_export_alone(self, api, shop):
        first, second = export(api, "customer"), export(api, "order")
        token = first["result"]["url"].partition("token=")[2]

        assert Client().get(f"/v1/exports/{second['id']}?token={token}").status_code == 401

    def test_a_link_expires(self, api, shop, monkeypatch):
        done = export(api, "customer")
        monkeypatch.setattr(exports, "LINK_GOOD_FOR", timedelta(seconds=-1))

        assert Client().get(path_of(done)).status_code == 401

    def test_files_are_deleted_after_a_week(self, api, shop):
        done = export(api, "customer")
        exports.drop_old_files(now=timezone.now() + timedelta(days=8))

        assert api.get(f"/v1/exports/{done['id']}").json()["result"] is None
        assert not ExportPart.objects.exists()
        assert Client().get(path_of(done)).status_code == 404


def test_deleting(api, shop):
    done = export(api, "customer")

    assert api.delete(f"/v1/exports/{done['id']}").status_code == 204
    assert api.get(f"/v1/exports/{done['id']}").status_code == 404
    assert Client().get(path_of(done)).status_code == 404
    assert not ExportPart.objects.exists()


def test_one_deleted_before_its_turn_is_not_made(api, project):
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    api.delete(f"/v1/exports/{made['id']}")
    work(project)

    assert AsyncAction.objects.get(project=project).status == "DONE"
    assert api.get("/v1/exports").json()["total"] == 0


def test_the_list_is_newest_first(api):
    ids = [api.post("/v1/exports", {"exported_object": name}).json()["id"] for name in ("order", "customer")]

    listed = api.get("/v1/exports").json()

    assert [row["id"] for row in listed["exports"]] == ids[::-1]
    assert listed["total"] == 2
    assert [row["id"] for row in api.get("/v1/exports", {"order": "created_at"}).json()["exports"]] == ids
