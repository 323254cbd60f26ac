"""What shops have complained about for years, where several rooms answer it, by the numbers of the list."""

import ast
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import resolve

from campaigns.models import ValidationRule
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from redemptions.voucher_rows import gathering
from tests.api import Api
from tests.factories import CampaignFactory, ProjectFactory, PromotionTierFactory, VoucherFactory
from tests.limits import assert_ledger_agrees, redeem
from tests.vouchers.test_import_pages import progress, start, upload
from vouchers.models import Voucher
from vouchers.patterns import LEGIBLE_CHARSET

ROOT = Path(__file__).resolve().parent.parent
DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}


def campaign_of(api, count, **config):
    voucher = DISCOUNT | ({"code_config": config} if config else {})
    answer = api.post("/v1/campaigns", {"name": "Spring", "vouchers_count": count, "voucher": voucher})
    assert answer.status_code == 200, answer.content
    return answer.json()


def run_all():
    for action in AsyncAction.objects.filter(finished_at=None):
        run_async_action(action.pk)


@pytest.mark.django_db
def test_ask_16_many_codes_are_made_in_the_background_and_21_their_progress_is_told(api, project):
    made = campaign_of(api, 3000)
    (action,) = AsyncAction.objects.filter(project=project)
    before = api.get(f"/v1/async-actions/{action.public_id}").json()

    run_all()

    after = api.get(f"/v1/async-actions/{action.public_id}").json()
    assert made["creation_status"] == "IN_PROGRESS"
    assert (before["status"], before["progress"]) == ("ENQUEUED", 0)
    assert (after["status"], after["progress"], after["result"]["done_count"]) == ("DONE", 100, 3000)
    assert api.get("/v1/campaigns/Spring").json()["creation_status"] == "DONE"


def test_ask_17_a_crowded_space_of_codes_is_filled_to_the_exact_count(api, project):
    taken = [VoucherFactory(project=project, code=f"{number}00").code for number in range(5)]
    campaign_of(api, 900, pattern="###", charset="0123456789")

    run_all()

    made = Voucher.objects.filter(project=project, campaign__name="Spring").values_list("code", flat=True)
    assert (len(made), len(set(made) - set(taken))) == (900, 900)


def test_ask_18_codes_are_thin_and_change_with_their_campaign(api, project):
    campaign_of(api, 3)
    run_all()
    codes = Voucher.objects.filter(project=project)

    api.put("/v1/campaigns/Spring", {"voucher": {"discount": {"type": "PERCENT", "percent_off": 50}}})

    assert list(codes.values_list("discount", flat=True)) == [None] * 3
    assert not ValidationRule.objects.filter(project=project).exists()
    total = redeem(api, codes[0].code, order={"amount": 1000}).json()["order"]["total_amount"]
    assert total == 500


def test_ask_20_a_code_is_looked_up_by_one_probe_of_an_index(project):
    campaign = CampaignFactory(project=project)
    rows = [Voucher(project=project, campaign=campaign, code=f"C{n}", code_key=f"C{n}") for n in range(2000)]
    Voucher.objects.bulk_create(rows)

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE vouchers_voucher")
        asked = {"project": project.pk, "code_0": "C77", "ids": [], "session": "", "now": "2026-11-21"}
        cursor.execute(f"EXPLAIN {gathering(1, with_ids=False)}", asked)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert re.search(r"voucher_code_unique.*\n.*Index Cond: .*code_key", plan), plan


def test_ask_22_codes_on_paper_have_no_characters_that_look_alike(client, api, project):
    client.force_login(User.objects.create_superuser("marketer"))
    page = client.get("/admin/campaigns/campaign/add/").content.decode()
    campaign_of(api, 50, pattern="######", charset=LEGIBLE_CHARSET, check_character=True, avoid_words=True)

    run_all()

    assert set(LEGIBLE_CHARSET).isdisjoint("0O1IL")
    assert f'<option value="{LEGIBLE_CHARSET}"' in page
    codes = Voucher.objects.filter(project=project).values_list("code", flat=True)
    assert len(codes) == 50
    assert set("".join(codes)) <= set(LEGIBLE_CHARSET)


def test_ask_23_a_code_typed_in_small_letters_is_the_same_and_is_used_up(db):
    project = ProjectFactory(case_sensitive_codes=False)
    api = Api(project)
    code = VoucherFactory(project=project, code="Summer20", code_key="SUMMER20", quantity=1)

    keys = [redeem(api, typed).json().get("key") for typed in ("summer20", "SUMMER20", " Summer20 ")]

    code.refresh_from_db()
    assert keys == [None, "quantity_exceeded", "quantity_exceeded"]
    assert code.redeemed_quantity == 1
    assert_ledger_agrees(project)


def test_ask_24_a_file_of_codes_is_tried_before_it_comes_in_and_says_what_is_wrong(client, project):
    client.force_login(User.objects.create_superuser("marketer"))

    url = upload(client, "Code,Discount Type,Value\nGOOD,AMOUNT,5\nBAD,PERCENT,120\n")
    tried = start(client, url, mode="check")

    assert (tried.done_count, tried.failed_count) == (1, 1)
    assert "should be at most 100" in progress(client, tried)
    assert not Voucher.objects.filter(project=project).exists()


