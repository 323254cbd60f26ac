"""Prices for product lists: the rules of the checkout, for many products in one call."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import (
    CampaignFactory,
    ProductCollectionFactory,
    ProductFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from tests.limits import limit, redeem

ONLY_HATS = {"applicable_to": {"included": [{"object": "product", "source_id": "hat", "id": "hat"}]}}
ON_ITEMS = {"type": "PERCENT", "percent_off": 20, "effect": "APPLY_TO_ITEMS"}


def line(name, price=5000, quantity=1, **more):
    return {"source_id": name, "price": price, "quantity": quantity, **more}


def prices(api, *lines, path="/v1/prices", headers=None, **more):
    order = {"items": list(lines), **more.pop("order", {})}
    answer = api.post(path, {"order": order, **more}, **(headers or {}))
    assert answer.status_code == 200, answer.content
    return answer.json()


def totals(answer):
    return [row["total_amount"] for row in answer["data"]]


def promotion(project, name="Sale", **fields):
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    return PromotionTierFactory(project=project, campaign=campaign, name=name, **fields)


@pytest.fixture
def hats(project):
    """20 % off hats, one by one."""
    tier = promotion(project, "Hats", discount=ON_ITEMS, banner="Hats!")
    limit(tier, "redemption.count.daily", 5, extra=ONLY_HATS)
    return tier


def test_ask_34_a_list_of_products_shows_what_the_cart_would_give(api, hats):
    answer = prices(api, line("hat"), line("shoe"), line("hat", 999, 2))

    assert answer["data"][0] == {
        "object": "price",
        "source_id": "hat",
        "price": 5000,
        "quantity": 1,
        "amount": 5000,
        "discount_amount": 1000,
        "total_amount": 4000,
        "promotions": [
            {
                "id": hats.public_id,
                "object": "promotion_tier",
                "name": "Hats",
                "banner": "Hats!",
                "discount_amount": 1000,
                "total_amount": 4000,
            }
        ],
    }
    assert totals(answer) == [4000, 5000, 1598]
    assert (answer["data"][1]["promotions"], answer["total"], answer["currency"]) == ([], 3, "EUR")


def test_ask_34_each_price_is_the_one_of_an_order_of_its_own(api, hats):
    lines = [line("hat"), line("shoe", 700), line("hat", 333, 3)]

    shown = totals(prices(api, *lines))

    bought = [
        redeem(api, hats.public_id, order={"items": [one]}).json()["order"]["total_amount"] for one in lines
    ]
    assert shown == bought


def test_ask_34_the_best_promotion_makes_the_price_and_three_are_named(api, project):
    for off in (300, 100, 400, 200):
        promotion(project, f"{off}", discount={"type": "AMOUNT", "amount_off": off})

    (row,) = prices(api, line("hat"))["data"]

    assert row["total_amount"] == 4600
    assert [one["name"] for one in row["promotions"]] == ["400", "300", "200"]


def test_ask_34_catalogue_prices_and_collections_are_known(api, project):
    ProductFactory(project=project, source_id="hat", price=5000)
    ProductFactory(project=project, source_id="coat", price=20000)
    cheap = ProductCollectionFactory(project=project)
    tier = promotion(project, discount={"type": "FIXED", "fixed_amount": 1000, "effect": "APPLY_TO_ITEMS"})
    included = [{"object": "products_collection", "id": cheap.public_id}]
    limit(tier, "redemption.count.daily", 5, extra={"applicable_to": {"included": included}})

    asked = [{"source_id": name, "related_object": "product"} for name in ("hat", "coat")]

    assert totals(prices(api, *asked)) == [1000, 20000]


NEVER = {
    "of a fuller cart": lambda tier: limit(tier, "order.amount", 6000, operator="$more_than"),
    "of somebody else": lambda tier: limit(tier, "customer.source_id", "bob", operator="$is"),
    "used up": lambda tier: limit(tier, "redemption.count.daily", 0),
    "switched off": lambda tier: type(tier).objects.update(active=False),
    "over": lambda tier: type(tier).objects.update(expiration_date=timezone.now() - timedelta(days=1)),
}


@pytest.mark.parametrize("why", NEVER)
def test_ask_34_what_would_not_apply_makes_no_price(api, project, why):
    NEVER[why](promotion(project))

    assert totals(prices(api, line("hat"), customer={"source_id": "ann"})) == [5000]


def test_ask_34_codes_and_free_goods_beside_it_make_nothing_cheaper(api, project):
    ProductFactory(project=project, source_id="cap", price=900)
    VoucherFactory(project=project)
    promotion(project, discount={"type": "UNIT", "unit_off": 1, "unit_type": "cap"})

    assert prices(api, line("hat"))["data"][0]["promotions"] == []


def test_ask_34_a_customers_own_price(api, project):
    limit(promotion(project), "customer.source_id", "ann", operator="$is")

    shown = [totals(prices(api, line("hat"), customer={"source_id": who})) for who in ("ann", "bob")]

    assert shown == [[4500], [5000]]


def test_ask_34_in_the_currency_that_is_asked_for(api, project):
    promotion(project, discount={"type": "AMOUNT", "amount_off": 500, "amount_off_by_currency": {"USD": 600}})

    answer = prices(api, line("hat"), order={"currency": "USD"})

    assert (totals(answer), answer["currency"]) == ([4400], "USD")


@pytest.mark.parametrize(("tiers", "lines"), [(1, 1), (4, 50)])
def test_ask_34_the_number_of_queries_does_not_grow(
    api, project, django_assert_max_num_queries, tiers, lines
):
    for number in range(tiers):
        limit(promotion(project, str(number)), "redemption.count.daily", 5)
    prices(api, line("hat"))

    with django_assert_max_num_queries(5):
        answer = prices(api, *(line(f"hat-{number}") for number in range(lines)))

    assert totals(answer) == [4500] * lines


def test_ask_34_browsers_may_ask(client_api, hats):
    answer = prices(client_api, line("hat"), path="/client/v1/prices", headers={"Origin": "https://shop"})

    assert totals(answer) == [4000]


@pytest.mark.parametrize("body", [{}, {"order": {}}, {"order": {"items": []}}, {"order": {"amount": 5}}, []])
def test_ask_34_without_products_there_is_nothing_to_price(api, body):
    answer = api.post("/v1/prices", body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")


def test_ask_34_another_projects_promotions_stay_out_of_it(other_api, hats):
    assert totals(prices(other_api, line("hat"))) == [5000]
