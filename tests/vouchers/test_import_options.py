"""Imports over REST with what the dashboard asks: a check, all or nothing, columns, and the batch."""

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from promoengine.core.models import AsyncAction, UploadedFile
from promoengine.core.services.async_actions import run_async_action
from vouchers.models import CodeBatch, Voucher

INTO, OWN = "/v1/campaigns/Spring", "/v1/vouchers"
ROWS = "Code,Value,Discount Type\nA,5,AMOUNT\n\N{PARTY POPPER},5,AMOUNT\n"
RECORDS = [
    {"code": "A", "discount": {"type": "AMOUNT", "amount_off": 500}},
    {"code": "\N{PARTY POPPER}", "discount": {"type": "AMOUNT", "amount_off": 500}},
]


def table(text):
    return SimpleUploadedFile("codes.csv", text.encode())


def send_table(api, place, options, text=ROWS):
    return api.upload(f"{place}/importCSV", table(text), options)


def send_query(api, place, options, text=ROWS):
    return api.client.post(
        f"{place}/importCSV", {"file": table(text)}, query_params=options, headers=api.headers
    )


def send_records(api, place, options):
    return api.client.post(
        f"{place}/import", RECORDS, content_type="application/json", query_params=options, headers=api.headers
    )


def result_of(api, answer):
    assert answer.status_code in (200, 202), answer.content
    key = answer.json()["async_action_id"]
    run_async_action(AsyncAction.objects.latest("pk").pk)
    wire = api.get(f"/v1/async-actions/{key}").json()
    return wire["status"], wire["result"]


def refusal_of(answer):
    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload"), answer.content
    assert not AsyncAction.objects.exists()
    assert not UploadedFile.objects.exists()
    return answer.json()["details"]


WAYS = pytest.mark.parametrize(
    ("send", "place"),
    [(send, place) for send in (send_table, send_query, send_records) for place in (INTO, OWN)],
)


@WAYS
def test_a_check_tells_what_would_come_in_and_changes_nothing(api, campaign, send, place):
    status, result = result_of(api, send(api, place, {"mode": "check"}))

    assert (status, result["done_count"], result["failed_count"]) == ("DONE", 1, 1)
    assert result["message"] == "1 codes would be imported, 1 failed"
    assert result["failed"][0]["code"] == "\N{PARTY POPPER}"
    assert not Voucher.objects.exists()
    campaign.refresh_from_db()
    assert campaign.vouchers_count == 0


@WAYS
def test_all_or_nothing_is_nothing_where_one_row_is_bad(api, campaign, send, place):
    status, result = result_of(api, send(api, place, {"mode": "all"}))

    assert (status, result["message"]) == ("FAILED", "Nothing was imported: 1 of 2 rows are bad")
    assert (len(result["failed"]), Voucher.objects.count()) == (1, 0)


@WAYS
@pytest.mark.parametrize("options", [{}, {"mode": "good"}, {"webhooks_enable": "true"}])
def test_without_them_or_as_published_the_good_rows_come_in(api, campaign, send, place, options):
    status, result = result_of(api, send(api, place, options))

    assert (status, result["done_count"], result["failed_count"]) == ("DONE", 1, 1)
    assert Voucher.objects.get().code == "A"


@pytest.mark.parametrize("send", [send_table, send_query, send_records])
def test_codes_become_a_batch_as_it_is_said(api, campaign, send):
    batch = {
        "batch[name]": "Christmas",
        "batch[locked_until]": "2998-12-24T09:00:00Z",
        "batch[one_per_person]": "true",
    }
    result_of(api, send(api, INTO, batch))

    made = CodeBatch.objects.get()
    assert (made.name, made.count, made.one_per_person) == ("Christmas", 1, True)
    assert made.locked_until == datetime(2998, 12, 24, 9, tzinfo=UTC)


def test_a_batch_of_which_less_is_said_is_called_like_its_file(api, campaign):
    result_of(api, send_table(api, INTO, {"batch[one_per_person]": "true"}))

    assert CodeBatch.objects.values_list("name", "one_per_person", "locked_until").get() == (
        "codes.csv",
        True,
        None,
    )


def test_columns_are_what_they_are_said_to_be_and_the_others_what_their_headers_say(api, campaign):
    rows = "Kupon [2027],Wie oft,Geheim,Active,Color\nA,3,x,false,red\n"
    mapping = {"mapping[Kupon [2027]]": "code", "mapping[Wie oft]": "quantity", "mapping[Geheim]": ""}

    result_of(api, send_table(api, INTO, mapping, rows))

    made = api.get("/v1/vouchers/A").json()
    assert (made["redemption"]["quantity"], made["active"]) == (3, False)
    assert made["metadata"] == {"Color": "red"}


def test_a_known_column_can_be_an_attribute(api, campaign):
    result_of(api, send_table(api, INTO, {"mapping[Active]": "metadata"}, "Code,Active\nA,perhaps\n"))

    assert api.get("/v1/vouchers/A").json()["metadata"] == {"Active": "perhaps"}


@pytest.mark.parametrize(
    ("options", "details"),
    [
        ({"mode": "dry"}, "Property .mode"),
        ({"mode": ""}, "Property .mode"),
        ({"batch": "{}"}, "Property .batch should be sent as batch[name]=value"),
        ({"batch[color]": "red"}, "Property .batch.color should be one of [ name, locked_until, one_per"),
        ({"batch[name]": "x" * 256}, "Property .batch.name"),
        ({"batch[name]": "a\0b"}, "Property .batch.name"),
        ({"batch[locked_until]": "soon"}, "Property .batch.locked_until"),
        ({"batch[locked_until]": "2001-12-24"}, "Property .batch.locked_until should be in the future"),
        ({"batch[one_per_person]": "perhaps"}, "Property .batch.one_per_person"),
        ({"mapping": '{"Code": "code"}'}, "Property .mapping should be sent as mapping[name]=value"),
        ({"mapping[Code]": "coupon"}, "Property .mapping.Code"),
        ({"mapping[Kupon]": "code"}, "Property .mapping names 'Kupon', which is no column of the file"),
        ({"mapping[Value]": "code"}, "Property .mapping can't be so. Only one column can be: Code"),
        ({"mapping[Code]": ""}, "Property .mapping can't be so. There is no column 'Code'"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_starts_nothing(api, campaign, options, details):
    assert refusal_of(send_table(api, INTO, options)).startswith(details)


@pytest.mark.parametrize(
    ("options", "details"),
    [
        ({"mode": "dry"}, "Property .mode"),
        ({"batch[locked_until]": "2001-12-24"}, "Property .batch.locked_until should be in the future"),
        ({"mapping[code]": "code"}, "Property .mapping is for tables: records name their fields"),
    ],
)
def test_what_is_wrong_for_records_is_refused_by_name(api, campaign, options, details):
    assert refusal_of(send_records(api, INTO, options)).startswith(details)


@pytest.mark.parametrize("send", [send_table, send_records])
def test_codes_on_their_own_are_no_batch(api, campaign, send):
    details = refusal_of(send(api, OWN, {"batch[name]": "Christmas"}))

    assert details == "Property .batch is for codes that are imported into a campaign"


def test_the_columns_of_what_is_no_table_are_refused_at_once(api, campaign):
    answer = send_table(api, INTO, {"mapping[Code]": "code"}, "\0\0\0")

    assert (answer.status_code, UploadedFile.objects.count()) == (400, 0)
