"""Counts, balances and counters against their ledgers: what drifted is found, said, and set right."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from redemptions.models import Redemption, UsageCounter
from redemptions.services.reconcile import Position, compare, differences
from tests.factories import CampaignFactory, VoucherFactory
from tests.limits import assert_ledger_agrees, body, key_of, limit, lock, redeem, roll_back
from vouchers.models import Voucher
from vouchers.services.usage import roll_up_usage


@pytest.fixture
def busy(api, project):
    """A project where everything has happened; return its limited code."""
    campaign = CampaignFactory(project=project)
    code = VoucherFactory(project=project, campaign=campaign, discount=None, code="FEW", quantity=9)
    free = VoucherFactory(project=project, campaign=campaign, discount=None, code="MANY")
    card = VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=9000, gift_balance=9000, code="CARD"
    )
    limit(campaign, "campaign.redemptions.count", 50)
    limit(campaign, "campaign.redemptions.customers_count.daily", 50)
    limit(campaign, "campaign.orders.amount_discounted", 10**6)
    made = [redeem(api, code.code, free.code, card.code, customer={"source_id": who}) for who in "abc"]
    roll_back(api, made[0])
    roll_up_usage()
    redeem(api, free.code, customer={"source_id": "d"})
    redeem(api, free.code, "UNKNOWN")
    api.post("/v1/vouchers/CARD/balance", {"amount": 700})
    api.post("/v1/validations", body(code.code, session=lock()))
    return code


def reconcile(**options):
    call_command("reconcile", **options)


def test_a_busy_project_has_nothing_to_report(project, busy):
    assert_ledger_agrees(project)
    reconcile()


@pytest.mark.parametrize(
    ("drift", "said"),
    [
        (
            lambda: Voucher.objects.filter(code="FEW").update(redeemed_quantity=3),
            "Code FEW, uses: stands at 3, and by the ledger should be 2",
        ),
        (
            lambda: Voucher.objects.filter(code="MANY").update(redeemed_quantity=F("redeemed_quantity") - 1),
            "Code MANY, uses: stands at 2, and by the ledger should be 3",
        ),
        (
            lambda: Voucher.objects.filter(code="CARD").update(gift_balance=1),
            "Code CARD, gift balance, in minor units: stands at 1, and by the ledger should be 4750",
        ),
        (
            lambda: UsageCounter.objects.filter(measure="discount_amount").update(value=7),
            "Campaign Sale, discounts: stands at 7, and by the ledger should be 2400",
        ),
        (
            lambda: UsageCounter.objects.filter(measure="count", subject="").update(value=F("value") + 2),
            "Campaign Sale, redemptions: stands at 7, and by the ledger should be 5",
        ),
        (
            lambda: Redemption.objects.filter(voucher_code="FEW", status="ROLLED_BACK").update(
                status="SUCCEEDED"
            ),
            "Code FEW, uses: stands at 2, and by the ledger should be 3",
        ),
    ],
)
def test_drift_is_found_and_set_right(project, busy, drift, said, capsys):
    busy.campaign.name = "Sale"
    busy.campaign.save()
    drift()

    found = [str(one) for one in differences(project)]
    with pytest.raises(CommandError):
        reconcile(project=project.key)
    reconcile(fix=True)

    assert said in found
    assert f"{project.key}: {said} (set right)" in capsys.readouterr().out
    assert_ledger_agrees(project)


def test_a_counter_of_a_customers_day_is_said_in_plain_words(project, busy):
    counter = UsageCounter.objects.filter(window="day").first()
    UsageCounter.objects.filter(pk=counter.pk).update(value=40)

    (difference,) = differences(project)

    assert str(difference) == (
        f"Campaign {busy.campaign.name}, redemptions by {counter.subject.replace(':', ' ')} in the day from"
        f" {counter.starts_at:%Y-%m-%d}: stands at 40, and by the ledger should be {difference.expected}"
    )


def test_what_is_set_right_limits_again(api, project, busy):
    limit(busy.campaign, "campaign.redemptions.count", 6)
    UsageCounter.objects.filter(measure="count", subject="").update(value=0)
    reconcile(fix=True)

    keys = [key_of(redeem(api, "MANY", customer={"source_id": who})) for who in "xy"]

    assert keys == ["success", "redemption_rules_violated"]


def test_a_code_used_beyond_its_limit_is_left_and_told(project, busy):
    Voucher.objects.filter(code="FEW").update(quantity=1, redeemed_quantity=1)

    with pytest.raises(CommandError, match="1 differ"):
        reconcile(fix=True)


def test_pages_leave_nothing_out(project):
    for number in range(5):
        VoucherFactory(project=project, quantity=9, redeemed_quantity=number % 2)

    assert len(list(differences(project, page_size=2))) == 2
    assert compare(project, Position(), page_size=2).checked == 2


def test_one_page_is_compared_in_a_fixed_number_of_queries(project, busy, django_assert_num_queries):
    for _ in range(3):
        VoucherFactory(project=project, quantity=9)

    with django_assert_num_queries(1):
        compare(project, Position())


def test_another_projects_drift_is_its_own(project, other_api):
    VoucherFactory(project=other_api.project, quantity=9, redeemed_quantity=1)

    assert_ledger_agrees(project)
    reconcile(project=project.key)


def test_an_unknown_project_is_said(db):
    with pytest.raises(CommandError, match="No project has the key 'none'"):
        reconcile(project="none")


# The page


@pytest.fixture
def operator(client, project):
    client.force_login(User.objects.create_superuser("operator"))
    return client


def page(client):
    return client.get("/admin/health/").content.decode()


def test_the_page_checks_when_it_is_told_to(operator, project, busy):
    before = page(operator)
    operator.post("/admin/health/")
    running = page(operator)
    run_async_action(AsyncAction.objects.get(type="RECONCILE").pk)

    assert "Nothing has been checked yet" in before
    assert "0 % done" in running
    assert "All agree" in page(operator)


def test_the_page_names_each_difference(operator, project, busy):
    Voucher.objects.filter(code="FEW").update(redeemed_quantity=3)
    operator.post("/admin/health/")
    run_async_action(AsyncAction.objects.get(type="RECONCILE").pk)

    shown = page(operator)

    assert "1 difference" in shown
    assert "Code FEW, uses: stands at 3, and by the ledger should be 2" in shown


def test_two_checks_do_not_run_at_once(operator, project):
    operator.post("/admin/health/")
    operator.post("/admin/health/")

    assert AsyncAction.objects.filter(type="RECONCILE").count() == 1


def test_only_superusers_see_the_page(client, project):
    client.force_login(User.objects.create_user("marketer", is_staff=True))

    assert client.get("/admin/health/").status_code == 302
    assert client.post("/admin/health/").status_code == 302
    assert AsyncAction.objects.count() == 0


def test_the_page_is_in_the_navigation(operator, project):
    assert 'href="/admin/health/"' in operator.get("/admin/").content.decode()
