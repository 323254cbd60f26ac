"""Validation rules at the checkout: by whatever way they came to a redeemable, and how they refuse it."""

import pytest

from redemptions.models import Redemption
from tests.factories import CampaignFactory, CustomerFactory, PromotionTierFactory, VoucherFactory
from tests.redemptions.storefront import assign, code_with, lines, make_rule, redeem, redeemables, validate

SMALL, LARGE = {"amount": 100}, {"amount": 10000}
BIG = {"name": "order.amount", "conditions": {"$more_than": [5000]}, "error": {"message": "Spend more"}}
DISCOUNT = {"type": "AMOUNT", "amount_off": 500}
WHOSE = "Discount Coupon cannot be redeemed because of violated validation rules: "


@pytest.fixture
def rule(api):
    return make_rule(api, BIG)


def code_of_its_own(api, rule):
    body = {"type": "DISCOUNT_VOUCHER", "discount": DISCOUNT, "validation_rules": [rule]}
    return api.post("/v1/vouchers/OWN", body).json()["code"]


def code_assigned(api, rule):
    code = VoucherFactory(project=api.project).code
    assign(api, rule, voucher=code)
    return code


def code_of_a_campaign(api, rule):
    voucher = {"type": "DISCOUNT_VOUCHER", "discount": DISCOUNT}
    body = {"name": "C", "voucher": voucher, "validation_rules": [rule]}
    return api.post(f"/v1/campaigns/{api.post('/v1/campaigns', body).json()['id']}/vouchers").json()["code"]


def code_of_a_campaign_assigned(api, rule):
    campaign = CampaignFactory(project=api.project)
    assign(api, rule, related_object_type="campaign", related_object_id=campaign.public_id)
    return VoucherFactory(project=api.project, campaign=campaign, discount=None).code


def tier_of_its_own(api, rule):
    tier = {"name": "T", "action": {"discount": DISCOUNT}, "validation_rules": [rule]}
    body = {"name": "P", "campaign_type": "PROMOTION", "promotion": {"tiers": [tier]}}
    return api.post("/v1/campaigns", body).json()["promotion"]["tiers"][0]["id"]


def tier_assigned(api, rule):
    tier = PromotionTierFactory(project=api.project).public_id
    assign(api, rule, related_object_type="promotion_tier", related_object_id=tier)
    return tier


def tier_of_a_campaign(api, rule):
    tier = PromotionTierFactory(project=api.project)
    related = {"related_object_type": "campaign", "related_object_id": tier.campaign.public_id}
    assign(api, rule, **related)
    return tier.public_id


@pytest.mark.parametrize(
    "door",
    [
        code_of_its_own,
        code_assigned,
        code_of_a_campaign,
        code_of_a_campaign_assigned,
        tier_of_its_own,
        tier_assigned,
        tier_of_a_campaign,
    ],
)
def test_a_rule_holds_by_whatever_way_it_came(api, rule, door):
    redeemable = door(api, rule)

    answers = [validate(api, redeemable, order=order) for order in (SMALL, LARGE)]

    assert [answer["valid"] for answer in answers] == [False, True]


def test_a_code_keeps_its_own_rule_and_its_campaigns(api, project):
    campaign = CampaignFactory(project=project)
    code = VoucherFactory(project=project, campaign=campaign, discount=None).code
    paid = {"name": "order.metadata", "property": "paid", "conditions": {"$is": [True]}}
    assign(api, make_rule(api, BIG), related_object_type="campaign", related_object_id=campaign.public_id)
    assign(api, make_rule(api, paid), voucher=code)

    orders = [LARGE, SMALL | {"metadata": {"paid": True}}, LARGE | {"metadata": {"paid": True}}]
    assert [validate(api, code, order=order)["valid"] for order in orders] == [False, False, True]


def test_a_changed_rule_counts_at_once(api, rule):
    code = code_assigned(api, rule)
    before = validate(api, code, order=SMALL)["valid"]

    api.put(f"/v1/validation-rules/{rule}", {"rules": {"1": BIG | {"conditions": {"$more_than": [50]}}}})
    changed = validate(api, code, order=SMALL)["valid"]
    api.put(f"/v1/validation-rules/{rule}", {"rules": {"1": BIG}})
    restored = validate(api, code, order=SMALL)["valid"]

    assert (before, changed, restored) == (False, True, False)


def test_a_rule_that_is_taken_off_does_not_count_any_more(api, rule):
    code = VoucherFactory(project=api.project).code
    made = api.post(f"/v1/validation-rules/{rule}/assignments", {"voucher": code}).json()
    before = validate(api, code, order=SMALL)["valid"]

    api.delete(f"/v1/validation-rules/{rule}/assignments/{made['id']}")

    assert (before, validate(api, code, order=SMALL)["valid"]) == (False, True)


