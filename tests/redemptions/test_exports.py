"""Exports over REST: what is in them, what is wrong with one, and a signed link that expires."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import ValidationRuleAssignment
from redemptions.export_objects import EXPORTED
from redemptions.models import Export, ExportPart
from redemptions.services import exports
from tests.factories import CampaignFactory, ValidationRuleFactory, VoucherFactory
from tests.redemptions.exporting import export, lines, path_of


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


def test_rules_on_a_code_and_its_campaign_are_named(api, project):
    campaign = CampaignFactory(project=project)
    voucher = VoucherFactory(project=project, campaign=campaign, code="A", discount=None)
    VoucherFactory(project=project, code="B")
    rules = [ValidationRuleFactory(project=project) for _ in range(3)]
    for rule, kind, guarded in zip(
        rules, ["campaign", "voucher", "voucher"], [campaign, voucher, voucher], strict=True
    ):
        ValidationRuleAssignment.objects.create(
            project=project, rule=rule, related_object_type=kind, related_object_id=guarded.pk
        )

    found = lines(export(api, "voucher", fields=["code", "validation_rules_id"], order="code"))[1:]

    assert found == [["A", ", ".join(rules[place].public_id for place in (1, 2, 0))], ["B", ""]]


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


def test_another_projects_export_is_not_there(api, shop, other_api):
    done = export(api, "customer")

    assert other_api.get(f"/v1/exports/{done['id']}").status_code == 404
    assert other_api.delete(f"/v1/exports/{done['id']}").status_code == 404


@pytest.mark.parametrize(
    ("discount", "value"),
    [
        ({"type": "PERCENT", "percent_off": "12.5", "amount_off": "much"}, "12.5"),
        ({"type": "AMOUNT", "amount_off": 1999}, "19.99"),
        ({"type": "FIXED", "fixed_amount": 5}, "0.05"),
        ({"type": "UNIT", "unit_off": 2, "unit_type": "p"}, "2"),
        ({"type": "AMOUNT", "amount_off_formula": "10"}, ""),
    ],
)
def test_a_value_is_what_the_type_says(api, project, discount, value):
    VoucherFactory(project=project, discount=discount)

    assert lines(export(api, "voucher", fields=["value", "discount_type"]))[1:] == [[value, discount["type"]]]


@pytest.mark.parametrize(
    ("body", "key", "said"),
    [
        (
            {"exported_object": "order", "parameters": {"format": "PDF"}},
            "invalid_payload",
            ".parameters.format should be equal to one of the allowed values [ CSV, XLSX, JSONL ]",
        ),
        ({"exported_object": "order", "parameters": {"format": []}}, "invalid_payload", ".parameters.format"),
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


def test_the_list_is_newest_first(api):
    ids = [api.post("/v1/exports", {"exported_object": name}).json()["id"] for name in ("order", "customer")]

    listed = api.get("/v1/exports").json()

    assert [row["id"] for row in listed["exports"]] == ids[::-1]
    assert listed["total"] == 2
    assert [row["id"] for row in api.get("/v1/exports", {"order": "created_at"}).json()["exports"]] == ids
