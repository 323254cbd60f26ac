"""Files of exports as CSV, as spreadsheets and as lines of JSON."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from promoengine.core import xlsx_writing
from redemptions.export_objects import EXPORTED
from tests.factories import CustomerFactory, VoucherFactory
from tests.redemptions.exporting import export, json_lines, lines, path_of, sheet_rows, workbook


@pytest.mark.parametrize("exported_object", EXPORTED)
def test_every_field_is_in_every_format(api, shop, exported_object):
    fields = list(EXPORTED[exported_object].fields)

    head, *rows = sheet_rows(export(api, exported_object, fields=fields, format="XLSX"))
    found = json_lines(export(api, exported_object, fields=fields, format="JSONL"))

    assert len(head) == len(fields)
    assert len(found) == len(rows) > 0
    assert all(list(line) == fields for line in found)


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