def test_a_refusal_has_the_published_body(api, rule):
    code = code_assigned(api, rule)

    answer = validate(api, code, order=SMALL)

    (found,) = answer["redeemables"]
    request_id = found["result"]["error"]["request_id"]
    assert found == {
        "status": "INAPPLICABLE",
        "id": code,
        "object": "voucher",
        "result": {
            "error": {
                "code": 400,
                "key": "order_rules_violated",
                "message": "order does not match validation rules",
                "details": f"{WHOSE}{rule}",
                "error": {"message": "Spend more"},
                "request_id": request_id,
                "resource_id": code,
                "resource_type": "voucher",
            },
            "details": {"key": "order_rules_violated", "message": "Spend more"},
        },
        "metadata": {},
        "categories": [],
    }
    assert answer["inapplicable_redeemables"] == answer["redeemables"]
    assert "order" not in answer


def test_a_refused_redemption_has_the_same_error_and_is_kept(api, rule):
    code = code_assigned(api, rule)

    answer = api.post("/v1/redemptions", {"redeemables": redeemables(code), "order": SMALL})

    body = answer.json()
    assert (answer.status_code, body["key"], body["error"]) == (
        400,
        "order_rules_violated",
        {"message": "Spend more"},
    )
    assert body["details"] == f"{WHOSE}{rule}"
    kept = Redemption.objects.get(project=api.project)
    assert (kept.failure_code, kept.failure_message) == ("order_rules_violated", "Spend more")


@pytest.mark.parametrize(
    ("own", "fallback", "message"),
    [("own", "rule", "own"), (None, "rule", "rule"), ("own", None, "own"), (None, None, None)],
)
def test_words_of_the_condition_come_before_those_of_the_rule(api, own, fallback, message):
    condition = {"name": "order.amount", "conditions": {"$more_than": [5000]}}
    if own:
        condition |= {"error": {"message": own}}
    code = code_with(api, condition, error={"message": fallback} if fallback else None)

    (found,) = validate(api, code, order=SMALL)["redeemables"]

    assert found["result"]["error"].get("error") == ({"message": message} if message else None)
    shown = message or "order does not match validation rules"
    assert found["result"]["details"]["message"] == shown


CUSTOMER = {"name": "customer.metadata", "property": "vip", "conditions": {"$is": [True]}}
SEGMENT = {"name": "customer.segment", "conditions": {"$is": ["seg_unknown"]}}
ITEM = {"name": "order.items.any", "conditions": {"$is": [{"id": "prod_x", "object": "product"}]}}
SKU = {"name": "sku.id", "conditions": {"$is": [{"id": "sku_x", "object": "sku"}]}}
REDEMPTION = {"name": "redemption.metadata", "property": "shop", "conditions": {"$is": ["x"]}}
HOLDER = {"name": "publication.redeemable_by_linked_customer", "conditions": {"$is": [True]}}


@pytest.mark.parametrize(
    ("condition", "key"),
    [
        (CUSTOMER, "customer_rules_violated"),
        (SEGMENT, "customer_rules_violated"),
        (BIG, "order_rules_violated"),
        (ITEM, "order_rules_violated"),
        (SKU, "order_rules_violated"),
        (REDEMPTION, "redemption_rules_violated"),
        (HOLDER, "redemption_rules_violated"),
    ],
)
def test_what_a_condition_is_about_gives_the_key(api, condition, key):
    code = code_with(api, condition)

    (found,) = validate(api, code, order=SMALL, customer={"source_id": "ann"})["redeemables"]

    assert found["result"]["error"]["key"] == key


@pytest.mark.parametrize("condition", [CUSTOMER, SEGMENT])
def test_who_is_not_named_is_asked_for(api, condition):
    (found,) = validate(api, code_with(api, condition), order=SMALL)["redeemables"]

    error = found["result"]["error"]
    assert (error["key"], error["details"]) == ("missing_customer", "Customer is required to validate rules")


def test_what_is_sent_of_a_customer_counts_over_what_is_stored(api, project):
    CustomerFactory(project=project, source_id="ann", metadata={"vip": False})
    code = code_with(api, CUSTOMER)

    stored = validate(api, code, order=SMALL, customer={"source_id": "ann"})
    sent = validate(api, code, order=SMALL, customer={"source_id": "ann", "metadata": {"vip": True}})

    assert (stored["valid"], sent["valid"]) == (False, True)


