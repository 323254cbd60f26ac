"""Many codes changed at once: picked ones or all that match, with progress, one entry of audit, and undo."""

import contextlib
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import BinEntry
from promoengine.core.errors import DomainError
from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services import async_actions
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, ProjectFactory, VoucherFactory
from vouchers.models import ChangedVoucher, Voucher
from vouchers.selections import Selection
from vouchers.services import bulk_change
from vouchers.services.bin import restore_entries
from vouchers.services.bulk_change import Change, forget_undo, start_bulk_change

PAGE = "/admin/vouchers/voucher/change-many/"


@pytest.fixture
def codes(project, monkeypatch):
    """Ten codes, A-0 to A-9, the even ones disabled, changed three at a time."""
    monkeypatch.setattr(bulk_change, "BATCH", 3)
    return [
        VoucherFactory(project=project, code=f"A-{n}", code_key=f"A-{n}", active=n % 2 == 1)
        for n in range(10)
    ]


def change_all(project, kind, selection=None, **said):
    action = start_bulk_change(
        project,
        selection=selection or Selection(),
        change=Change(kind, **said),
        channel="USER_PORTAL",
        now=timezone.now(),
    )
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def enabled():
    return set(Voucher.objects.filter(active=True).values_list("code", flat=True))


def test_all_that_match_are_disabled_with_one_entry_of_audit(project, codes):
    action = change_all(project, "disable", Selection(search="a-"))

    entry = OutboxEvent.objects.get(project=project)
    assert (action.status, action.done_count, action.total_count) == ("DONE", 10, 10)
    assert enabled() == set()
    assert (entry.type, entry.data["count"], entry.data["change"]["kind"]) == (
        "vouchers.changed",
        10,
        "disable",
    )


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ({"search": " A-3 "}, 1),
        ({"active": "true"}, 5),
        ({"type": "GIFT_VOUCHER"}, 0),
        ({"campaign": "spring"}, 1),
        ({"picked": [0, 1, 2]}, 3),
        ({}, 11),
    ],
)
def test_what_a_list_shows_is_what_is_changed(project, codes, selection, count):
    campaign = CampaignFactory(project=project)
    VoucherFactory(project=project, campaign=campaign, code="B", code_key="B", active=False)
    VoucherFactory(project=ProjectFactory(), code="A-3", code_key="A-3")
    if "campaign" in selection:
        selection = {"campaign": str(campaign.pk)}
    if "picked" in selection:
        selection = {"picked": [str(codes[n].pk) for n in selection["picked"]]}

    assert bulk_change.parse_selection(selection).rows(project).count() == count


def test_undo_gives_back_what_was_changed_and_nothing_else(project, codes):
    action = change_all(project, "disable")
    Voucher.objects.filter(code="A-2").update(active=True)

    run_async_action(async_actions.undo(project, action, now=timezone.now()).pk)

    assert enabled() == {"A-1", "A-2", "A-3", "A-5", "A-7", "A-9"}
    assert ChangedVoucher.objects.count() == 0


def test_a_change_is_undone_over_rest(api, project, codes):
    action = change_all(project, "disable")

    answer = api.post(f"/v1/async-actions/{action.public_id}/undo")
    run_async_action(AsyncAction.objects.latest("pk").pk)

    undoing = AsyncAction.objects.latest("pk")
    assert (answer.status_code, answer.json()) == (202, {"async_action_id": undoing.public_id})
    assert enabled() == {"A-1", "A-3", "A-5", "A-7", "A-9"}
    assert api.post(f"/v1/async-actions/{action.public_id}/undo").status_code == 400


def test_what_somebody_else_changed_meanwhile_stays(project, codes):
    action = change_all(project, "enable")
    Voucher.objects.filter(code="A-0").update(active=False)

    run_async_action(async_actions.undo(project, action, now=timezone.now()).pk)

    assert enabled() == {"A-1", "A-3", "A-5", "A-7", "A-9"}


def test_a_change_is_undone_once(project, codes):
    action = change_all(project, "disable")
    async_actions.undo(project, action, now=timezone.now())
    action.refresh_from_db()

    with pytest.raises(async_actions.NotUndoable):
        async_actions.undo(project, action, now=timezone.now())


def test_after_a_month_there_is_no_undo(project, codes):
    action = change_all(project, "disable")

    forget_undo(now=timezone.now() + timedelta(days=31))

    action.refresh_from_db()
    assert (action.undo_job, ChangedVoucher.objects.count()) == ("", 0)


def test_a_new_end_leaves_out_codes_that_start_later(project, codes):
    until = timezone.now() + timedelta(days=10)
    Voucher.objects.filter(code="A-4").update(start_date=until + timedelta(days=1))

    action = change_all(project, "extend", until=until)

    ends = set(Voucher.objects.exclude(code="A-4").values_list("expiration_date", flat=True))
    assert {f"{end:%F %H:%M}" for end in ends} == {f"{until:%F %H:%M}"}
    assert (action.done_count, action.failed_count) == (9, 1)


