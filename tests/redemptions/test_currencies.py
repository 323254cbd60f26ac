"""Orders in several currencies over HTTP: amounts by currency, typed refusals, sums of one currency."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign, PromotionTier
from customers.models import CustomerSummary
from redemptions.models import Order, Redemption
from redemptions.services.summaries import refresh_promotions, refresh_summaries
from tests.factories import CampaignFactory, CustomerFactory, PromotionTierFactory, VoucherFactory
from tests.limits import assert_ledger_agrees, body, limit, redeem, roll_back, standing

DOLLARS = {"amount": 5000, "currency": "USD"}
OFF = {"type": "AMOUNT", "amount_off": 500, "amount_off_by_currency": {"USD": 550}}


@pytest.fixture
def by_currency(project):
    return VoucherFactory(project=project, discount=OFF).code


def test_ask_35_an_order_says_its_currency_and_gets_the_amount_in_it(api, by_currency):
    made = redeem(api, by_currency, order={**DOLLARS, "source_id": "o-1"}).json()

    assert (made["order"]["currency"], made["order"]["total_discount_amount"]) == ("USD", 550)
    assert api.get("/v1/orders/o-1").json()["currency"] == "USD"
    snapshot = api.get(f"/v1/redemptions/{made['redemptions'][0]['id']}").json()["order"]
    assert snapshot["currency"] == "USD"


@pytest.mark.parametrize("currency", [None, "EUR", "eur"])
def test_ask_35_without_one_an_order_is_in_the_projects(api, by_currency, currency):
    made = redeem(api, by_currency, order={"amount": 5000, "currency": currency}).json()

    assert made["order"]["total_discount_amount"] == 500
    assert "currency" not in made["order"]


def test_ask_35_a_code_without_an_amount_in_the_orders_currency_is_a_typed_refusal(api, project):
    code = VoucherFactory(project=project).code

    refused = redeem(api, code, order=DOLLARS)
    shown = api.post("/v1/validations", body(code, order=DOLLARS)).json()
    older = api.post(f"/v1/vouchers/{code}/validate", {"order": DOLLARS}).json()

    assert (refused.status_code, refused.json()["key"]) == (400, "currency_mismatch")
    assert refused.json()["details"] == "The discount has no amount in USD"
    assert shown["redeemables"][0]["result"]["error"]["key"] == "currency_mismatch"
    assert older["reason"] == "currency mismatch"
    assert Redemption.objects.get(project=project).failure_code == "currency_mismatch"


def test_ask_35_a_gift_card_pays_in_one_currency(api, project):
    card = VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=5000, gift_balance=5000
    )

    assert redeem(api, card.code, order=DOLLARS).json()["key"] == "currency_mismatch"
    card.refresh_from_db()
    assert card.gift_balance == 5000


@pytest.mark.parametrize("currency", ["EURO", "E1R", "€", 5, {}])
def test_ask_35_what_is_no_currency_is_refused_by_name(api, by_currency, currency):
    refused = redeem(api, by_currency, order={"amount": 1, "currency": currency}).json()

    assert refused["key"] == "invalid_payload"
    assert ".order.currency" in refused["details"]


def test_ask_35_a_stored_order_keeps_its_currency(api, by_currency):
    redeem(api, by_currency, order={**DOLLARS, "source_id": "o-1"})
    items = [{"product_id": "p", "price": 100, "quantity": 1}]

    for order in (
        {"source_id": "o-1", "currency": "EUR"},
        {"source_id": "o-1", "currency": "EUR", "items": items},
    ):
        refused = api.post("/v1/validations", body(by_currency, order=order)).json()
        assert refused["key"] == "currency_mismatch"
        assert api.post("/v1/orders", order).json()["key"] == "currency_mismatch"
    assert api.post("/v1/orders", {"source_id": "o-1", "status": "FULFILLED"}).json()["currency"] == "USD"


def test_ask_35_an_order_that_nothing_was_redeemed_on_may_be_sent_anew_in_another(api):
    items = [{"product_id": "p", "price": 100, "quantity": 1}]
    api.post("/v1/orders", {"source_id": "o-1", "items": items})

    changed = api.post("/v1/orders", {"source_id": "o-1", "items": items, "currency": "USD"}).json()

    assert changed["currency"] == "USD"


def test_ask_35_a_price_of_the_catalogue_is_not_taken_for_one_in_another_currency(api, by_currency):
    api.post("/v1/products", {"source_id": "hat", "price": 1000})
    line = {"source_id": "hat", "related_object": "product", "quantity": 1}
    override = {**line, "price": 900, "product": {"source_id": "hat", "price": 900, "override": True}}

    keys = [
        redeem(api, by_currency, order={"items": [one], "currency": "USD"}).json().get("key")
        for one in (line, override, {**line, "price": 900})
    ]

    assert keys == ["currency_mismatch", "currency_mismatch", None]
    assert api.get("/v1/products/hat").json()["price"] == 1000


def test_ask_35_budgets_and_sums_are_of_the_projects_currency(api, project):
    code = VoucherFactory(project=project, campaign=CampaignFactory(project=project), discount=OFF)
    ann = CustomerFactory(project=project, source_id="ann")
    who = {"customer": {"source_id": "ann"}}
    dollars = redeem(api, code.code, order=DOLLARS, **who)
    redeem(api, code.code, **who)
    limit(code.campaign, "campaign.orders.amount_discounted", 1000)

    refused = redeem(api, code.code, order=DOLLARS, **who).json()
    last = [redeem(api, code.code, **who).json().get("key") for _ in range(2)]

    assert refused["key"] == "currency_mismatch"
    assert last == [None, "redemption_rules_violated"]
    assert standing(project) == {("discount_amount", "ever"): 1000}
    assert_ledger_agrees(project)
    roll_back(api, dollars)
    assert standing(project) == {("discount_amount", "ever"): 1000}
    assert_ledger_agrees(project)
    refresh_summaries([ann.pk], now=timezone.now())
    summary = CustomerSummary.objects.get(customer=ann)
    assert (summary.orders_amount, summary.last_order_amount) == (2 * 4500, 4500)


def test_ask_35_a_promotions_sums_are_of_the_projects_currency(api, project):
    tier = PromotionTierFactory(project=project, discount=OFF)
    for order in (DOLLARS, {"amount": 7000}):
        redeem(api, tier.public_id, order=order)

    refresh_promotions(since=timezone.now() - timedelta(hours=1))

    tier.refresh_from_db()
    assert (tier.redeemed_count, tier.redeemed_orders_amount, tier.redeemed_discount_amount) == (2, 7000, 500)


def test_ask_35_a_refund_judges_anew_in_the_orders_currency(api, project):
    """By the project's cent, what is kept would have cost more, and that would be held back."""
    by_currency = VoucherFactory(project=project, discount=OFF | {"amount_off": 1}).code
    items = [{"product_id": "p", "price": 1000, "quantity": 3}]
    redeem(api, by_currency, order={"items": items, "currency": "USD", "source_id": "o-1"})

    made = api.post(
        "/v1/orders/o-1/refunds",
        {"items": [{"order_item_index": 0, "quantity": 1}], "mode": "REEVALUATE"},
    ).json()

    assert (made["refund_amount"], made["held_back_amount"]) == (816, 0)


