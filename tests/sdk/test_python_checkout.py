"""A storefront on the official Python SDK: rules, free units, stacks, categories, qualification.

Each answer goes through the SDK's own models, which raise on a value of the wrong type.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import voucherify as sdk
from voucherify.exceptions import ApiException

pytestmark = pytest.mark.xdist_group("product")

BIG = {"name": "order.amount", "conditions": {"$more_than": [5000]}, "error": {"message": "Spend more"}}


def named(word: str) -> str:
    return f"{word} {uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def goods(client) -> list[Any]:
    """Two products, of 20.00 and 30.00, the second with a SKU of 35.00."""
    api = sdk.ProductsApi(client)
    made = [
        api.create_product(sdk.ProductsCreateRequestBody(name=word, source_id=named(word), price=price))
        for word, price in (("Shoe", 2000), ("Hat", 3000))
    ]
    asked = sdk.ProductsSkusCreateRequestBody(source_id=named("hat-l"), sku="L", price=3500)
    return [*made, api.create_sku(made[1].id, asked)]


@pytest.fixture
def rule(client) -> Any:
    """Make validation rules of numbered conditions."""

    def make(*conditions: dict[str, Any], **more: Any) -> Any:
        rules = {str(number): condition for number, condition in enumerate(conditions, 1)}
        body = {"name": named("Rule"), "rules": rules, **more}
        return sdk.ValidationRulesApi(client).create_validation_rules(
            sdk.ValidationRulesCreateRequestBody.from_dict(body)
        )

    return make


@pytest.fixture
def code(client) -> Any:
    """Make discount codes and return them."""

    def make(discount: dict[str, Any], *rules: str, **more: Any) -> str:
        body = {"type": "DISCOUNT_VOUCHER", "discount": discount, "validation_rules": list(rules), **more}
        made = sdk.VouchersApi(client).create_voucher(
            f"PY-{uuid.uuid4().hex[:8]}", sdk.VouchersCreateWithSpecificCodeRequestBody.from_dict(body)
        )
        return str(made.code)

    return make


def body_of(ids: list[str], order: dict[str, Any], **more: Any) -> dict[str, Any]:
    kinds = {"promo": "promotion_tier", "stack": "promotion_stack"}
    redeemables = [{"object": kinds.get(one.partition("_")[0], "voucher"), "id": one} for one in ids]
    return {"redeemables": redeemables, "order": order, **more}


def validate(client, ids, order, **more) -> Any:
    return sdk.ValidationsApi(client).validate_stacked_discounts(
        sdk.ValidationsValidateRequestBody.from_dict(body_of(ids, order, **more))
    )


def redeem(client, ids, order, **more) -> Any:
    return sdk.RedemptionsApi(client).redeem_stacked_discounts(
        sdk.RedemptionsRedeemRequestBody.from_dict(body_of(ids, order, **more))
    )


def qualify(client, **body) -> Any:
    return sdk.QualificationsApi(client).check_eligibility(
        sdk.QualificationsCheckEligibilityRequestBody.from_dict(body)
    )


AMOUNT = {"type": "AMOUNT", "amount_off": 1000}


def test_a_rule_is_changed_assigned_and_listed(client, rule, code):
    api, made = sdk.ValidationRulesApi(client), rule(BIG, error={"message": "No"})
    assigned = api.create_validation_rule_assignment(
        made.id,
        validation_rules_assignments_create_request_body=sdk.ValidationRulesAssignmentsCreateRequestBody(
            related_object_type="voucher", related_object_id=code(AMOUNT)
        ),
    )

    changed = api.update_validation_rule(made.id, sdk.ValidationRulesUpdateRequestBody(name="Renamed"))
    read = api.get_validation_rule(made.id)
    listed = api.list_validation_rules(limit=100)
    assignments = api.list_validation_rule_assignments(made.id)

    assert (changed.name, read.name, read.error.message) == ("Renamed", "Renamed", "No")
    assert made.id in [one.id for one in listed.data]
    assert [one.id for one in assignments.data] == [assigned.id]
    assert read.assignments_count == 1


def test_a_rule_refuses_in_its_own_words(client, rule, code):
    guarded = code(AMOUNT, rule(BIG).id)

    refused = validate(client, [guarded], {"amount": 4000})
    allowed = validate(client, [guarded], {"amount": 9000})
    with pytest.raises(ApiException) as error:
        redeem(client, [guarded], {"amount": 4000})

    assert (refused.valid, allowed.valid) == (False, True)
    assert refused.redeemables[0].result.error.error.message == "Spend more"
    assert refused.redeemables[0].result.details.message == "Spend more"
    assert (error.value.status, "order_rules_violated" in error.value.body) == (400, True)


def test_free_units_are_validated_redeemed_and_rolled_back(client, goods, code):
    shoe, hat, size = goods
    units = [
        {"effect": "ADD_MISSING_ITEMS", "unit_off": 1, "unit_type": shoe.id},
        {"effect": "ADD_NEW_ITEMS", "unit_off": 1, "unit_type": size.id},
    ]
    free = code({"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": units})
    order = {"items": [{"product_id": hat.id, "quantity": 1}]}

    found = validate(client, [free], order, customer={"source_id": named("ann")})
    redeemed = redeem(client, [free], order, customer={"source_id": named("ann")})
    undone = sdk.RedemptionsApi(client).rollback_stacked_redemptions(redeemed.redemptions[0].id)

    assert [(item.quantity, item.discount_quantity) for item in found.order.items] == [
        (1, None),
        (1, 1),
        (1, 1),
    ]
    assert (redeemed.order.initial_amount, redeemed.order.amount, redeemed.order.total_amount) == (
        3000,
        8500,
        3000,
    )
    assert (undone.order.amount, len(undone.order.items)) == (3000, 1)


def test_a_discount_on_named_goods_says_what_it_is_for(client, goods, rule, code):
    shoe, hat, _ = goods
    scope = {
        "included": [{"object": "product", "id": shoe.id, "effect": "APPLY_TO_EVERY"}],
        "excluded": [{"object": "product", "id": hat.id, "effect": "APPLY_TO_EVERY"}],
        "included_all": False,
    }
    half = code(
        {"type": "PERCENT", "percent_off": 5, "percent_off_formula": "ORDER_ITEMS_QUANTITY * 25"},
        rule(applicable_to=scope).id,
    )
    items = [{"product_id": product.id, "quantity": 1} for product in (shoe, hat)]

    (found,) = validate(client, [half], {"items": items}).redeemables

    assert [row.id for row in found.applicable_to.data] == [shoe.id]
    assert [row.id for row in found.inapplicable_to.data] == [hat.id]
    assert found.result.discount.is_dynamic
    assert found.order.total_applied_discount_amount == 1000


@pytest.mark.parametrize(("quantity", "valid"), [(2, True), (1, False)])
def test_a_bundle_is_counted_or_said_to_lack_something(client, goods, rule, code, quantity, valid):
    shoe = goods[0]
    pair = {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": shoe.id, "object": "product"}]},
        "rules": {
            "1": {"name": "order.items.aggregated_quantity", "conditions": {"$is": [2]}},
            "logic": "1",
        },
    }
    bundled = code(AMOUNT, rule(type="complex", bundle_rules={"limit": 1, "1": pair}).id)
    items = [{"product_id": shoe.id, "quantity": quantity}]

    answer = validate(client, [bundled], {"items": items})

    bundle = answer.redeemables[0].result.bundle
    assert (answer.valid, bundle.quantity) == (valid, int(valid))
    assert [part.item_quantity for part in bundle.missing or []] == ([] if valid else [1])


@pytest.fixture(scope="module")
def stack(client) -> Any:
    """A promotion stack of two tiers of 5.00 each."""
    tiers = [
        {"name": name, "action": {"discount": {"type": "AMOUNT", "amount_off": 500}}} for name in ("A", "B")
    ]
    body = {
        "name": named("Cart"),
        "campaign_type": "PROMOTION",
        "type": "AUTO_UPDATE",
        "promotion": {"tiers": tiers},
    }
    campaign = sdk.CampaignsApi(client).create_campaign(sdk.CampaignsCreateRequestBody.from_dict(body))
    ids = [tier.id for tier in campaign.promotion.tiers]
    return sdk.PromotionsApi(client).create_promotion_stack(
        campaign.id, sdk.PromotionsStacksCreateRequestBody.from_dict({"name": "S", "tiers": {"ids": ids}})
    )


def test_a_stack_is_validated_redeemed_and_rolled_back(client, stack):
    order = {"amount": 10000, "source_id": named("cart")}

    found = validate(client, [stack.id], order)
    redeemed = redeem(client, [stack.id], order)
    undone = sdk.RedemptionsApi(client).rollback_stacked_redemptions(redeemed.parent_redemption.id)
    listed = sdk.RedemptionsApi(client).list_redemptions(limit=100)

    assert [one.id for one in found.redeemables] == stack.tiers.ids
    assert (found.order.total_amount, redeemed.order.total_amount) == (9000, 9000)
    assert len(undone.rollbacks) == 2
    assert redeemed.parent_redemption.id in [one.id for one in listed.redemptions]


def test_codes_stack_with_rules_units_and_categories(client, goods, rule, code):
    shoe = goods[0]
    category = sdk.CategoriesApi(client).create_category(
        sdk.CategoriesCreateRequestBody(name=named("News"), hierarchy=1)
    )
    unit = {"type": "UNIT", "effect": "ADD_NEW_ITEMS", "unit_off": 1, "unit_type": shoe.id}
    codes = [
        code(AMOUNT, category_id=category.id),
        code(unit),
        code({"type": "PERCENT", "percent_off": 10}, rule(BIG).id),
    ]
    order = {"items": [{"product_id": shoe.id, "quantity": 4}]}
    expand = {"expand": ["order", "redeemable", "category"]}

    found = validate(client, codes, order, options=expand)
    redeemed = redeem(client, codes, order, customer={"source_id": named("ann")}, options=expand)
    undone = sdk.RedemptionsApi(client).rollback_stacked_redemptions(redeemed.parent_redemption.id)

    assert [one.name for one in found.redeemables[0].categories] == [category.name]
    # 80.00 less 10.00, a shoe more for nothing, and a tenth of 70.00.
    assert (found.order.total_amount, redeemed.order.total_amount) == (6300, 6300)
    assert len(undone.rollbacks) == 3


def test_a_session_is_held_and_released(client, code):
    single = code(AMOUNT, redemption={"quantity": 1})
    session = {"type": "LOCK", "ttl": 5, "ttl_unit": "MINUTES"}

    held = validate(client, [single], {"amount": 9000}, session=session)
    refused = validate(client, [single], {"amount": 9000})
    sdk.VouchersApi(client).release_validation_session(single, held.session.key)
    free = validate(client, [single], {"amount": 9000})

    assert (held.session.ttl, held.session.ttl_unit) == (5, "MINUTES")
    assert (held.valid, refused.valid, free.valid) == (True, False, True)


@pytest.mark.parametrize(
    "scenario",
    [
        "ALL",
        "CUSTOMER_WALLET",
        "AUDIENCE_ONLY",
        "PRODUCTS",
        "PRODUCTS_DISCOUNT",
        "PROMOTION_STACKS",
        "PRODUCTS_BY_CUSTOMER",
        "PRODUCTS_DISCOUNT_BY_CUSTOMER",
    ],
)
def test_each_scenario_of_a_qualification_is_readable(client, goods, rule, code, stack, scenario):
    shoe = goods[0]
    scope = {"included": [{"object": "product", "id": shoe.id, "effect": "APPLY_TO_EVERY"}]}
    code(AMOUNT, rule(BIG, applicable_to=scope).id)

    found = qualify(
        client,
        scenario=scenario,
        customer={"source_id": "ann"},
        order={"items": [{"product_id": shoe.id, "quantity": 3}]},
        options={"limit": 50, "expand": ["redeemable", "category", "validation_rules"]},
    )

    ids = [one.id for one in found.redeemables.data]
    assert (stack.id in ids) is (scenario in ("ALL", "PROMOTION_STACKS"))


@pytest.mark.parametrize("sorting", ["DEFAULT", "BEST_DEAL", "LEAST_DEAL"])
def test_qualifications_are_paged_by_the_sdks_own_dates(client, code, sorting):
    for _ in range(5):
        code(AMOUNT)
    seen: list[str] = []
    options: dict[str, Any] = {"limit": 2, "sorting_rule": sorting}
    for _ in range(100):
        page = qualify(client, order={"amount": 9000}, options=options).redeemables
        seen += [one.id for one in page.data]
        if not page.has_more:
            break
        assert isinstance(page.more_starting_after, datetime)
        options["starting_after"] = page.more_starting_after.astimezone(UTC).isoformat()

    whole = qualify(client, order={"amount": 9000}, options={"limit": 50, "sorting_rule": sorting})

    assert len(seen) == len(set(seen))
    assert seen[:50] == [one.id for one in whole.redeemables.data]