def test_a_stored_orders_customer_is_asked_where_nobody_else_is_named(api):
    vip = {"source_id": "ann", "metadata": {"vip": True}}
    once = {"name": "redemption.count.per_customer", "conditions": {"$less_than_or_equal": [1]}}
    redeem(api, VoucherFactory(project=api.project).code, order={"source_id": "cart"} | LARGE, customer=vip)
    code = code_with(api, CUSTOMER, once)

    found = validate(api, code, order={"source_id": "cart"})
    other = validate(api, code, order={"source_id": "cart"}, customer={"source_id": "bob"})
    redeemed = redeem(api, code, order={"source_id": "cart"})
    again = validate(api, code, order={"source_id": "cart"})

    assert (found["valid"], other["valid"], again["valid"]) == (True, False, False)
    assert redeemed["redemptions"][0]["customer"]["source_id"] == "ann"


@pytest.mark.parametrize(
    ("subject", "make"),
    [
        ("Promotion Tier", tier_assigned),
        (
            "Gift Card",
            lambda api, rule: api.post(
                "/v1/vouchers/CARD",
                {"type": "GIFT_VOUCHER", "gift": {"amount": 5000}, "validation_rules": [rule]},
            ).json()["code"],
        ),
    ],
)
def test_the_details_name_what_is_refused_and_by_which_rule(api, rule, subject, make):
    (found,) = validate(api, make(api, rule), order=SMALL)["redeemables"]

    assert found["result"]["error"]["details"] == (
        f"{subject} cannot be redeemed because of violated validation rules: {rule}"
    )


def test_conditions_are_joined_by_their_logic(api):
    others = [
        {"name": "order.metadata", "property": name, "conditions": {"$is": [True]}} for name in ("a", "b")
    ]
    code = code_with(api, BIG, *others, logic="1 and (2 or 3)")

    def holds(amount, **metadata):
        return validate(api, code, order={"amount": amount, "metadata": metadata})["valid"]

    assert [holds(10000, a=True), holds(10000, b=True), holds(10000), holds(100, a=True, b=True)] == [
        True,
        True,
        False,
        False,
    ]


def test_an_unknown_condition_holds_where_the_rule_says_so(api):
    red = {"name": "order.metadata", "property": "color", "conditions": {"$is": ["red"]}}
    strict, lenient = code_with(api, red), code_with(api, red | {"unknown": True})

    answers = [
        validate(api, code, order={"amount": 100, "metadata": metadata})["valid"]
        for code in (strict, lenient)
        for metadata in ({}, {"color": "blue"}, {"color": "red"})
    ]

    assert answers == [False, False, True, True, False, True]


def test_later_codes_are_judged_on_the_order_that_earlier_ones_left(api):
    tenth = code_with(api, discount={"type": "PERCENT", "percent_off": 10})
    above = code_with(api, {"name": "order.amount", "conditions": {"$more_than": [10000]}})
    before = code_with(api, {"name": "order.initial_amount", "conditions": {"$more_than": [10000]}})
    order = {"amount": 10500}

    assert validate(api, above, tenth, order=order)["valid"] is True
    assert validate(api, tenth, above, order=order)["valid"] is False
    assert validate(api, tenth, before, order=order)["valid"] is True


def test_nested_conditions_are_asked_of_the_items_that_match(api):
    any_two = {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": "a", "object": "product"}, {"id": "b", "object": "product"}]},
        "rules": {"1": {"name": "order.items.quantity", "conditions": {"$more_than_or_equal": [2]}}},
    }
    code = code_with(api, any_two)

    def holds(*quantities):
        items = [
            {"source_id": name, "quantity": quantity, "price": 100}
            for name, quantity in zip("abc", quantities, strict=True)
        ]
        return validate(api, code, order={"items": items})["valid"]

    assert [holds(1, 2, 1), holds(1, 1, 5), holds(2, 0, 0)] == [True, False, True]


def test_a_rule_may_count_redemptions_of_a_customer(api):
    once = {"name": "redemption.count.per_customer", "conditions": {"$less_than_or_equal": [1]}}
    code, ann = code_with(api, once), {"source_id": "ann"}
    used = redeem(api, code, order=LARGE, customer=ann)

    again = validate(api, code, order=LARGE, customer=ann)
    other = validate(api, code, order=LARGE, customer={"source_id": "bob"})
    api.post(f"/v1/redemptions/{used['redemptions'][0]['id']}/rollback")
    freed = validate(api, code, order=LARGE, customer=ann)

    assert again["redeemables"][0]["result"]["error"]["key"] == "redemption_rules_violated"
    assert (other["valid"], freed["valid"]) == (True, True)