def test_ask_30_a_changed_promotion_is_in_the_next_price_without_a_job(api, project):
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    tier = PromotionTierFactory(project=project, campaign=campaign)
    asked = {"order": {"items": [{"source_id": f"p{n}", "price": 5000} for n in range(100)]}}

    def price():
        return {row["total_amount"] for row in api.post("/v1/prices", asked).json()["data"]}

    before = price()
    api.put(
        f"/v1/promotions/tiers/{tier.public_id}",
        {"action": {"discount": {"type": "AMOUNT", "amount_off": 700}}},
    )

    assert (before, price()) == ({4500}, {4300})
    assert not AsyncAction.objects.filter(project=project).exists()


def test_ask_33_what_a_return_claws_back_is_said_under_each_policy_before_it_is_made(api, project):
    code = VoucherFactory(project=project)
    rules = {"1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}}}
    rule = api.post("/v1/validation-rules", {"name": "100.00", "rules": rules}).json()
    api.post(f"/v1/validation-rules/{rule['id']}/assignments", {"voucher": code.code})
    items = [{"source_id": "hat", "price": 5000, "quantity": 2}]
    redeem(api, code.code, order={"items": items, "source_id": "o-1"})

    asked = {"items": [{"order_item_index": 0, "quantity": 1}]}
    kept, anew = (
        api.post("/v1/orders/o-1/refunds/calculation", asked | {"mode": mode}).json()
        for mode in ("KEEP", "REEVALUATE")
    )

    assert (kept["refund_amount"], kept["held_back_amount"]) == (4500, 0)
    assert (anew["refund_amount"], anew["held_back_amount"]) == (4000, 500)
    assert api.get("/v1/orders/o-1/refunds").json()["total"] == 0


# What the dashboard does by a service that no endpoint calls, and the path that does the same, or more.
BY_ANOTHER_NAME = {
    "create_campaign": "/v1/campaigns",
    "save_limits": "/v1/validation-rules",
    "set_vouchers_active": "/v1/vouchers/SUMMER/enable",
    "start_bulk_change": "/v1/vouchers/SUMMER",
    "start_listed_export": "/v1/exports",
    "save_stacking_rules": "/management/v1/projects/p/stacking-rules",
    "set_category_stacking": "/management/v1/projects/p/stacking-rules",
    "define_attribute": "/management/v1/projects/p/metadata-schemas",
    "name_schema": "/management/v1/projects/p/metadata-schemas",
    "set_defined_only": "/management/v1/projects/p/metadata-schemas/s",
    "update_project": "/management/v1/projects/p",
}
# Decided by the people who run the shop's installation, and not by its programs.
OF_OPERATORS = {
    "add_retention",
    "forget_attribute",
    "revoke_api_key",
    "set_retention",
    "start_reconciling",
}
# They answer, and change nothing.
READING = {
    "check_room",
    "columns_of",
    "current_version",
    "example_of",
    "failed_change",
    "format_of",
    "order_left",
    "preview_codes",
    "related_object",
    "running_work",
    "schema_of_campaign",
    "schemas_at",
    "schemas_now",
    "terms_of",
    "try_first_rows",
    "users_of",
}


def services_called_by(*doors):
    """Return the names of the services that modules import."""
    trees = [ast.parse(path.read_text()) for door in doors for path in ROOT.glob(door)]
    return {
        imported.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and ".services" in (node.module or "")
        for imported in node.names
        if imported.name.islower()
    }


def test_ask_38_whatever_the_dashboard_does_a_program_can_do():
    dashboard = services_called_by("*/admin/*.py", "promoengine/core/admin*.py", "promoengine/dashboard/*.py")
    rest = services_called_by("*/api/*.py", "promoengine/core/api/*.py")
    jobs = {"run_export"}

    assert len(dashboard & rest) > 30
    assert dashboard - rest - READING - jobs - {"async_actions"} == BY_ANOTHER_NAME.keys() | OF_OPERATORS
    for path in BY_ANOTHER_NAME.values():
        resolve(path)


def test_ask_38_what_a_program_makes_is_in_the_dashboard_and_goes_as_there(api, marketer):
    shape = {"type": "circle", "format": "distance", "distance": {"center": "geo:1,2", "radius": "3 km"}}
    location = api.post("/v1/locations", {"name": "Berlin", "shape": shape}).json()
    api.post("/v1/consents", {"name": "Letters", "category": "POST"})
    voucher = api.post("/v1/vouchers", {"code": "SUMMER", **DISCOUNT}).json()
    api.delete(f"/v1/vouchers/{voucher['code']}")

    pages = {
        "/admin/customers/location/": "Berlin",
        "/admin/customers/consent/": "Letters",
        "/admin/campaigns/binentry/": "SUMMER",
    }
    shown = [named in marketer.get(page).content.decode() for page, named in pages.items()]
    (entry,) = api.get("/v1/trash-bin").json()["data"]
    gone = [
        api.post(f"/v1/trash-bin/{entry['id']}/restore").status_code,
        api.delete(f"/v1/locations/{location['id']}").status_code,
    ]

    assert (shown, gone) == ([True] * 3, [204] * 2)
    assert [named in marketer.get(page).content.decode() for page, named in pages.items()] == [
        False,
        True,
        False,
    ]