def test_ask_35_qualification_leaves_out_what_has_no_amount(api, project, by_currency):
    VoucherFactory(project=project)

    found = api.post("/v1/qualifications", {"order": DOLLARS, "scenario": "ALL"}).json()

    assert [one["id"] for one in found["redeemables"]["data"]] == [by_currency]


def test_ask_35_campaigns_carry_amounts_by_currency_over_the_api(api, project):
    made = api.post(
        "/v1/campaigns",
        {"name": "Spring", "voucher": {"type": "DISCOUNT_VOUCHER", "discount": OFF}},
    )
    wrong = api.post(
        "/v1/campaigns",
        {
            "name": "Summer",
            "voucher": {
                "type": "DISCOUNT_VOUCHER",
                "discount": OFF | {"amount_off_by_currency": {"USD": "much"}},
            },
        },
    )

    assert made.json()["voucher"]["discount"]["amount_off_by_currency"] == {"USD": 550}
    assert "amount_off_by_currency.USD should be number" in wrong.json()["details"]


CAMPAIGN = {
    "name": "Spring",
    "description": "",
    "category_name": "",
    "offer": "AMOUNT",
    "value": "5",
    "most": "",
    "quantity": "1",
    "type": "AUTO_UPDATE",
    "codes": "1",
    "pattern": "SP-####",
    "charset": "",
    "common_code": "",
    "guests": "",
    "rollbacks": "",
}
TIER = {
    "name": "Spring",
    "banner": "",
    "offer": "PERCENT",
    "value": "12.5",
    "most": "5",
    "scope": "APPLY_TO_ORDER",
    "hierarchy": "",
    "active": "on",
    "category_name": "",
    "new_campaign": "Summer",
}