@pytest.mark.parametrize("key_type", ["server", "client"])
def test_older_validations_say_the_rules_words_alone(api, client_api, rule, key_type):
    code = code_assigned(api, rule)

    if key_type == "server":
        answer = api.post(f"/v1/vouchers/{code}/validate", {"order": SMALL})
    else:
        answer = client_api.get("/client/v1/validate", {"code": code, "amount": 100}, Origin="https://shop")

    body = answer.json()
    assert answer.status_code == 200
    assert {name: body[name] for name in ("valid", "code", "reason", "error", "metadata")} == {
        "valid": False,
        "code": code,
        "reason": "order does not match validation rules",
        "error": {"message": "Spend more"},
        "metadata": {},
    }


def test_an_older_validation_without_words_has_the_whole_error(api):
    code = code_with(api, {"name": "order.amount", "conditions": {"$more_than": [5000]}})

    error = api.post(f"/v1/vouchers/{code}/validate", {"order": SMALL}).json()["error"]

    assert (error["code"], error["key"]) == (400, "order_rules_violated")


def test_a_browsers_query_string_is_judged_line_by_line(client_api, api):
    code = code_with(api, {"name": "product.id", "conditions": {"$is": [{"id": "shoe"}]}})

    def valid(product):
        query = {
            "code": code,
            "item[0][product_id]": product,
            "item[0][quantity]": 2,
            "item[0][price]": 3000,
            "customer[source_id]": "ann",
        }
        return client_api.get("/client/v1/validate", query, Origin="https://shop").json()

    assert (valid("shoe")["valid"], valid("hat")["valid"]) == (True, False)
    assert valid("shoe")["order"]["total_amount"] == 5000


def test_an_older_redemption_is_refused_with_the_error(api, rule):
    code = code_assigned(api, rule)

    answer = api.post(f"/v1/vouchers/{code}/redemption", {"order": SMALL})

    assert (answer.status_code, answer.json()["error"]) == (400, {"message": "Spend more"})


def test_promotions_that_apply_are_listed_with_what_they_take_off(api, rule, project):
    guarded, free = tier_assigned(api, rule), PromotionTierFactory(project=project, banner="Now").public_id

    small = api.post("/v1/promotions/validation", {"order": SMALL}).json()
    large = api.post("/v1/promotions/validation", {"order": LARGE}).json()

    assert [one["id"] for one in small["promotions"]] == [free]
    assert {one["id"] for one in large["promotions"]} == {free, guarded}
    (one,) = small["promotions"]
    assert (one["banner"], one["object"], one["discount_amount"]) == ("Now", "promotion_tier", 100)


def test_no_promotion_that_applies_is_an_answer_too(api, rule):
    tier_assigned(api, rule)

    answer = api.post("/v1/promotions/validation", {"order": SMALL}).json()

    assert (answer["valid"], answer["promotions"]) == (False, [])


@pytest.mark.parametrize(("verb", "status"), [("validation", 200), ("redemption", 400)])
def test_one_tier_is_refused_in_its_rules_words(api, rule, verb, status):
    tier = tier_assigned(api, rule)

    answer = api.post(f"/v1/promotions/tiers/{tier}/{verb}", {"order": SMALL})

    body = answer.json()
    error = body["error"] if verb == "validation" else body
    assert (answer.status_code, error["key"]) == (status, "order_rules_violated")
    assert error["error"] == {"message": "Spend more"}


def test_a_product_of_the_catalogue_is_known_by_any_of_its_names(api):
    shoe = api.post("/v1/products", {"source_id": "shoe", "price": 5000}).json()
    code = code_with(api, {"name": "product.id", "conditions": {"$is": [{"id": shoe["id"]}]}})
    named = [
        {"product_id": shoe["id"]},
        {"product_id": "shoe"},
        {"source_id": "shoe"},
        {"product": {"source_id": "shoe"}},
        {"product": {"id": shoe["id"]}},
    ]

    answers = [validate(api, code, order={"items": [line | {"quantity": 1}]}) for line in named]

    assert [answer["valid"] for answer in answers] == [True] * 5
    assert [answer["order"]["amount"] for answer in answers] == [5000] * 5


def test_what_was_read_of_an_items_metadata_counts(api):
    condition = {"name": "order.items.metadata_any", "property": "color", "conditions": {"$is": ["red"]}}
    code = code_with(api, condition)
    (plain,) = lines(1000)

    assert validate(api, code, order={"items": [plain | {"metadata": {"color": "red"}}]})["valid"] is True
    assert validate(api, code, order={"items": [plain]})["valid"] is False
