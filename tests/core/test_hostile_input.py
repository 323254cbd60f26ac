"""Bodies that are nearly right, with something hostile in them: every endpoint answers, none breaks."""

import random

import pytest

from promoengine.core.models import ApiKey, AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.jobs import refresh_customers
from tests.api import Api
from tests.core.bodies import CHECKOUT, CUSTOMER, ENDPOINTS, FORMULA, PURCHASE, RULE, SEGMENT, STACKING, UNITS
from tests.core.hostile import spoiled
from tests.factories import (
    CampaignFactory,
    ProductFactory,
    PromotionTierFactory,
    ValidationRuleFactory,
    VoucherFactory,
)

ROUNDS = 60


@pytest.mark.parametrize(("path", "good"), ENDPOINTS)
def test_a_hostile_value_breaks_nothing(api, project, path, good):
    campaign = CampaignFactory(project=project, name="Autumn")
    CampaignFactory(project=project, name="Promotion", campaign_type="PROMOTION", discount=None)
    ProductFactory(project=project, source_id="SHOE")
    VoucherFactory(project=project, campaign=campaign, discount=None, code="CODE")
    VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=9000, gift_balance=9000, code="CARD"
    )
    lines = [{"source_id": "a", "quantity": 50, "price": 9}, {"sku_id": "b", "quantity": 50, "price": 9}]
    sold = {"source_id": "cart", "items": lines}
    api.post("/v1/redemptions", {"redeemables": [{"object": "voucher", "id": "CODE"}], "order": sold})
    chance = random.Random(path)

    tier, rule = PromotionTierFactory(project=project), ValidationRuleFactory(project=project)
    url = path.format(tier=tier.public_id, rule=rule.public_id)

    bodies = [spoiled(good, chance) for _ in range(ROUNDS)]
    broken = [body for body in bodies if api.post(url, body).status_code >= 500]

    assert broken == []


def test_rules_and_discounts_that_were_taken_break_no_checkout(api, project):
    """Of all hostile rules and discounts, those that are let in are used."""
    ProductFactory(project=project, source_id="SHOE")
    chance = random.Random("checkout")
    codes = []
    for good in (RULE, UNITS, FORMULA) * ROUNDS:
        path = "/v1/validation-rules" if good is RULE else "/v1/vouchers"
        taken = api.post(path, spoiled(good, chance, most=1))
        if taken.status_code != 200:
            continue
        made = taken.json()
        code = made.get("code") or VoucherFactory(project=project).code
        if good is RULE:
            api.post(f"/v1/validation-rules/{made['id']}/assignments", {"voucher": code})
        codes.append(code)

    body = CHECKOUT | {"options": {"expand": ["trace"]}, "session": None}
    asked = [body | {"redeemables": [{"object": "voucher", "id": code}]} for code in codes]
    broken = [
        one
        for one in asked
        for path in ("/v1/validations", "/v1/redemptions")
        if api.post(path, one).status_code >= 500
    ]

    assert len(codes) > 10
    assert broken == []


AMOUNT = {"name": "order.amount", "conditions": {"$more_than": [1]}}


def nested(depth):
    rule = {"name": "order.items.any", "conditions": {"$is": ["SHOE"]}}
    for _ in range(depth):
        rule |= {"rules": {"1": dict(rule)}}
    return rule


