"""Importing codes in the dashboard: upload, columns, first rows, start, report, and on with the file."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from promoengine.core.models import AsyncAction, UploadedFile
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, ProjectFactory, VoucherFactory
from vouchers.models import CodeBatch, Voucher

UPLOAD = "/admin/vouchers/voucher/import/"


def upload(client, text, campaign=None, name="codes.csv"):
    """Upload a file and return where the browser is sent."""
    file = SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode())
    answer = client.post(UPLOAD, {"file": file, "campaign": campaign.pk if campaign else ""})
    assert answer.status_code == 302, re.findall(r"error[^<]*<[^<]*", answer.content.decode())
    return answer.url


def choices(client, url):
    """Return what the page has chosen, as its form would send it."""
    form = client.get(url).context["form"]
    return {bound.name: bound.value() for _, bound in form.rows()} | {"mode": form["mode"].value()}


def start(client, url, **chosen):
    """Start an import as chosen, do its work, and return it."""
    answer = client.post(url, choices(client, url) | chosen)
    action = AsyncAction.objects.latest("pk")
    assert answer.url == reverse("admin:core_asyncaction_change", args=[action.pk])
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def progress(client, action):
    return client.get(reverse("admin:core_asyncaction_progress", args=[action.pk])).content.decode()


def test_a_file_is_mapped_checked_and_then_imported(marketer, project, campaign):
    url = upload(marketer, "Gutschein;Color;Category\nA;red;Sale\nB;;\n", campaign)
    page = marketer.get(url).content.decode()
    assert "codes of Spring" in page
    assert "<div>red</div>" in page
    chosen = choices(marketer, url)
    assert chosen == {"column-0": "metadata", "column-1": "metadata", "column-2": "category", "mode": "check"}

    checked = start(marketer, url, **{"column-0": "code"})
    assert (checked.done_count, Voucher.objects.count()) == (2, 0)
    again = reverse("admin:vouchers_voucher_import_again", args=[checked.pk])
    assert again in progress(marketer, checked)
    url = marketer.get(again).url
    # What was chosen for the check is chosen still, and the next thing to do.
    assert choices(marketer, url) == chosen | {"column-0": "code", "mode": "all"}

    done = start(marketer, url)
    assert (done.status, Voucher.objects.filter(campaign=campaign).count()) == ("DONE", 2)
    assert Voucher.objects.get(code="A").metadata == {"Color": "red"}
    assert "Go on with this file" not in progress(marketer, done)
    assert marketer.get(again).url == UPLOAD


def test_the_batch_of_an_import_has_its_name_lock_and_limit(marketer, project, campaign):
    project.timezone = "Europe/Warsaw"
    project.save()
    batch = {
        "batch_name": "Leaflets",
        "locked_until_0": "2998-12-24",
        "locked_until_1": "10:00",
        "one_per_person": "on",
    }
    url = upload(marketer, "Code\nA\nB\n", campaign)
    assert "Empty is “codes.csv”." in marketer.get(url).content.decode()

    checked = start(marketer, url, **batch)
    again = marketer.get(reverse("admin:vouchers_voucher_import_again", args=[checked.pk])).url
    kept = marketer.get(again).context["form"]
    assert (kept["batch_name"].value(), kept["one_per_person"].value()) == ("Leaflets", True)
    start(marketer, again, **batch)

    made = CodeBatch.objects.get()
    assert (made.name, made.count, made.one_per_person) == ("Leaflets", 2, True)
    assert made.locked_until == datetime(2998, 12, 24, 9, tzinfo=UTC)


def test_a_lock_that_is_past_is_refused_and_nothing_starts(marketer, project, campaign):
    url = upload(marketer, "Code\nA\n", campaign)

    answer = marketer.post(
        url, choices(marketer, url) | {"locked_until_0": "2001-12-24", "locked_until_1": "10:00"}
    )

    assert "This is past" in answer.content.decode()
    assert not AsyncAction.objects.exists()


def test_a_lock_that_passes_while_rows_are_read_is_none(marketer, project, campaign):
    url = upload(marketer, "Code\nA\n", campaign)
    lock = {"locked_until_0": "2998-12-24", "locked_until_1": "10:00", "mode": "all"}
    marketer.post(url, choices(marketer, url) | lock)
    action = AsyncAction.objects.get()
    action.params["plan"]["batch"]["locked_until"] = "2001-12-24T10:00:00+00:00"
    action.save()
    run_async_action(action.pk)

    made = CodeBatch.objects.get()
    assert (made.count, made.locked_until, made.name) == (1, None, "codes.csv")


def test_codes_on_their_own_have_no_batch(marketer, project):
    url = upload(marketer, "Code,Value,Discount Type\nA,10,PERCENT\n")

    assert "locked_until" not in marketer.get(url).content.decode()


def test_what_is_wrong_with_the_first_rows_is_shown_as_columns_are_chosen(marketer, project, campaign):
    url = upload(marketer, "Code,Active\nA,maybe\n<b>,\nB,yes\n", campaign)
    place = re.search(r'hx-post="([^"]+)"', marketer.get(url).content.decode())[1].replace("&amp;", "&")

    shown = marketer.post(place, choices(marketer, url)).content.decode()
    assert "2 of the first 3 rows are good." in shown
    assert "Active should be true or false, and is &#x27;maybe&#x27;" in shown
    shown = marketer.post(place, choices(marketer, url) | {"column-1": ""}).content.decode()
    assert "3 of the first 3 rows are good." in shown
    shown = marketer.post(place, choices(marketer, url) | {"column-0": ""}).content.decode()
    assert "There is no column &#x27;Code&#x27;" in shown
    assert not Voucher.objects.exists()


def test_bad_rows_are_downloaded_and_the_file_is_gone_on_with(marketer, project, campaign):
    VoucherFactory(project=project, code="TAKEN")
    url = upload(marketer, "Code\nA\nTAKEN\n=B\nA\n", campaign)

    action = start(marketer, url, mode="all")
    assert (action.status, Voucher.objects.count()) == ("FAILED", 1)
    page = progress(marketer, action)
    report = reverse("admin:core_asyncaction_report", args=[action.pk])
    assert report in page
    assert "Row 3 TAKEN: Code exists already, on its own" in page
    answer = marketer.get(report)
    assert answer["Content-Disposition"].startswith("attachment;")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines == [
        "Row,Code,Reason",
        '3,TAKEN,"Code exists already, on its own"',
        "5,A,Code stands in row 2 already",
    ]

    url = marketer.get(reverse("admin:vouchers_voucher_import_again", args=[action.pk])).url
    assert choices(marketer, url)["mode"] == "good"
    assert start(marketer, url).done_count == 2


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"column-0": ""}, "There is no column &#x27;Code&#x27;"),
        ({"column-1": "code"}, "Only one column can be: Code"),
        ({"mode": "some"}, "Select a valid choice"),
        ({"column-1": "price"}, "Select a valid choice"),
    ],
)
def test_choices_that_say_too_little_start_nothing(marketer, project, campaign, chosen, says):
    url = upload(marketer, "Code,Color\nA,red\n", campaign)

    page = marketer.post(url, choices(marketer, url) | chosen)

    assert says in page.content.decode()
    assert not AsyncAction.objects.exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The submitted file is empty."),
        (b"\n", "The first line must name the columns"),
        (b"\x89PNG\x00", "The file is not text"),
        (b"PK\x03\x04", "The workbook is damaged"),
        (b"Code,Code\n", "Columns named twice"),
    ],
)
def test_what_is_no_table_is_refused_and_not_kept(marketer, project, content, says):
    page = marketer.post(UPLOAD, {"file": SimpleUploadedFile("x.csv", content), "campaign": ""})

    assert says in page.content.decode()
    assert not UploadedFile.objects.exists()


def test_without_a_file_or_with_a_campaign_of_nobody_it_is_asked_again(marketer, project):
    foreign = CampaignFactory(project=ProjectFactory())

    assert "This field is required." in marketer.post(UPLOAD, {}).content.decode()
    file = SimpleUploadedFile("codes.csv", b"Code\nA\n")
    page = marketer.post(UPLOAD, {"file": file, "campaign": foreign.pk}).content.decode()
    assert "Select a valid choice" in page


def test_codes_on_their_own_need_their_value(marketer, project):
    url = upload(marketer, "Code,Value,Discount Type\nA,5,\nB,10,PERCENT\nC,,\n")

    action = start(marketer, url, mode="good")

    assert Voucher.objects.get(code="A").discount == {"type": "AMOUNT", "amount_off": 500}
    assert (action.done_count, action.failed_count) == (2, 1)


def test_times_without_a_zone_are_the_shops(marketer, project, campaign):
    type(project).objects.filter(pk=project.pk).update(timezone="Europe/Warsaw")
    url = upload(marketer, "Code,End date\nA,2030-01-01\n", campaign)

    start(marketer, url, mode="all")

    assert Voucher.objects.get().expiration_date.isoformat() == "2029-12-31T23:00:00+00:00"


def test_the_campaign_leads_to_it_with_itself_chosen(marketer, project, campaign):
    page = marketer.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
    link = f"{UPLOAD}?campaign={campaign.pk}"

    assert link in page
    assert f'<option value="{campaign.pk}" selected>' in marketer.get(link).content.decode()


def test_the_list_of_codes_leads_to_it(marketer, project):
    assert f'href="{UPLOAD}' in marketer.get("/admin/vouchers/voucher/").content.decode()


def test_only_who_may_add_codes_imports_any(client, marketer, project, campaign):
    url = upload(marketer, "Code\nA\n", campaign)
    visitor = User.objects.create_user("visitor", is_staff=True)
    visitor.user_permissions.set(Permission.objects.filter(codename="view_voucher"))
    client.force_login(visitor)

    pages = [UPLOAD, url, url.replace("/?", "/try/?")]
    assert [client.get(page).status_code for page in pages] == [403, 403, 403]
    assert [client.post(page).status_code for page in pages] == [403, 403, 403]


def test_another_projects_file_campaign_and_report_are_not_there(marketer, project, campaign):
    url = upload(marketer, "Code\nA\nA\n", campaign)
    action = start(marketer, url, mode="all")
    other = ProjectFactory()
    foreign = CampaignFactory(project=other)
    assert marketer.get(f"{url.partition('?')[0]}?campaign={foreign.pk}").status_code == 404
    assert marketer.get(f"{url.partition('?')[0]}?campaign=x").status_code == 404

    marketer.get(reverse("admin:core_project_work_here", args=[other.pk]))

    report = reverse("admin:core_asyncaction_report", args=[action.pk])
    again = reverse("admin:vouchers_voucher_import_again", args=[action.pk])
    assert [marketer.get(page).status_code for page in (url, report, again)] == [404, 404, 404]
