"""Exports: a job writes a file, and a signed link that expires opens it."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from django.test import Client
from django.utils import timezone

from campaigns.models import ValidationRuleAssignment
from customers.models import Customer
from promoengine.core import xlsx_writing
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import cancel, pause, resume, run_async_action
from redemptions.export_formats import Format
from redemptions.export_objects import EXPORTED
from redemptions.models import Export, ExportPart
from redemptions.services import exports
from tests.factories import CampaignFactory, CustomerFactory, ValidationRuleFactory, VoucherFactory


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


def workbook(done):
    """Return the workbook of a finished export."""
    answer = Client().get(path_of(done))
    assert answer["Content-Type"] == Format.XLSX.content_type
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def sheet_rows(done):
    return list(workbook(done).active.values)


def json_lines(done):
    answer = Client().get(path_of(done))
    assert answer["Content-Type"].startswith("application/jsonl")
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


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


@pytest.mark.parametrize("exported_object", EXPORTED)
def test_every_field_is_in_every_format(api, shop, exported_object):
    fields = list(EXPORTED[exported_object].fields)

    head, *rows = sheet_rows(export(api, exported_object, fields=fields, format="XLSX"))
    found = json_lines(export(api, exported_object, fields=fields, format="JSONL"))

    assert len(head) == len(fields)
    assert len(found) == len(rows) > 0
    assert all(list(line) == fields for line in found)


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


def test_a_long_file_is_kept_in_parts(api, project, monkeypatch):
    monkeypatch.setattr(exports, "BYTES_A_PART", 100)
    Customer.objects.bulk_create(
        CustomerFactory.build(project=project, source_id=f"user-{n:02}") for n in range(35)
    )
    done = export(api, "customer", fields=["source_id"], order="source_id")

    assert ExportPart.objects.count() == 3
    assert lines(done)[1:] == [[f"user-{n:02}"] for n in range(35)]
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    assert (action.total_count, action.done_count, action.message) == (35, 35, "35 rows exported")


def test_a_worker_that_died_leaves_nothing_twice(api, project, shop, monkeypatch):
    monkeypatch.setattr(exports, "BYTES_A_PART", 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    dies_after(monkeypatch, parts=1)
    with pytest.raises(SystemExit):
        run_async_action(action.pk)
    assert ExportPart.objects.count() == 1
    monkeypatch.undo()

    work(project)

    assert len(lines(api.get(f"/v1/exports/{made['id']}").json())) == 2
    action.refresh_from_db()
    assert (action.done_count, action.total_count) == (1, 1)


def test_one_deleted_while_it_is_made_leaves_nothing(api, project, shop, monkeypatch):
    monkeypatch.setattr(exports, "BYTES_A_PART", 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    after_part(monkeypatch, lambda: api.delete(f"/v1/exports/{made['id']}"))

    work(project)

    assert not ExportPart.objects.exists()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    assert (action.status, action.message) == ("DONE", "The export was deleted")


def test_one_canceled_while_it_is_made_leaves_no_file(api, project, shop, monkeypatch):
    monkeypatch.setattr(exports, "BYTES_A_PART", 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    after_part(monkeypatch, lambda: cancel(project, action, now=timezone.now()))

    work(project)

    assert api.get(f"/v1/exports/{made['id']}").json()["status"] == "ERROR"
    assert not ExportPart.objects.exists()


def test_one_that_was_paused_is_made_anew(api, project, shop, monkeypatch):
    monkeypatch.setattr(exports, "BYTES_A_PART", 10)
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    action = AsyncAction.objects.get(project=project, type="EXPORT")
    after_part(monkeypatch, lambda: pause(project, action, now=timezone.now()))
    work(project)
    assert api.get(f"/v1/exports/{made['id']}").json()["status"] == "SCHEDULED"

    resume(project, action, now=timezone.now())
    work(project)

    assert len(lines(api.get(f"/v1/exports/{made['id']}").json())) == 2


def test_one_that_is_given_up_has_failed(api, project):
    made = api.post("/v1/exports", {"exported_object": "customer"}).json()
    AsyncAction.objects.filter(project=project).update(status="FAILED")
    exports.end_given_up()

    assert api.get(f"/v1/exports/{made['id']}").json()["status"] == "ERROR"


def after_part(monkeypatch, happens):
    """Let something happen once, after the first part of a file has been kept."""
    create, waiting = ExportPart.objects.create, [happens]

    def keep(**values):
        part = create(**values)
        if waiting and values["number"] == 1:
            waiting.pop()()
        return part

    monkeypatch.setattr(ExportPart.objects, "create", keep)


def dies_after(monkeypatch, *, parts):
    """Let the worker die when it has kept so many parts of a file."""
    read = exports.checkpoint

    def look(action):
        if ExportPart.objects.count() >= parts:
            raise SystemExit
        read(action)

    monkeypatch.setattr(exports, "checkpoint", look)


def test_what_a_spreadsheet_would_compute_is_quoted(api, project):
    CustomerFactory(project=project, name='=HYPERLINK("http://evil")')

    assert lines(export(api, "customer"))[1][0].startswith("'=")


HOSTILE = [
    '=HYPERLINK("http://evil")',
    "+1",
    "-1",
    "@sum",
    "\tx",
    "\rx",
    'a "b", c\nd',
    "\U0001f600 Łódź",
    "<&>",
]


def test_a_csv_file_holds_any_text_and_no_formula(api, project):
    for number, text in enumerate(HOSTILE):
        CustomerFactory(project=project, name=text, source_id=str(number))

    found = lines(export(api, "customer", fields=["name"], order="source_id"))[1:]

    assert [name for (name,) in found] == [
        *(f"'{text}" for text in HOSTILE[:6]),
        *HOSTILE[6:],
    ]


class TestXlsx:
    def test_a_spreadsheet_reads_it(self, api, project):
        voucher = VoucherFactory(
            project=project,
            code="X-1",
            additional_info="=1+1",
            expiration_date=datetime(2031, 5, 6, 7, 8, 9, 10_000, tzinfo=UTC),
            metadata={"level": -3, "note": "-3", "tags": ["a"], "on": True},
        )
        fields = [
            "id",
            "code",
            "value",
            "redemption_quantity",
            "active",
            "expiration_date",
            "additional_info",
        ]
        keys = [f"metadata.{key}" for key in ("level", "note", "tags", "on", "none")]

        head, row = sheet_rows(export(api, "voucher", fields=fields + keys, format="XLSX"))

        assert head[:3] == ("ID", "Code", "Value")
        assert row == (
            voucher.public_id,
            "X-1",
            10,
            None,
            True,
            datetime(2031, 5, 6, 7, 8, 9, 10_000, tzinfo=UTC).replace(tzinfo=None),
            "'=1+1",
            -3,
            "'-3",
            '["a"]',
            True,
            None,
        )

    def test_any_text_comes_through(self, api, project):
        texts = [*HOSTILE[6:], "_x0041_", "  blanks  ", "x\x01\ufffey", "a" * 40_000]
        for number, text in enumerate(texts):
            CustomerFactory(project=project, description=text, source_id=str(number))
        done = export(api, "customer", fields=["description"], order="source_id", format="XLSX")

        found = [text for (text,) in sheet_rows(done)[1:]]

        assert found == [*HOSTILE[6:], "_x005F_x0041_", "  blanks  ", "xy", "a" * 32_767]

    def test_days_are_days(self, api, project):
        CustomerFactory(project=project, birthdate=date(1986, 4, 26))

        done = export(api, "customer", fields=["birthdate"], format="XLSX")

        assert sheet_rows(done)[1:] == [(datetime(1986, 4, 26, tzinfo=UTC).replace(tzinfo=None),)]

    def test_what_does_not_fit_on_a_sheet_is_on_the_next(self, api, project, monkeypatch):
        monkeypatch.setattr(xlsx_writing, "ROWS_A_SHEET", 3)
        for number in range(5):
            CustomerFactory(project=project, source_id=str(number))
        book = workbook(export(api, "customer", fields=["source_id"], order="source_id", format="XLSX"))

        assert {sheet.title: [row[0] for row in sheet.values] for sheet in book} == {
            "Customers": ["Source ID", "0", "1"],
            "Customers 2": ["Source ID", "2", "3"],
            "Customers 3": ["Source ID", "4"],
        }

    def test_nothing_found_is_a_sheet_with_its_first_line(self, api):
        assert sheet_rows(export(api, "order", format="XLSX")) == [("ID", "Source ID", "Status")]


class TestJsonLines:
    def test_values_are_as_they_are(self, api, project):
        customer = CustomerFactory(
            project=project,
            name="=1+1\n",
            email=None,
            birthdate=date(1986, 4, 26),
            created_at=datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
            metadata={"level": 3, "deep": {"a": [1.5, None]}, 'say "hi" 100%': "ż"},
        )
        fields = ["id", "name", "email", "birthdate", "created_at", "metadata", 'metadata.say "hi" 100%']

        (found,) = json_lines(export(api, "customer", fields=fields, format="JSONL"))

        assert found == {
            "id": customer.public_id,
            "name": "=1+1\n",
            "email": None,
            "birthdate": "1986-04-26",
            "created_at": "2026-01-02T03:04:05.678Z",
            "metadata": {"level": 3, "deep": {"a": [1.5, None]}, 'say "hi" 100%': "ż"},
            'metadata.say "hi" 100%': "ż",
        }
        assert list(found) == fields

    def test_numbers_and_truths(self, api, project):
        VoucherFactory(project=project, quantity=3)

        (found,) = json_lines(
            export(api, "voucher", fields=["value", "redemption_quantity", "active"], format="JSONL")
        )

        assert found == {"value": 10.0, "redemption_quantity": 3, "active": True}

    def test_nothing_found_is_an_empty_file(self, api):
        assert json_lines(export(api, "order", format="JSONL")) == []


@pytest.mark.parametrize("format", ["CSV", "XLSX", "JSONL"])
def test_a_filter_that_can_match_nothing(api, shop, format):
    filters = {"id": {"conditions": {"$is": ["ord_nothing"]}}}

    assert Client().get(path_of(export(api, "order", filters=filters, format=format))).status_code == 200


@pytest.mark.parametrize(("format", "extension"), [("CSV", "csv"), ("XLSX", "xlsx"), ("JSONL", "jsonl")])
def test_a_download_has_a_name_and_a_length(api, shop, format, extension):
    done = export(api, "customer", format=format)
    answer = Client().get(path_of(done))

    assert answer["Content-Disposition"] == f'attachment; filename="{done["id"]}.{extension}"'
    assert int(answer["Content-Length"]) == len(b"".join(answer.streaming_content))


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
