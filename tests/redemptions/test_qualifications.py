"""What a customer could use: scenarios, order of the answers, pages, filters, stacks; over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from promoengine.core.services.definitions import definitions_changed
from tests.factories import (
    CampaignFactory,
    CategoryFactory,
    CustomerFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from tests.redemptions.storefront import assign, code_with, lines, make_rule, redeem

BIG = {"name": "order.amount", "conditions": {"$more_than": [50000]}}
VIP = {"name": "customer.metadata", "property": "vip", "conditions": {"$is": [True]}}
NAMES_A = {"name": "product.id", "conditions": {"$is": [{"id": "a", "object": "product"}]}}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def qualify(api, **body):
    answer = api.post("/v1/qualifications", {"order": {"amount": 10000}, **body})
    assert answer.status_code == 200, answer.content
    return answer.json()["redeemables"]


def found(api, **body):
    """Return the ids of what qualifies."""
    return [one["id"] for one in qualify(api, options={"limit": 50}, **body)["data"]]


def tier_with(api, *conditions, **more):
    tier = PromotionTierFactory(project=api.project)
    rule = make_rule(api, *conditions, **more)
    assign(api, rule, related_object_type="promotion_tier", related_object_id=tier.public_id)
    return tier.public_id


@pytest.fixture
def ann(project):
    return CustomerFactory(project=project, source_id="ann")


@pytest.fixture
def stack(api, project):
    """A stack of two tiers of 5.00 each."""
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None)
    tiers = PromotionTierFactory.create_batch(2, project=project, campaign=campaign)
    body = {"name": "Pair", "tiers": {"ids": [tier.public_id for tier in tiers]}}
    return api.post(f"/v1/promotions/{campaign.public_id}/stacks", body).json()


def test_all_that_applies_is_named_the_newest_first(api, project, ann):
    code = VoucherFactory(project=project).code
    mine = VoucherFactory(project=project, holder=ann).code
    VoucherFactory(project=project, holder=CustomerFactory(project=project))
    campaign = CampaignFactory(project=project)
    VoucherFactory(project=project, campaign=campaign, discount=None)
    tier = PromotionTierFactory(project=project).public_id
    code_with(api, BIG)
    tier_with(api, BIG)

    names = [tier, campaign.public_id, mine, code]

    assert found(api, customer={"source_id": "ann"}) == names
    assert found(api) == [tier, campaign.public_id, code]


def test_an_answer_carries_what_it_would_do(api, project):
    VoucherFactory(project=project, code="TEN", metadata={"a": 1})

    (one,) = qualify(api)["data"]

    assert (one["id"], one["object"], one["metadata"]) == ("TEN", "voucher", {"a": 1})
    assert one["result"]["discount"]["amount_off"] == 1000
    assert one["order"]["total_applied_discount_amount"] == 1000
    assert one["applicable_to"] == {"object": "list", "data_ref": "data", "data": [], "total": 0}


def test_without_an_order_there_is_no_order_in_the_answer(api, project):
    VoucherFactory(project=project, code="TEN")

    (one,) = qualify(api, order=None)["data"]

    assert one["id"] == "TEN"
    assert "order" not in one


def test_the_wallet_holds_only_what_is_the_customers(api, project, ann):
    mine = VoucherFactory(project=project, holder=ann).code
    VoucherFactory(project=project)
    PromotionTierFactory(project=project)

    assert found(api, scenario="CUSTOMER_WALLET", customer={"source_id": "ann"}) == [mine]
    assert found(api, scenario="CUSTOMER_WALLET") == []


def test_audience_only_looks_at_the_customer_alone(api, project):
    for_vips = tier_with(api, VIP)
    for_big_carts = tier_with(api, BIG)
    guest = found(api, scenario="AUDIENCE_ONLY")
    vip = found(api, scenario="AUDIENCE_ONLY", customer={"source_id": "v", "metadata": {"vip": True}})

    assert guest == [for_big_carts]
    assert vip == [for_big_carts, for_vips]


@pytest.fixture
def about_products(api, project):
    """Offers that are about products: by a condition, and by what the discount reaches."""
    a = {"object": "product", "id": "a", "source_id": "a"}
    return {
        "order": PromotionTierFactory(project=project).public_id,
        "condition": tier_with(api, NAMES_A),
        "condition, vip": tier_with(api, NAMES_A, VIP),
        "discount": tier_with(api, applicable_to={"included": [a]}),
        "discount, vip": tier_with(api, VIP, applicable_to={"included": [a]}),
    }


@pytest.mark.parametrize(
    ("scenario", "names"),
    [
        ("PRODUCTS", ["discount, vip", "discount", "condition, vip", "condition"]),
        ("PRODUCTS_DISCOUNT", ["discount, vip", "discount"]),
        ("PRODUCTS_BY_CUSTOMER", ["discount", "condition"]),
        ("PRODUCTS_DISCOUNT_BY_CUSTOMER", ["discount"]),
        ("ALL", ["discount", "condition", "order"]),
    ],
)
def test_scenarios_about_products(api, about_products, scenario, names):
    order = {"items": lines(3000)}

    ids = found(api, scenario=scenario, order=order, customer={"source_id": "guest"})

    assert ids == [about_products[name] for name in names]


def test_offers_about_products_that_are_not_in_the_cart_are_left_out(api, about_products):
    order = {"items": [{"source_id": "z", "quantity": 1, "price": 100}]}

    assert found(api, scenario="PRODUCTS", order=order) == [
        about_products["discount, vip"],
        about_products["discount"],
    ]


def test_limits_are_not_looked_at(api):
    once = {"name": "redemption.count.per_customer", "conditions": {"$less_than_or_equal": [1]}}
    spent = {"name": "campaign.orders.amount", "conditions": {"$less_than_or_equal": [10000]}}
    total = {"name": "campaign.redemptions.count", "conditions": {"$less_than_or_equal": [1]}}
    customer = {"source_id": "ann"}
    code = code_with(api, once, spent, total)
    redeem(api, code, order={"amount": 10000}, customer=customer)

    assert found(api, customer=customer) == [code]


def test_used_up_disabled_and_future_codes_are_left_out(api, project):
    VoucherFactory(project=project, quantity=1, redeemed_quantity=1)
    VoucherFactory(project=project, active=False)
    VoucherFactory(project=project, start_date=NOW + timedelta(days=36500))
    VoucherFactory(project=project, campaign=CampaignFactory(project=project, active=False), discount=None)

    assert found(api) == []


@pytest.mark.parametrize(
    ("sorting", "codes"),
    [
        ("BEST_DEAL", ["HUNDRED", "TEN", "ONE"]),
        ("LEAST_DEAL", ["ONE", "TEN", "HUNDRED"]),
        ("DEFAULT", ["HUNDRED", "ONE", "TEN"]),
    ],
)
def test_answers_are_sorted_by_what_they_save_or_by_age(api, project, sorting, codes):
    for code, amount in (("TEN", 1000), ("ONE", 100), ("HUNDRED", 10000)):
        discount = {"type": "AMOUNT", "amount_off": amount}
        VoucherFactory(project=project, code=code, discount=discount)

    rows = qualify(api, options={"sorting_rule": sorting})["data"]

    assert [one["id"] for one in rows] == codes


def pages(api, limit, **options):
    """Return the ids of all pages, each asked for with the cursor of the one before."""
    seen, cursor = [], None
    for _ in range(30):
        options |= {"limit": limit, "starting_after": cursor}
        page = qualify(api, options=options)
        seen.append([one["id"] for one in page["data"]])
        assert page["total"] == len(page["data"])
        assert page["has_more"] is ("more_starting_after" in page)
        if not page["has_more"]:
            return seen
        cursor = page["more_starting_after"]
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("sorting", ["DEFAULT", "BEST_DEAL", "LEAST_DEAL"])
@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_pages_lose_nothing_and_repeat_nothing(api, project, sorting, limit):
    """Several of one moment, of one millisecond, and of a kind each."""
    for microseconds in (0, 0, 0, 300, 700, 1000, 1000, 5000):
        moment = NOW + timedelta(microseconds=microseconds)
        VoucherFactory(project=project, created_at=moment)
        PromotionTierFactory(project=project, created_at=moment)
    definitions_changed(project)

    whole = pages(api, 50, sorting_rule=sorting)[0]
    cut = pages(api, limit, sorting_rule=sorting)

    assert len(set(whole)) == 16
    assert [one for page in cut for one in page] == whole
    assert all(len(page) == limit for page in cut[:-1])


def test_a_cursor_is_when_the_last_one_was_made(api, project):
    for seconds in range(3):
        VoucherFactory(project=project, created_at=NOW + timedelta(seconds=seconds))

    page = qualify(api, options={"limit": 2})

    assert page["more_starting_after"] == page["data"][1]["created_at"] == "2026-01-01T00:00:01.000Z"


def test_what_is_new_does_not_shift_the_pages(api, project):
    VoucherFactory.create_batch(4, project=project)
    first = qualify(api, options={"limit": 2})
    VoucherFactory(project=project)

    second = qualify(api, options={"limit": 2, "starting_after": first["more_starting_after"]})

    assert not {one["id"] for one in first["data"]} & {one["id"] for one in second["data"]}
    assert (len(second["data"]), second["has_more"]) == (2, False)


@pytest.fixture
def shelf(api, project, ann):
    """One of each kind, by name."""
    category = CategoryFactory(project=project)
    campaign = CampaignFactory(project=project)
    gift = {"type": "GIFT_VOUCHER", "discount": None, "gift_amount": 900, "gift_balance": 900}
    return {
        "code": VoucherFactory(project=project, code="CODE", category=category),
        "gift": VoucherFactory(project=project, code="GIFT", holder=ann, **gift),
        "campaign": campaign,
        "tier": PromotionTierFactory(project=project),
        "category": category,
    }


def is_one_of(field, *values):
    return {field: {"conditions": {"$in": list(values)}}}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (lambda made: is_one_of("resource_type", "campaign"), ["campaign"]),
        (lambda made: is_one_of("resource_type", "voucher"), ["gift", "code"]),
        (lambda made: is_one_of("resource_type", "promotion_tier"), ["tier"]),
        (lambda made: is_one_of("resource_id", made["tier"].public_id), ["tier"]),
        (lambda made: is_one_of("campaign_id", made["campaign"].public_id), ["campaign"]),
        (lambda made: is_one_of("campaign_type", "PROMOTION"), ["tier"]),
        (lambda made: is_one_of("category_id", made["category"].public_id), ["code"]),
        (lambda made: is_one_of("voucher_type", "GIFT_VOUCHER"), ["gift"]),
        (lambda made: is_one_of("code", "CODE"), ["code"]),
        (lambda made: is_one_of("holder_role", "OWNER"), ["gift"]),
        (
            lambda made: (
                {"junction": "or"} | is_one_of("code", "CODE") | is_one_of("resource_type", "campaign")
            ),
            ["code", "campaign"],
        ),
        (lambda made: is_one_of("code", "CODE") | is_one_of("resource_type", "campaign"), []),
    ],
)
def test_filters_narrow_the_answer(api, shelf, filters, names):
    options = {"limit": 50, "filters": filters(shelf)}

    rows = qualify(api, customer={"source_id": "ann"}, options=options)["data"]

    ids = {name: getattr(row, "code", None) or row.public_id for name, row in shelf.items()}
    assert [one["id"] for one in rows] == [ids[name] for name in names]


def test_expanding_shows_the_redeemable_its_category_and_its_rules(api, project):
    category = CategoryFactory(project=project, name="News")
    campaign = CampaignFactory(project=project, campaign_type="PROMOTION", discount=None, name="Spring")
    tier = PromotionTierFactory(project=project, campaign=campaign, category=category, name="T")
    rule = make_rule(api, {"name": "order.amount", "conditions": {"$more_than": [1]}})
    assign(api, rule, related_object_type="promotion_tier", related_object_id=tier.public_id)

    (one,) = qualify(api, options={"expand": ["redeemable", "category", "validation_rules"]})["data"]

    assert (one["name"], one["campaign_name"], one["campaign_id"]) == ("T", "Spring", campaign.public_id)
    assert [row["name"] for row in one["categories"]] == ["News"]
    assert [row["rule_id"] for row in one["validation_rules_assignments"]["data"]] == [rule]


def test_a_stack_comes_with_its_tiers_and_what_they_do_together(api, stack):
    (one,) = qualify(api, scenario="PROMOTION_STACKS")["data"]

    assert (one["id"], one["object"]) == (stack["id"], "promotion_stack")
    assert [tier["id"] for tier in one["redeemables"]] == stack["tiers"]["ids"]
    assert [tier["order"]["total_amount"] for tier in one["redeemables"]] == [9500, 9000]
    assert one["order"]["total_applied_discount_amount"] == 1000


def test_a_stack_whose_last_tier_does_not_apply_is_left_out(api, stack):
    rule = make_rule(api, {"name": "order.amount", "conditions": {"$more_than": [9600]}})
    last = stack["tiers"]["ids"][1]
    assign(api, rule, related_object_type="promotion_tier", related_object_id=last)

    assert found(api, scenario="PROMOTION_STACKS") == []
    assert set(found(api)) == set(stack["tiers"]["ids"])


def test_another_projects_offers_are_not_seen(other_api, project, stack):
    VoucherFactory(project=project)
    CampaignFactory(project=project)

    assert found(other_api) == []


def test_a_trace_says_how_the_conditions_are_met(api):
    code_with(api, {"name": "order.amount", "conditions": {"$more_than": [100]}})

    (one,) = qualify(api, options={"expand": ["trace"]})["data"]

    assert [(row["name"], row["met"], row["actual"]) for row in one["trace"]["conditions"]] == [
        ("order.amount", True, 10000)
    ]


def test_a_trace_of_a_stack_is_of_each_of_its_tiers(api, stack):
    for tier, amount in zip(stack["tiers"]["ids"], (100, 200), strict=True):
        rule = make_rule(api, {"name": "order.amount", "conditions": {"$more_than": [amount]}})
        assign(api, rule, related_object_type="promotion_tier", related_object_id=tier)

    (one,) = qualify(api, scenario="PROMOTION_STACKS", options={"expand": ["trace"]})["data"]

    traces = [tier["trace"]["conditions"][0]["needed"] for tier in one["redeemables"]]
    assert traces == [{"$more_than": [100]}, {"$more_than": [200]}]
    assert "trace" not in one


def test_queries_do_not_grow_with_what_is_found(api, project, django_assert_num_queries):
    for _ in range(3):
        code_with(api, {"name": "order.amount", "conditions": {"$more_than": [1]}})
        tier_with(api, {"name": "order.amount", "conditions": {"$more_than": [1]}})
    qualify(api, options={"limit": 1})

    with django_assert_num_queries(2):
        qualify(api, options={"limit": 1})
    with django_assert_num_queries(2):
        qualify(api, options={"limit": 6})


def test_what_clients_send_as_null_is_as_good_as_not_sent(api, project):
    VoucherFactory.create_batch(6, project=project)
    nothing = {"limit": None, "starting_after": None, "filters": None, "expand": None, "sorting_rule": None}

    page = qualify(api, customer=None, scenario=None, metadata=None, session=None, options=nothing)

    assert (page["total"], page["has_more"]) == (5, True)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (
            {"scenario": "SOME"},
            "Property .scenario should be one of ALL, CUSTOMER_WALLET, AUDIENCE_ONLY, PROMOTION_STACKS, "
            "PRODUCTS, PRODUCTS_DISCOUNT, PRODUCTS_BY_CUSTOMER, PRODUCTS_DISCOUNT_BY_CUSTOMER",
        ),
        ({"options": {"limit": 51}}, "Property .options.limit should be between 1 and 50"),
        (
            {"options": {"starting_after": "soon"}},
            "Property .options.starting_after cannot be recognized as a ISO-8601 compliant date",
        ),
        (
            {"options": {"sorting_rule": "WORST"}},
            "Property .options.sorting_rule should be one of DEFAULT, BEST_DEAL, LEAST_DEAL",
        ),
    ],
)
def test_bad_input_is_named(api, body, details):
    answer = api.post("/v1/qualifications", body)

    assert (answer.status_code, answer.json()["details"]) == (400, details)