def test_ask_35_a_marketer_writes_amounts_in_other_currencies(marketer, project):
    page = "/admin/campaigns/campaign/"
    answer = marketer.post(f"{page}add/", CAMPAIGN | {"elsewhere": "USD 5.50\n jpy 700 \n"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors

    campaign = Campaign.objects.get(project=project)
    assert campaign.discount == {
        "type": "AMOUNT",
        "amount_off": 500,
        "amount_off_by_currency": {"USD": 550, "JPY": 700},
    }
    shown = marketer.get(f"{page}{campaign.pk}/change/").content.decode()
    assert "JPY 700\nUSD 5.50" in shown
    assert "5.00 EUR (700 JPY, 5.50 USD) off the order" in marketer.get(page).content.decode()


@pytest.mark.parametrize(
    ("filled", "problem"),
    [
        ({"elsewhere": "5.50"}, "Write a currency and an amount, as in USD 5.50, and not 5.50."),
        ({"elsewhere": "USD 5.505"}, "Write a currency and an amount, as in USD 5.50, and not USD 5.505."),
        ({"elsewhere": "USD -1"}, "Write a currency and an amount, as in USD 5.50, and not USD -1."),
        ({"elsewhere": "USD 1\nUSD 2"}, "USD stands there twice."),
        ({"elsewhere": "EUR 1"}, "EUR is this project's own."),
        ({"elsewhere": "USD 1", "offer": "GIFT"}, "A gift card has one currency, the project's."),
        (
            {"elsewhere": "USD 1", "offer": "PERCENT"},
            "A percentage is the same in all currencies; leave it empty.",
        ),
    ],
)
def test_ask_35_what_can_not_be_meant_is_said_at_the_field(marketer, project, filled, problem):
    answer = marketer.post("/admin/campaigns/campaign/add/", CAMPAIGN | filled)

    assert answer.context["adminform"].form.errors == {"elsewhere": [problem]}


def test_ask_35_a_promotions_largest_discount_is_written_so_and_kept_by_another_change(marketer, project):
    page = "/admin/campaigns/promotiontier/"
    marketer.post(f"{page}add/", TIER | {"elsewhere": "USD 6"})
    tier = PromotionTier.objects.get(project=project)
    assert tier.discount["amount_limit_by_currency"] == {"USD": 600}

    marketer.post(f"{page}{tier.pk}/change/", TIER | {"elsewhere": "USD 6.00", "value": "20"})

    tier.refresh_from_db()
    assert (tier.discount["percent_off"], tier.discount["amount_limit_by_currency"]) == (20, {"USD": 600})


def test_ask_35_pages_write_an_orders_amounts_in_its_currency(api, marketer, by_currency):
    redeem(api, by_currency, order={**DOLLARS, "source_id": "o-1"})
    order = Order.objects.get()

    assert "44.50 USD" in marketer.get("/admin/redemptions/order/").content.decode()
    assert "44.50 USD" in marketer.get(f"/admin/redemptions/order/{order.pk}/change/").content.decode()