@pytest.mark.parametrize(
    ("rule", "details"),
    [
        ({"rules": {"1": nested(30)}}, "should be an object of numbered rules, up to 4 deep"),
        ({"rules": {"1": AMOUNT, "logic": f"{'(' * 900}1{')' * 900}"}}, "is nested more than 50 deep"),
        ({"rules": {"1": AMOUNT, "logic": "not " * 900 + "1"}}, "is nested more than 50 deep"),
        ({"rules": {"1": AMOUNT, "logic": " or ".join("1" * 2000)}}, "may have up to 5000 characters"),
        ({"rules": {str(number): AMOUNT for number in range(10_000)}}, "rules may have up to 200 rules"),
        (
            {"applicable_to": {"included": [{"object": "product", "id": "p"}] * 10_000}},
            "applicable_to.included may have up to 5000 entries",
        ),
        ({"bundle_rules": {"limit": 10**12, "1": RULE["bundle_rules"]["1"]}}, "bundle_rules.limit"),
    ],
)
def test_rules_that_would_cost_too_much_are_refused(api, rule, details):
    answer = api.post("/v1/validation-rules", {"name": "R"} | rule)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_validation_rules")
    assert details in answer.json()["details"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_numbers_that_are_none_break_nothing(api, number):
    rule = b'{"name":"R","rules":{"1":{"name":"order.amount","conditions":{"$more_than":[%s]}}}}'
    checkout = b'{"redeemables":[{"object":"voucher","id":"CODE"}],"order":{"amount":%s}}'

    statuses = [
        api.post(path, body % number.encode()).status_code
        for path, body in (("/v1/validation-rules", rule), ("/v1/validations", checkout))
    ]

    assert all(status < 500 for status in statuses)
    assert statuses[1] == 400


@pytest.mark.parametrize(
    "formula",
    [
        "POW(9;POW(9;POW(9;POW(9;9))))",
        "POW(0.5;-99999)",
        "POW(-8;0.333)",
        "POW(10;400) * POW(10;400)",
        "POW(1.000000001;999999999)",
        "ORDER_AMOUNT / 0",
        "ROUND(1;99999999)",
        "ROUND(1;-99999999)",
        "-" * 900 + "1",
        'DAYS_SINCE("never")',
    ],
)
@pytest.mark.parametrize("discount", ["AMOUNT", "PERCENT", "FIXED", "UNIT"])
def test_formulas_that_come_to_nothing_break_no_checkout(api, formula, discount):
    names = {"AMOUNT": "amount_off", "PERCENT": "percent_off", "FIXED": "fixed_amount", "UNIT": "unit_off"}
    terms = {"type": discount, names[discount]: 1, f"{names[discount]}_formula": formula}
    unit = {"unit_type": "prod_5h1pp1ng"} if discount == "UNIT" else {}
    made = api.post("/v1/vouchers", {"type": "DISCOUNT_VOUCHER", "discount": terms | unit})
    body = {"redeemables": [{"object": "voucher", "id": made.json()["code"]}], "order": CHECKOUT["order"]}

    answer = api.post("/v1/validations", body)

    assert (made.status_code, answer.status_code, answer.json()["valid"]) == (200, 200, True)


def test_the_largest_cart_is_answered(api, project):
    lines = [{"source_id": f"p{number}", "quantity": 1000, "price": 500} for number in range(500)]
    named = [{"object": "product", "id": line["source_id"], "effect": "APPLY_TO_CHEAPEST"} for line in lines]
    project.stacking_rules = {"applicable_redeemables_limit": 30}
    project.save()
    rule = api.post(
        "/v1/validation-rules",
        {
            "name": "R",
            "rules": {"1": {"name": "order.items.any", "conditions": {"$is": named}}},
            "applicable_to": {"included": named},
        },
    ).json()["id"]
    discount = {"type": "PERCENT", "percent_off": 1, "effect": "APPLY_TO_ITEMS"}
    codes = [VoucherFactory(project=project, discount=discount).code for _ in range(30)]
    for code in codes:
        api.post(f"/v1/validation-rules/{rule}/assignments", {"voucher": code})

    body = {
        "redeemables": [{"object": "voucher", "id": code} for code in codes],
        "order": {"items": lines},
    }
    statuses = [api.post(path, body).status_code for path in ("/v1/validations", "/v1/redemptions")]

    assert statuses == [200, 200]


def test_hostile_stacking_rules_break_nothing(project):
    management, chance = Api(project, ApiKey.Kind.MANAGEMENT), random.Random(0)
    url = f"/management/v1/projects/{project.public_id}/stacking-rules"

    bodies = [spoiled(STACKING, chance) for _ in range(ROUNDS)]
    broken = [body for body in bodies if management.post(url, body).status_code >= 500]

    assert broken == []


def test_hostile_segments_and_customers_break_nothing(api, project):
    """Whatever segments say, customers can be changed and their rules can be asked."""
    chance = random.Random("segments")
    made = [api.post("/v1/segments", spoiled(SEGMENT, chance)) for _ in range(ROUNDS)]
    ids = [answer.json()["id"] for answer in made if answer.status_code == 200]
    assert ids
    rule = {"1": {"name": "customer.segment", "conditions": {"$is": ids}}}
    rule_id = api.post("/v1/validation-rules", {"name": "R", "rules": rule}).json()["id"]
    VoucherFactory(project=project, code="CODE")
    api.post(f"/v1/validation-rules/{rule_id}/assignments", {"voucher": "CODE"})

    broken = []
    for _ in range(ROUNDS):
        customer = spoiled(CUSTOMER, chance)
        body = {"redeemables": [{"object": "voucher", "id": "CODE"}], "customer": customer}
        statuses = [
            api.post("/v1/customers", customer).status_code,
            api.post("/v1/validations", body).status_code,
            api.post("/v1/redemptions", body | {"order": {"amount": 500}}).status_code,
        ]
        broken += [customer] if max(statuses) >= 500 else []

    assert broken == []


def test_hostile_orders_break_nothing(api, project):
    """Whatever orders say, they are read, changed, redeemed on, imported and counted."""
    VoucherFactory(project=project, code="CODE")
    chance = random.Random("orders")
    broken, statuses = [], []
    for _ in range(ROUNDS):
        body = spoiled(PURCHASE, chance, most=1)
        made = api.post("/v1/orders", body)
        ref = made.json().get("id", "o-1")
        redemption = {"redeemables": [{"object": "voucher", "id": "CODE"}], "order": {"id": ref}}
        seen = [
            made,
            api.put("/v1/orders/o-1", spoiled(PURCHASE, chance)),
            api.get(f"/v1/orders/{ref}"),
            api.post("/v1/redemptions", redemption),
            api.put(f"/v1/orders/{ref}", api.get(f"/v1/orders/{ref}").content),
            api.post("/v1/orders/import", [body, spoiled(PURCHASE, chance)]),
            api.get("/v1/orders", {"limit": 100}),
        ]
        statuses.append(made.status_code)
        broken += [body] if max(answer.status_code for answer in seen) >= 500 else []

    assert statuses.count(200) > 10
    assert broken == []
    for action in AsyncAction.objects.all():
        run_async_action(action.pk)
    events = OutboxEvent.objects.filter(customer_id__isnull=False).values_list("pk", flat=True)
    refresh_customers(event_ids=[str(key) for key in events])
    assert not AsyncAction.objects.exclude(status="DONE").exists()