def test_an_attribute_is_set_beside_the_others(project, codes):
    Voucher.objects.update(metadata={"shelf": "A", "lang": "de"})

    change_all(project, "set_metadata", metadata={"lang": "en"})

    assert list(Voucher.objects.values_list("metadata", flat=True)) == [{"shelf": "A", "lang": "en"}] * 10


def test_deleted_codes_go_and_their_campaign_counts_them_no_more(project, codes):
    campaign = CampaignFactory(project=project, vouchers_count=4)
    Voucher.objects.filter(code__in=["A-1", "A-2", "A-3"]).update(campaign=campaign)

    change_all(project, "delete", Selection(campaign=campaign.pk))

    campaign.refresh_from_db()
    assert (Voucher.objects.present().count(), campaign.vouchers_count) == (7, 1)


def test_deleted_codes_lie_in_the_bin_each_and_come_back_all_at_once(api, project, codes):
    campaign = CampaignFactory(project=project, vouchers_count=4)
    Voucher.objects.filter(code__in=["A-1", "A-2", "A-3"]).update(campaign=campaign)
    before = dict(Voucher.objects.values_list("code", "active"))

    change_all(project, "delete", Selection(search="a-"))
    binned = api.get("/v1/trash-bin", {"limit": 100}).json()["data"]
    keys = list(BinEntry.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as queries:
        count = restore_entries(project, keys, now=timezone.now())

    campaign.refresh_from_db()
    assert {entry["resource_name"] for entry in binned} == before.keys()
    assert {entry["resource_type"] for entry in binned} == {"voucher"}
    assert sum(entry["resource_parent_id"] == campaign.public_id for entry in binned) == 3
    assert (count, campaign.vouchers_count) == (10, 4)
    assert dict(Voucher.objects.present().values_list("code", "active")) == before
    assert not BinEntry.objects.exists()
    assert len(queries) < 12


def test_a_worker_killed_while_it_deletes_leaves_no_code_without_its_entry(project, codes, monkeypatch):
    put, calls = bulk_change.put_codes_in_bin, []

    def die_at_the_third(*args, **kwargs):
        calls.append(1)
        if len(calls) == 3:
            raise MemoryError
        put(*args, **kwargs)

    monkeypatch.setattr(bulk_change, "put_codes_in_bin", die_at_the_third)
    action = start_bulk_change(
        project, selection=Selection(), change=Change("delete"), channel="API", now=timezone.now()
    )
    with contextlib.suppress(MemoryError):
        run_async_action(action.pk)
    gone = set(Voucher.objects.filter(deleted_at__isnull=False).values_list("code", flat=True))

    assert len(gone) == 6
    assert set(BinEntry.objects.values_list("resource_name", flat=True)) == gone


def test_codes_do_not_come_back_without_their_campaign_and_then_none_does(project, codes):
    campaign = CampaignFactory(project=project, vouchers_count=1, deleted_at=timezone.now())
    Voucher.objects.filter(code="A-1").update(campaign=campaign)
    change_all(project, "delete")
    keys = list(BinEntry.objects.values_list("pk", flat=True))

    with pytest.raises(DomainError, match="A-1"):
        restore_entries(project, keys, now=timezone.now())

    assert not Voucher.objects.present().exists()
    assert BinEntry.objects.count() == 10


def test_codes_made_after_the_start_are_left_alone(project, codes):
    action = start_bulk_change(
        project, selection=Selection(), change=Change("disable"), channel="API", now=timezone.now()
    )
    VoucherFactory(project=project, code="NEW", code_key="NEW")

    run_async_action(action.pk)

    assert enabled() == {"NEW"}


def test_a_killed_worker_is_followed_by_one_that_goes_on(project, codes, monkeypatch):
    action = start_bulk_change(
        project, selection=Selection(), change=Change("disable"), channel="API", now=timezone.now()
    )
    advance, steps = bulk_change.advance, []

    def die_in_the_second(*args, **kwargs):
        steps.append(args)
        if len(steps) == 2:
            raise KeyboardInterrupt
        advance(*args, **kwargs)

    monkeypatch.setattr(bulk_change, "advance", die_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        run_async_action(action.pk)
    monkeypatch.setattr(bulk_change, "advance", advance)
    run_async_action(action.pk)

    action.refresh_from_db()
    assert (action.status, action.done_count, enabled()) == ("DONE", 10, set())
    assert ChangedVoucher.objects.count() == 5


@pytest.mark.parametrize(
    ("selection", "change", "problem"),
    [
        (Selection(search="nowhere"), Change("disable"), "no such codes"),
        (Selection(), Change("explode"), "no change 'explode'"),
        (Selection(), Change("set_metadata"), "Name an attribute"),
    ],
)
def test_what_can_not_be_changed_is_refused(project, codes, selection, change, problem):
    with pytest.raises(bulk_change.InvalidPayload) as refusal:
        start_bulk_change(project, selection=selection, change=change, channel="API", now=timezone.now())

    assert problem in refusal.value.details
    assert AsyncAction.objects.count() == 0


def test_the_page_shows_what_is_meant_and_starts_the_change(marketer, project, codes):
    shown = marketer.get(f"{PAGE}?q=a-&active__exact=1").content.decode()
    started = marketer.post(f"{PAGE}?q=a-&active__exact=1", {"kind": "disable"})
    action = AsyncAction.objects.get()
    run_async_action(action.pk)
    ended = marketer.get(f"/admin/core/asyncaction/{action.pk}/progress/").content.decode()
    undone = marketer.post(f"/admin/core/asyncaction/{action.pk}/undo/")
    run_async_action(AsyncAction.objects.latest("created_at").pk)

    assert "5 codes" in shown
    assert "“a-” in the code, enabled" in shown
    assert started.url == f"/admin/core/asyncaction/{action.pk}/change/"
    assert "Undo" in ended
    assert undone.status_code == 302
    assert enabled() == {"A-1", "A-3", "A-5", "A-7", "A-9"}


def test_picked_codes_lead_to_the_page(marketer, project, codes):
    picked = [str(codes[0].pk), str(codes[3].pk)]
    answer = marketer.post(
        "/admin/vouchers/voucher/", {"action": "change_picked", "_selected_action": picked}
    )

    page = marketer.get(answer.url).content.decode()

    assert "2 codes" in page
    assert "Those that you picked" in page


@pytest.mark.parametrize(
    ("filled", "field"),
    [
        ({"kind": "set_metadata"}, "name"),
        ({"kind": "set_metadata", "name": "size", "value": "much", "value_kind": "number"}, "value"),
        ({"kind": "set_metadata", "name": "new", "value": "perhaps", "value_kind": "boolean"}, "value"),
        ({"kind": "extend", "until_0": "tomorrow"}, "until"),
        ({}, "kind"),
    ],
)
def test_mistakes_are_shown_on_their_fields(marketer, project, codes, filled, field):
    answer = marketer.post(PAGE, filled)

    assert field in answer.context["form"].errors
    assert AsyncAction.objects.count() == 0


def test_a_wrong_address_is_told(marketer, project, codes):
    page = marketer.get(f"{PAGE}?campaign__id__exact=nonsense").content.decode()

    assert "is no key" in page


def test_deleting_needs_its_own_permission(client, project, codes):
    user = User.objects.create_user("helper", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="change_voucher"))
    client.force_login(user)

    assert client.post(PAGE, {"kind": "delete"}).status_code == 403
    assert client.post(PAGE, {"kind": "disable"}).status_code == 302


def test_metadata_comes_in_by_code_over_rest(api, project, codes):
    rows = [{"code": f" A-{n} ", "metadata": {"lang": "en", "n": n}} for n in (1, 2)]
    answer = api.post("/v1/vouchers/bulk/async", [*rows, {"code": "NONE", "metadata": {}}])
    action = AsyncAction.objects.get()
    run_async_action(action.pk)

    result = api.get(f"/v1/async-actions/{answer.json()['async_action_id']}").json()
    assert answer.status_code == 202
    assert (result["type"], result["result"]["done_count"]) == ("VOUCHERS.BULK_UPDATE", 2)
    assert result["result"]["failed"] == [{"code": "NONE", "reason": "There is no such code"}]
    assert Voucher.objects.get(code="A-2").metadata == {"lang": "en", "n": 2}


def test_one_metadata_comes_into_many_codes_over_rest(api, project, codes):
    answer = api.post(
        "/v1/vouchers/metadata/async", {"codes": ["A-1", "A-2", "A-1"], "metadata": {"a": None}}
    )
    run_async_action(AsyncAction.objects.get().pk)

    assert answer.status_code == 202
    assert Voucher.objects.filter(metadata={"a": None}).count() == 2


@pytest.mark.parametrize(
    ("path", "sent", "field"),
    [
        ("bulk", {"code": "A"}, "should be array"),
        ("bulk", ["A"], "[0]"),
        ("bulk", [{"code": "A", "metadata": {}}, {"code": 5}], "[1]"),
        ("bulk", [{"code": "A", "metadata": "x"}], "[0].metadata"),
        ("metadata", {"codes": "A", "metadata": {}}, ".codes"),
        ("metadata", {"codes": ["A"], "metadata": []}, ".metadata"),
    ],
)
def test_bad_bulk_input_names_the_field(api, project, path, sent, field):
    answer = api.post(f"/v1/vouchers/{path}/async", sent)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert field in answer.json()["details"]
    assert AsyncAction.objects.count() == 0
