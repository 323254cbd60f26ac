"""The official Python SDK, unmodified, drives the running product; only the address is changed."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
import voucherify as sdk
from voucherify.exceptions import ApiException

pytestmark = pytest.mark.xdist_group("product")

ORDER = {"amount": 20000, "items": [{"product_id": "prod_x", "quantity": 2, "price": 10000}]}


@pytest.fixture(scope="module")
def campaign(client) -> Any:
    body = {
        "name": f"Python {uuid.uuid4().hex[:8]}",
        "campaign_type": "DISCOUNT_COUPONS",
        "type": "AUTO_UPDATE",
        "voucher": {
            "type": "DISCOUNT_VOUCHER",
            "discount": {"type": "AMOUNT", "amount_off": 1000},
            "redemption": {"quantity": 1},
        },
    }
    return sdk.CampaignsApi(client).create_campaign(sdk.CampaignsCreateRequestBody.from_dict(body))


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 15
    while not (value := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)
    return value


def test_a_campaign_has_the_published_shape(campaign):
    assert campaign.id.startswith("camp_")
    assert campaign.voucher.discount.amount_off == 1000
    assert campaign.start_date is None


def test_vouchers_are_added_one_and_many(client, campaign):
    api = sdk.CampaignsApi(client)

    one = api.add_vouchers_to_campaign(campaign.id, 1)
    many = api.add_vouchers_to_campaign(campaign.id, 5)
    done = until(lambda: _finished(client, many.async_action_id))
    listed = sdk.VouchersApi(client).list_vouchers(campaign_id=campaign.id, limit=20)

    assert one.code
    assert done.result["done_count"] == 5
    assert listed.total >= 6


def test_a_rule_is_made_and_assigned(client, campaign):
    api = sdk.ValidationRulesApi(client)
    rules = {"1": {"name": "order.amount", "conditions": {"$more_than": [5000]}}, "logic": "1"}
    asked = sdk.ValidationRulesCreateRequestBody.from_dict({"name": "Big cart", "rules": rules})

    rule = api.create_validation_rules(asked)
    assignment = api.create_validation_rule_assignment(
        rule.id,
        validation_rules_assignments_create_request_body=sdk.ValidationRulesAssignmentsCreateRequestBody(
            related_object_type="campaign", related_object_id=campaign.id
        ),
    )
    listed = api.list_validation_rules_assignments(related_object_id=campaign.id)
    api.delete_validation_rule_assignment(rule.id, assignment.id)
    api.delete_validation_rules(rule.id)

    assert [(one.id, one.rule_id) for one in listed.data] == [(assignment.id, rule.id)]


def test_a_voucher_is_disabled_and_enabled(client, campaign):
    api = sdk.VouchersApi(client)
    code = (
        sdk.CampaignsApi(client)
        .add_voucher_with_specific_code_to_campaign(campaign.id, f"PY-{uuid.uuid4().hex[:6]}")
        .code
    )

    disabled, enabled = api.disable_voucher(code), api.enable_voucher(code)

    assert (disabled.active, enabled.active) == (False, True)


def test_a_customer_keeps_metadata_of_both_upserts(client):
    api = sdk.CustomersApi(client)
    source_id = f"py-{uuid.uuid4().hex[:8]}"
    api.create_customer(sdk.CustomersCreateRequestBody(source_id=source_id, metadata={"a": 1}))

    customer = api.create_customer(sdk.CustomersCreateRequestBody(source_id=source_id, metadata={"b": 2}))

    assert customer.metadata == {"a": 1, "b": 2}


def test_a_deleted_customer_is_gone(client):
    api = sdk.CustomersApi(client)
    customer = api.create_customer(sdk.CustomersCreateRequestBody(source_id=f"py-{uuid.uuid4().hex[:8]}"))
    api.delete_customer(customer.id)

    with pytest.raises(ApiException) as refused:
        api.get_customer(customer.id)

    assert refused.value.status == 404


def test_a_published_code_is_validated_redeemed_and_rolled_back(client, campaign):
    customer = {"source_id": f"py-{uuid.uuid4().hex[:8]}", "email": "py@example.com"}
    publication = sdk.PublicationsApi(client).create_publication(
        publications_create_request_body=sdk.PublicationsCreateRequestBody.from_dict(
            {"campaign": {"name": campaign.name}, "customer": customer}
        )
    )
    code = publication.voucher.code
    body = {"redeemables": [{"object": "voucher", "id": code}], "order": ORDER, "customer": customer}

    validation = sdk.ValidationsApi(client).validate_stacked_discounts(
        sdk.ValidationsValidateRequestBody.from_dict(body)
    )
    redeemed = sdk.RedemptionsApi(client).redeem_stacked_discounts(
        sdk.RedemptionsRedeemRequestBody.from_dict(body)
    )
    rolled_back = sdk.RedemptionsApi(client).rollback_redemption(redeemed.redemptions[0].id, reason="test")

    assert validation.valid
    assert redeemed.order.total_amount == 19000
    assert rolled_back.result == "SUCCESS"


def test_qualifications_and_lists_are_readable(client, campaign):
    found = sdk.QualificationsApi(client).check_eligibility(
        sdk.QualificationsCheckEligibilityRequestBody.from_dict({"order": ORDER, "scenario": "ALL"})
    )

    assert len(found.redeemables.data) == 5
    assert found.redeemables.has_more


def test_promotion_tiers_and_stacks_are_made_read_changed_and_deleted(client):
    api = sdk.PromotionsApi(client)
    body = {"name": f"Cart {uuid.uuid4().hex[:8]}", "campaign_type": "PROMOTION", "type": "AUTO_UPDATE"}
    campaign = sdk.CampaignsApi(client).create_campaign(sdk.CampaignsCreateRequestBody.from_dict(body))
    tier = {"name": "T", "action": {"discount": {"type": "AMOUNT", "amount_off": 500}}}
    made = api.add_promotion_tier_to_campaign(
        campaign.id, sdk.PromotionsTiersCreateRequestBody.from_dict(tier)
    )

    changed = api.update_promotion_tier(made.id, sdk.PromotionsTiersUpdateRequestBody(name="U"))
    disabled = api.disable_promotion_tier(made.id)
    enabled = api.enable_promotion_tier(made.id)
    listed = api.list_promotion_tiers_from_campaign(campaign.id)
    stack = api.create_promotion_stack(
        campaign.id,
        sdk.PromotionsStacksCreateRequestBody.from_dict({"name": "S", "tiers": {"ids": [made.id]}}),
    )
    renamed = api.update_promotion_stack(
        campaign.id, stack.id, sdk.PromotionsStacksUpdateRequestBody(name="Pair")
    )
    stacks = api.list_promotion_stacks_in_campaign(campaign.id)
    api.delete_promotion_tier(made.id)
    with pytest.raises(ApiException) as refused:
        api.get_promotion_stack(campaign.id, stack.id)

    assert (made.hierarchy, changed.name) == (1, "U")
    assert (disabled.active, enabled.active) == (False, True)
    assert [one.id for one in listed.tiers] == [made.id]
    assert (renamed.name, [one.id for one in stacks.data]) == ("Pair", [stack.id])
    assert refused.value.status == 404


def test_a_category_is_made_read_changed_and_deleted(client):
    api = sdk.CategoriesApi(client)
    name = f"Category {uuid.uuid4().hex[:8]}"
    made = api.create_category(sdk.CategoriesCreateRequestBody(name=name, hierarchy=1))

    changed = api.update_category(made.id, sdk.CategoriesUpdateRequestBody(name=f"{name}!", hierarchy=0))
    read = api.get_category(made.id)
    listed = api.list_categories()
    api.delete_category(made.id)
    with pytest.raises(ApiException) as refused:
        api.get_category(made.id)

    assert (read.name, read.hierarchy, read.updated_at) == (f"{name}!", 0, changed.updated_at)
    assert listed.data[0].id == made.id
    assert refused.value.status == 404


def test_a_product_and_its_sku_are_made_read_changed_and_deleted(client):
    api = sdk.ProductsApi(client)
    ref = f"py {uuid.uuid4().hex[:8]}"
    made = api.create_product(sdk.ProductsCreateRequestBody(source_id=ref, name="Shoe", metadata={"a": 1}))
    sku = api.create_sku(
        made.id, sdk.ProductsSkusCreateRequestBody(source_id=f"{ref}-42", sku="42", price=4000)
    )

    changed = api.update_product(ref, sdk.ProductsUpdateRequestBody(price=5000, metadata={"b": 2}))
    changed_sku = api.update_sku(ref, sku.id, sdk.ProductsSkusUpdateRequestBody(currency="EUR"))
    read = api.get_product(made.id)
    listed = api.list_skus_in_product(made.id)
    products = api.list_products(limit=100)
    api.delete_sku(made.id, sku.id)
    api.delete_product(made.id, force=True)
    with pytest.raises(ApiException) as refused:
        api.get_sku(sku.id)

    assert (changed.price, changed.metadata) == (5000, {"a": 1, "b": 2})
    assert (changed_sku.price, changed_sku.currency) == (4000, "EUR")
    assert made.id in [one.id for one in products.products]
    assert [one.id for one in read.skus.data] == [one.id for one in listed.skus] == [sku.id]
    assert refused.value.status == 404


def test_products_come_in_bulk_and_from_files(client):
    api = sdk.ProductsApi(client)
    ref = f"py-{uuid.uuid4().hex[:8]}"

    actions = [
        api.update_products_in_bulk(
            [sdk.ProductsUpdateInBulkRequestBody(source_id=ref, name="Shoe", attributes=["size"])]
        ),
        api.update_products_metadata_in_bulk(
            sdk.ProductsMetadataUpdateInBulkRequestBody(source_ids=[ref], metadata={"season": "spring"})
        ),
        api.import_products_using_csv(f"name,source_id\nBoot,{ref}\nHat,{ref}-hat\n".encode()),
    ]
    for action in actions:
        until(lambda key=action.async_action_id: _finished(client, key))
    skus = api.import_skus_using_csv(f"product_id,source_id,sku,price\n{ref},{ref}-42,42,49.90\n".encode())
    until(lambda: _finished(client, skus.async_action_id))
    read = api.get_product(ref)

    assert (read.name, read.metadata, read.attributes) == ("Boot", {"season": "spring"}, ["size"])
    assert read.skus.data[0].price == 4990


def test_a_collection_is_made_read_and_deleted(client):
    api = sdk.ProductCollectionsApi(client)
    made_product = sdk.ProductsApi(client).create_product(sdk.ProductsCreateRequestBody(name="Shoe"))
    body = {"type": "STATIC", "name": "Set", "products": [{"id": made_product.id, "object": "product"}]}
    made = api.create_product_collection(sdk.ProductCollectionsCreateRequestBody.from_dict(body))

    listed = api.list_products_in_collection(made.id)
    read = api.get_product_collection(made.id)
    api.delete_product_collection(made.id)

    assert [row.id for row in listed.data] == [made_product.id]
    assert read.products[0].id == made_product.id


@pytest.mark.parametrize(
    ("api", "method"),
    [
        ("CampaignsApi", "list_campaigns"),
        ("VouchersApi", "list_vouchers"),
        ("CustomersApi", "list_customers"),
        ("PublicationsApi", "list_publications"),
        ("RedemptionsApi", "list_redemptions"),
        ("AsyncActionsApi", "list_async_actions"),
        ("ProductsApi", "list_products"),
        ("ProductCollectionsApi", "list_product_collections"),
    ],
)
def test_each_list_is_readable(client, campaign, api, method):
    answer = getattr(getattr(sdk, api)(client), method)(limit=100)

    assert answer.object == "list"


def test_a_bearer_token_opens_what_its_scopes_name(product):
    keys = {"X-App-Id": product.app_id, "X-App-Token": product.app_token}
    token = requests.post(
        f"{product.base_url}/v1/oauth/token",
        data={"grant_type": "client_credentials", "scope": "vouchers"},
        headers=keys,
        timeout=10,
    ).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}

    vouchers = requests.get(f"{product.base_url}/v1/vouchers", headers=bearer, timeout=10)
    campaigns = requests.get(f"{product.base_url}/v1/campaigns", headers=bearer, timeout=10)

    assert (vouchers.status_code, campaigns.status_code) == (200, 403)


def test_a_message_about_the_code_is_sent(client, campaign, product):
    address = f"{uuid.uuid4().hex[:8]}@example.com"
    sdk.PublicationsApi(client).create_publication(
        publications_create_request_body=sdk.PublicationsCreateRequestBody.from_dict(
            {"campaign": {"name": campaign.name}, "customer": {"source_id": address, "email": address}}
        )
    )

    def sent() -> bool:
        return any(f"To: {address}" in file.read_text() for file in (product.state_dir / "mail").glob("*"))

    assert until(sent)


def _finished(client: sdk.ApiClient, action_id: str) -> Any:
    action = sdk.AsyncActionsApi(client).get_async_action(action_id)
    return action if action.operation_status == "SUCCESS" else None
