"""Every answer of these groups has the published shape, and no key that is unknown to it."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import Resolver404, resolve
from django.utils import timezone
from jsonschema import Draft202012Validator

from promoengine.core.models import AsyncAction, OutboxEvent
from promoengine.core.services.async_actions import run_async_action
from redemptions.services.summaries import refresh_summaries
from tests.contract.published import as_json_schema, is_known_null, published, without_nulls
from tests.factories import (
    CampaignFactory,
    CategoryFactory,
    CustomerFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from vouchers.models import Voucher

GROUPS = {
    "campaigns",
    "vouchers",
    "validations",
    "qualifications",
    "redemptions",
    "publications",
    "customers",
    "events",
    "async-actions",
    "categories",
    "promotions",
    "oauth",
    "validation-rules",
    "client-side",
}
DISCOUNTS = [
    {"type": "AMOUNT", "amount_off": 1000},
    {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ITEMS"},
    {"type": "PERCENT", "percent_off": 12.5, "amount_limit": 5000},
    {"type": "FIXED", "fixed_amount": 900},
]
ORDER = {
    "source_id": "order-1",
    "amount": 20000,
    "items": [{"product_id": "prod_1", "quantity": 2, "price": 10000, "metadata": {"color": "red"}}],
    "metadata": {"shop": "online"},
}
CUSTOMER = {"source_id": "ann", "name": "Ann", "email": "ann@example.com", "metadata": {"vip": True}}


def assert_told(schema, event_type):
    """Hold what the outbox tells of against the published schema of such events."""
    validator = Draft202012Validator(
        {**published().root, "allOf": [as_json_schema({"$ref": f"#/components/schemas/{schema}"})]}
    )
    told = OutboxEvent.objects.filter(type=event_type)
    assert told
    for event in told:
        errors = [
            error for error in validator.iter_errors(without_nulls(event.data)) if not is_known_null(error)
        ]
        assert [error.message for error in errors] == []


def campaign_body(name="Spring", **extra):
    return {
        "name": name,
        "voucher": {"type": "DISCOUNT_VOUCHER", "discount": DISCOUNTS[0], "redemption": {"quantity": 1}},
        **extra,
    }


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_campaign_life(contract, discount):
    body = campaign_body(
        voucher={
            "type": "DISCOUNT_VOUCHER",
            "discount": discount,
            "code_config": {"prefix": "A-", "length": 6},
        },
        start_date="2026-01-01T00:00:00Z",
        expiration_date="2999-01-01T00:00:00Z",
        validity_timeframe={"interval": "P2D", "duration": "P1D"},
        validity_day_of_week=[1, 2, 3],
        category="News",
        metadata={"owner": "Ann"},
        description="For spring",
        activity_duration_after_publishing="P24D",
    )
    made = contract.call("post", "/v1/campaigns", body)

    contract.call("get", f"/v1/campaigns/{made['id']}")
    contract.call("put", f"/v1/campaigns/{made['id']}", {"description": "x", "metadata": {"b": 1}})
    contract.call("post", f"/v1/campaigns/{made['id']}/disable")
    contract.call("post", f"/v1/campaigns/{made['id']}/enable")
    contract.call("post", f"/v1/campaigns/{made['id']}/vouchers")
    contract.call("post", f"/v1/campaigns/{made['id']}/vouchers/NAMED", {"metadata": {"a": "b"}})
    contract.call("post", f"/v1/campaigns/{made['id']}/vouchers?vouchers_count=3", status=202)
    contract.call("get", "/v1/campaigns")
    contract.call("delete", f"/v1/campaigns/{made['id']}", status=202)


def test_gift_and_promotion_campaigns(contract):
    contract.call(
        "post",
        "/v1/campaigns",
        {"name": "Gift", "voucher": {"type": "GIFT_VOUCHER", "gift": {"amount": 5000}}},
    )
    tiers = [{"name": "T", "banner": "B", "action": {"discount": DISCOUNTS[0]}, "metadata": {"a": 1}}]
    contract.call(
        "post",
        "/v1/campaigns",
        {"name": "Promo", "campaign_type": "PROMOTION", "promotion": {"tiers": tiers}},
    )

    contract.call("get", "/v1/campaigns")


def test_campaign_import_and_its_async_action(contract, api, project):
    campaign = CampaignFactory(project=project)
    path = f"/v1/campaigns/{campaign.public_id}/importCSV"

    answer = api.upload(path, SimpleUploadedFile("codes.csv", b"Code\nA1\nA1\n"))

    assert published().problems("post", path, 200, answer.json()) == []
    action_id = answer.json()["async_action_id"]
    contract.call("get", f"/v1/async-actions/{action_id}")
    run_async_action(newest_action(project).pk)
    contract.call("get", f"/v1/async-actions/{action_id}")
    contract.call("get", "/v1/async-actions")


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_imports_of_records_and_their_async_actions(contract, project, discount):
    campaign = CampaignFactory(project=project)
    records = [
        {"code": f"R-{number}", "type": "DISCOUNT_VOUCHER", "discount": discount, "metadata": {"a": number}}
        for number in range(2)
    ]
    gift = {"code": "G", "type": "GIFT_VOUCHER", "gift": {"amount": 500, "balance": 500}}
    into_campaign = f"/v1/campaigns/{campaign.public_id}/import"

    for path, sent in ((into_campaign, records[:1]), ("/v1/vouchers/import", [*records, gift])):
        action_id = contract.call("post", path, sent, status=202)["async_action_id"]
        run_async_action(newest_action(project).pk)
        contract.call("get", f"/v1/async-actions/{action_id}")
    for code in ("R-0", "R-1", "G"):
        contract.call("get", f"/v1/vouchers/{code}")
    contract.call("post", into_campaign, [{"active": True}], status=400)
    contract.call("post", into_campaign, [records[0], records[0]], status=400)


def test_import_of_a_table_of_codes_on_their_own(contract, api, project):
    rows = b"Code,Voucher Type,Value,Discount Type\nA,DISCOUNT_VOUCHER,10,AMOUNT\nA,,1,AMOUNT\n"

    answer = api.upload("/v1/vouchers/importCSV", SimpleUploadedFile("codes.csv", rows))

    assert published().problems("post", "/v1/vouchers/importCSV", 202, answer.json()) == []
    run_async_action(newest_action(project).pk)
    contract.call("get", f"/v1/async-actions/{answer.json()['async_action_id']}")
    contract.call("get", "/v1/vouchers/A")
    refused = api.client.post("/v1/vouchers/importCSV", {}, headers=api.headers)
    assert published().problems("post", "/v1/vouchers/importCSV", 400, refused.json()) == []


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_voucher_life(contract, project, discount):
    contract.call(
        "post",
        "/v1/vouchers/LIFE",
        {
            "type": "DISCOUNT_VOUCHER",
            "discount": discount,
            "category_id": CategoryFactory(project=project).public_id,
            "redemption": {"quantity": 2},
            "validity_hours": {"daily": [{"start_time": "10:00", "expiration_time": "12:00"}]},
            "additional_info": "x",
        },
    )

    contract.call("get", "/v1/vouchers/LIFE")
    contract.call("put", "/v1/vouchers/LIFE", {"metadata": {"a": 1}, "active": True})
    contract.call("post", "/v1/vouchers/LIFE/disable")
    contract.call("post", "/v1/vouchers/LIFE/enable")
    contract.call("post", "/v1/vouchers", {"type": "DISCOUNT_VOUCHER", "discount": discount})
    contract.call("get", "/v1/vouchers")
    contract.call("post", "/v1/vouchers/bulk/async", [{"code": "LIFE", "metadata": {"a": 2}}], status=202)
    contract.call(
        "post", "/v1/vouchers/metadata/async", {"codes": ["LIFE"], "metadata": {"a": 3}}, status=202
    )
    contract.call("delete", "/v1/vouchers/LIFE", status=204)


def test_gift_card_life(contract):
    contract.call("post", "/v1/vouchers/CARD", {"type": "GIFT_VOUCHER", "gift": {"amount": 1000}})

    contract.call("post", "/v1/vouchers/CARD/balance", {"amount": 500, "reason": "x"})
    contract.call("get", "/v1/vouchers/CARD")
    contract.call("get", "/v1/vouchers/CARD/transactions")


def test_customer_life(contract, project, api):
    made = contract.call(
        "post",
        "/v1/customers",
        CUSTOMER | {"address": {"city": "Oslo"}, "birthdate": "1990-05-01", "phone": "1"},
    )
    redeem_stack(api, project)
    refresh_summaries([CustomerFactory._meta.model.objects.get(source_id="ann").pk], now=timezone.now())

    contract.call("get", "/v1/customers/ann")
    contract.call("put", "/v1/customers/ann", {"description": "x"})
    contract.call("get", "/v1/customers")
    contract.call("get", f"/v1/customers/{made['id']}/redeemables")
    contract.call("get", f"/v1/customers/{made['id']}/activity", query={"category": "ACTION"})
    contract.call("get", f"/v1/customers/{made['id']}/activities")
    contract.call("post", "/v1/customers/bulk/async", [{"source_id": "b", "name": "B"}], status=202)
    contract.call(
        "post", "/v1/customers/metadata/async", {"source_ids": ["ann"], "metadata": {"a": 1}}, status=202
    )
    contract.call("post", "/v1/customers/ann/permanent-deletion")


def test_customer_import_and_deletion(contract, api):
    answer = api.upload("/v1/customers/importCSV", SimpleUploadedFile("c.csv", b"Source_id,Name\na,b\n"))
    contract.call("post", "/v1/customers", {"source_id": "gone"})

    assert published().problems("post", "/v1/customers/importCSV", answer.status_code, answer.json()) == []
    contract.call("delete", "/v1/customers/gone", status=204)


def test_events(contract, client_contract):
    body = {"event": "seen", "customer": CUSTOMER, "metadata": {"page": 1}}

    contract.call("post", "/v1/events", body)
    client_contract.call("post", "/client/v1/events", body)
    more = {"source_id": "1", "created_at": "2026-01-31", "referral": {"code": "R"}, "loyalty": {"code": "L"}}
    contract.call("post", "/v1/events", body | more)
    contract.call("post", "/v1/events", body | {"event": ""}, status=400)
    assert_told("EventCustomerCustomEvent", "customer.custom_event")


def test_publications(contract, project):
    campaign = CampaignFactory(project=project)

    contract.call("post", "/v1/publications", {"campaign": {"name": campaign.name}, "customer": CUSTOMER})
    contract.call(
        "post", "/v1/publications", {"campaign": {"name": campaign.name, "count": 2}, "customer": CUSTOMER}
    )
    contract.call("get", "/v1/publications")
    contract.call("get", "/v1/customers/ann/redeemables")


@pytest.mark.parametrize("expand", [[], ["order", "redeemable", "category"]])
def test_validations_that_apply(contract, client_contract, project, expand):
    body = stack_of(project) | {"options": {"expand": expand}, "session": {"type": "LOCK"}}

    assert contract.call("post", "/v1/validations", body)["valid"] is True
    client_contract.call("post", "/client/v1/validations", body | {"session": None})


def test_validations_that_do_not(contract, project):
    used = VoucherFactory(project=project, active=False)
    redeemables = [{"object": "voucher", "id": code} for code in (used.code, "NONE")]

    assert contract.call("post", "/v1/validations", {"redeemables": redeemables})["valid"] is False


def test_validations_past_the_limit(contract, project):
    redeemables = [{"object": "voucher", "id": VoucherFactory(project=project).code} for _ in range(7)]

    answer = contract.call("post", "/v1/validations", {"redeemables": redeemables, "order": ORDER})

    assert len(answer["skipped_redeemables"]) == 2


@pytest.mark.parametrize("context", [{}, {"order": ORDER, "customer": CUSTOMER}])
def test_one_voucher_is_validated(contract, project, context):
    voucher = VoucherFactory(project=project, campaign=CampaignFactory(project=project))
    disabled = VoucherFactory(project=project, active=False)

    contract.call("post", f"/v1/vouchers/{voucher.code}/validate", context)
    contract.call("post", f"/v1/vouchers/{disabled.code}/validate", context)


def test_one_voucher_is_validated_in_a_browser(client_contract, project):
    voucher = VoucherFactory(project=project)

    client_contract.call("get", "/client/v1/validate", query={"code": voucher.code, "amount": 1000})


def test_promotions_are_validated(contract, project):
    PromotionTierFactory(project=project, banner="Now")

    contract.call("post", "/v1/promotions/validation", {"order": ORDER, "customer": CUSTOMER})


@pytest.mark.parametrize("context", [{}, {"order": ORDER, "customer": CUSTOMER}])
def test_qualifications(contract, client_contract, project, context):
    for discount in DISCOUNTS:
        VoucherFactory(project=project, discount=discount)
    PromotionTierFactory(project=project)
    CampaignFactory(project=project)

    for expand in ([], ["redeemable"]):
        body = context | {"options": {"expand": expand, "limit": 3}}
        contract.call("post", "/v1/qualifications", body)
        client_contract.call("post", "/client/v1/qualifications", body)


def test_redemptions_and_rollbacks(contract, client_contract, project):
    project.client_redeem_enabled = True
    project.save()
    stack = contract.call("post", "/v1/redemptions", stack_of(project))
    voucher = VoucherFactory(project=project)
    single = contract.call(
        "post", f"/v1/vouchers/{voucher.code}/redemption", {"order": {"amount": 100}, "customer": CUSTOMER}
    )
    client_contract.call("post", "/client/v1/redemptions", stack_of(project))

    contract.call("get", f"/v1/redemptions/{single['id']}")
    contract.call("get", f"/v1/redemptions/{stack['parent_redemption']['id']}")
    contract.call("get", f"/v1/vouchers/{voucher.code}/redemption")
    contract.call("post", f"/v1/redemptions/{single['id']}/rollback", {"reason": "x"})
    contract.call("post", f"/v1/redemptions/{stack['parent_redemption']['id']}/rollbacks", {})
    contract.call("get", "/v1/redemptions", query={"limit": 100})


def test_sessions_are_released(contract, project):
    voucher = VoucherFactory(project=project)
    body = {
        "redeemables": [{"object": "voucher", "id": voucher.code}],
        "session": {"type": "LOCK", "key": "k"},
    }
    contract.call("post", "/v1/validations", body)

    contract.call("delete", f"/v1/vouchers/{voucher.code}/sessions/k", status=204)


def test_tokens(api):
    answer = api.client.post(
        "/v1/oauth/token", {"grant_type": "client_credentials", "scope": "api"}, headers=api.headers
    )

    assert published().problems("post", "/v1/oauth/token", 200, answer.json()) == []


def test_every_core_endpoint_of_these_groups_is_there():
    missing = {
        f"{method} {template}"
        for _, method, template, operation in published().operations
        if operation.get("x-tier") == 1
        and set(operation["tags"]) & GROUPS
        and not is_routed(re.sub(r"\{[^}]+\}", "x", template), method)
    }

    assert missing == set()


def is_routed(path, method):
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return hasattr(getattr(view, "cls", None), method)


def stack_of(project):
    """Return a checkout with a code, a gift card and a promotion."""
    category = CategoryFactory(project=project)
    code = VoucherFactory(
        project=project, campaign=CampaignFactory(project=project), category=category, metadata={"a": 1}
    )
    card = VoucherFactory(
        project=project, type=Voucher.Type.GIFT_VOUCHER, discount=None, gift_amount=5000, gift_balance=5000
    )
    tier = PromotionTierFactory(project=project)
    return {
        "redeemables": [
            {"object": "voucher", "id": code.code},
            {"object": "voucher", "id": card.code, "gift": {"credits": 500}},
            {"object": "promotion_tier", "id": tier.public_id},
        ],
        "order": ORDER | {"source_id": f"order-{code.code}"},
        "customer": CUSTOMER,
    }


def redeem_stack(api, project):
    answer = api.post("/v1/redemptions", stack_of(project))
    assert answer.status_code == 200, answer.json()


def newest_action(project):
    return AsyncAction.objects.filter(project=project).latest("created_at")
