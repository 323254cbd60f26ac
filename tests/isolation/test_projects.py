"""Another project's ids are unknown to every endpoint, and nothing of it changes."""

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver

from customers.models import Consent, Location
from promoengine.core.models import ApiKey, MetadataSchema
from promoengine.core.services.async_actions import start_async_action
from promoengine.core.services.metadata_schemas import define_attribute
from tests.api import Api
from tests.factories import (
    CampaignFactory,
    CategoryFactory,
    CustomerFactory,
    ProductCollectionFactory,
    ProjectFactory,
    PromotionTierFactory,
    SkuFactory,
    VoucherFactory,
)
from vouchers.models import Voucher
from vouchers.services.batches import open_batch

# Every route with an id in its path, with a body that would be right for its owner.
CALLS = [
    ("get", "/v1/campaigns/{campaign}", None),
    ("put", "/v1/campaigns/{campaign}", {"description": "mine now"}),
    ("delete", "/v1/campaigns/{campaign}", None),
    ("post", "/v1/campaigns/{campaign}/enable", None),
    ("post", "/v1/campaigns/{campaign}/disable", None),
    ("post", "/v1/campaigns/{campaign}/vouchers", {}),
    ("post", "/v1/campaigns/{campaign}/vouchers/NEW", {}),
    ("post", "/v1/campaigns/{campaign}/importCSV", "upload"),
    ("post", "/v1/campaigns/{campaign}/import", [{"code": "MINE"}]),
    ("get", "/v1/campaigns/{campaign}/batches", None),
    ("post", "/v1/campaigns/{campaign}/batches", {"vouchers_count": 2}),
    ("get", "/v1/campaigns/{campaign}/batches/{batch}", None),
    ("put", "/v1/campaigns/{campaign}/batches/{batch}", {"name": "mine now"}),
    ("get", "/v1/campaigns/{campaign}/pool", None),
    ("put", "/v1/campaigns/{campaign}/pool", {"threshold": 5}),
    ("get", "/v1/vouchers/{code}", None),
    ("get", "/v1/vouchers/{voucher}", None),
    ("put", "/v1/vouchers/{code}", {"active": False}),
    ("delete", "/v1/vouchers/{code}", None),
    ("post", "/v1/vouchers/{code}/enable", None),
    ("post", "/v1/vouchers/{code}/disable", None),
    ("post", "/v1/vouchers/{code}/balance", {"amount": 1}),
    ("get", "/v1/vouchers/{code}/transactions", None),
    ("get", "/v1/vouchers/{code}/publications", None),
    ("get", "/v1/vouchers/{code}/redemption", None),
    ("get", "/v1/vouchers/{code}/redemptions", None),
    ("post", "/v1/vouchers/{code}/redemption", {"order": {"amount": 100}}),
    ("post", "/v1/vouchers/{code}/validate", {}),
    ("delete", "/v1/vouchers/{code}/sessions/held", None),
    ("get", "/v1/customers/{customer}", None),
    ("get", "/v1/customers/{source_id}", None),
    ("put", "/v1/customers/{customer}", {"name": "Mallory"}),
    ("delete", "/v1/customers/{customer}", None),
    ("post", "/v1/customers/{customer}/permanent-deletion", None),
    ("get", "/v1/customers/{customer}/personal-data", None),
    ("get", "/v1/customers/{customer}/consents", None),
    ("put", "/v1/customers/{customer}/consents", {}),
    ("get", "/v1/customers/{customer}/activity", None),
    ("get", "/v1/customers/{customer}/activities", None),
    ("get", "/v1/customers/{customer}/redeemables", None),
    ("get", "/v1/customers/{customer}/segments", None),
    ("get", "/v1/segments/{segment}", None),
    ("put", "/v1/segments/{segment}", {"name": "mine now"}),
    ("delete", "/v1/segments/{segment}", None),
    ("post", "/v1/segments", {"name": "x", "type": "static", "customers": ["{customer}"]}),
    ("get", "/v1/redemptions/{redemption}", None),
    ("post", "/v1/redemptions/{redemption}/rollback", None),
    ("post", "/v1/redemptions/{redemption}/rollbacks", None),
    ("get", "/v1/orders/{order}/refunds", None),
    ("post", "/v1/orders/{order}/refunds", {}),
    ("post", "/v1/orders/{order}/refunds/calculation", {}),
    ("get", "/v1/orders/{order}", None),
    ("put", "/v1/orders/{order}", {"status": "PAID"}),
    ("post", "/v1/orders", {"id": "{order}", "status": "PAID"}),
    ("post", "/v1/orders", {"amount": 1, "customer": {"id": "{customer}"}}),
    ("post", "/v1/orders", {"amount": 1, "referrer_id": "{customer}"}),
    ("get", "/v1/async-actions/{action}", None),
    ("post", "/v1/async-actions/{action}/pause", None),
    ("post", "/v1/async-actions/{action}/resume", None),
    ("post", "/v1/async-actions/{action}/cancel", None),
    ("post", "/v1/async-actions/{action}/undo", None),
    ("get", "/v1/async-actions/{action}/report", None),
    ("get", "/v1/categories/{category}", None),
    ("put", "/v1/categories/{category}", {"name": "mine now", "hierarchy": 1}),
    ("delete", "/v1/categories/{category}", None),
    ("get", "/v1/promotions/tiers/{tier}", None),
    ("put", "/v1/promotions/tiers/{tier}", {"name": "mine now"}),
    ("delete", "/v1/promotions/tiers/{tier}", None),
    ("post", "/v1/promotions/tiers/{tier}/enable", None),
    ("post", "/v1/promotions/tiers/{tier}/disable", None),
    ("post", "/v1/promotions/tiers/{tier}/validation", {}),
    ("post", "/v1/promotions/tiers/{tier}/redemption", {}),
    ("get", "/v1/promotions/{promotion}/tiers", None),
    ("post", "/v1/promotions/{promotion}/tiers", {"name": "x"}),
    ("get", "/v1/promotions/{promotion}/stacks", None),
    ("post", "/v1/promotions/{promotion}/stacks", {"name": "x", "tiers": {"ids": ["{tier}"]}}),
    ("get", "/v1/promotions/{promotion}/stacks/{stack}", None),
    ("put", "/v1/promotions/{promotion}/stacks/{stack}", {"name": "mine now"}),
    ("delete", "/v1/promotions/{promotion}/stacks/{stack}", None),
    ("get", "/v1/products/{product}", None),
    ("put", "/v1/products/{product}", {"name": "mine now"}),
    ("delete", "/v1/products/{product}", None),
    ("get", "/v1/products/{product}/skus", None),
    ("post", "/v1/products/{product}/skus", {"sku": "mine"}),
    ("put", "/v1/products/{product}/skus/{sku}", {"sku": "mine now"}),
    ("delete", "/v1/products/{product}/skus/{sku}", None),
    ("get", "/v1/skus/{sku}", None),
    ("get", "/v1/product-collections/{collection}", None),
    ("put", "/v1/product-collections/{collection}", {"name": "mine now"}),
    ("delete", "/v1/product-collections/{collection}", None),
    ("get", "/v1/product-collections/{collection}/products", None),
    ("get", "/v1/metadata-schemas/{resource}", None),
    ("get", "/v1/validation-rules/{rule}", None),
    ("put", "/v1/validation-rules/{rule}", {"name": "mine now"}),
    ("delete", "/v1/validation-rules/{rule}", None),
    ("post", "/v1/validation-rules/{rule}/assignments", {"voucher": "{code}"}),
    ("delete", "/v1/validation-rules/{rule}/assignments/{assignment}", None),
    ("post", "/v1/products", {"id": "{product}", "name": "mine now"}),
    (
        "post",
        "/v1/product-collections",
        {"type": "STATIC", "name": "x", "products": [{"id": "{product}", "object": "product"}]},
    ),
    ("get", "/v1/locations/{location}", None),
    ("delete", "/v1/locations/{location}", None),
    ("put", "/v1/consents/{consent}", {"name": "mine now"}),
    ("delete", "/v1/consents/{consent}", None),
    ("delete", "/v1/trash-bin/{entry}", None),
    ("post", "/v1/trash-bin/{entry}/restore", None),
    ("get", "/v1/exports/{export}", None),
    ("delete", "/v1/exports/{export}", None),
    ("post", "/v1/customers", {"id": "{customer}", "name": "Mallory"}),
    ("post", "/v1/events", {"event": "x", "customer": {"id": "{customer}"}}),
    ("post", "/v1/publications", {"voucher": "{code}", "customer": {"source_id": "m"}}),
    ("post", "/v1/publications", {"campaign": {"name": "{campaign}"}, "customer": {"source_id": "m"}}),
    ("post", "/v1/vouchers", {"campaign_id": "{campaign}"}),
    ("post", "/v1/redemptions", {"redeemables": [{"object": "voucher", "id": "{code}"}]}),
    ("post", "/v1/redemptions", {"redeemables": [{"object": "promotion_tier", "id": "{tier}"}]}),
    ("post", "/v1/qualifications", {"order": {"id": "{order}"}}),
    (
        "post",
        "/v1/validations",
        {"redeemables": [{"object": "voucher", "id": "x"}], "order": {"id": "{order}"}},
    ),
    (
        "post",
        "/v1/campaigns",
        {
            "name": "x",
            "category_id": "{category}",
            "voucher": {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 1}},
        },
    ),
    (
        "post",
        "/v1/vouchers",
        {"discount": {"type": "AMOUNT", "amount_off": 1}, "validation_rules": ["{rule}"]},
    ),
]
LISTS = [
    "/v1/campaigns",
    "/v1/vouchers",
    "/v1/customers",
    "/v1/segments",
    "/v1/publications",
    "/v1/redemptions",
    "/v1/orders",
    "/v1/async-actions",
    "/v1/products",
    "/v1/product-collections",
    "/v1/product-collections/pc_a11pr0dUc75/products",
    "/v1/validation-rules",
    "/v1/validation-rules-assignments",
    "/v1/trash-bin",
    "/v1/locations",
    "/v1/exports",
    "/v1/metadata-schemas",
]
MANAGED = [
    ("get", "", None),
    ("put", "", {"name": "mine now"}),
    ("delete", "", None),
    ("get", "/metadata-schemas", None),
    ("post", "/metadata-schemas", {"related_object": "order", "properties": {}}),
    ("get", "/metadata-schemas/{schema}", None),
    ("put", "/metadata-schemas/{schema}", {"properties": {"a": {"type": "string"}}}),
    ("delete", "/metadata-schemas/{schema}", None),
    ("get", "/custom-event-schemas", None),
    ("post", "/custom-event-schemas", {"name": "x", "schema": {"properties": {}}}),
    ("get", "/custom-event-schemas/{event_schema}", None),
    ("put", "/custom-event-schemas/{event_schema}", {"schema": {"properties": {"a": {"type": "string"}}}}),
    ("delete", "/custom-event-schemas/{event_schema}", None),
]


@pytest.fixture
def owned(db):
    """A project with one of everything, and the ids of it all."""
    owner = ProjectFactory()
    api = Api(owner)
    campaign = CampaignFactory(project=owner)
    customer = CustomerFactory(project=owner)
    voucher = VoucherFactory(
        project=owner,
        campaign=campaign,
        type=Voucher.Type.GIFT_VOUCHER,
        discount=None,
        gift_amount=9000,
        gift_balance=9000,
    )
    tier = PromotionTierFactory(project=owner)
    sku = SkuFactory(project=owner)
    stack = api.post(
        f"/v1/promotions/{tier.campaign.public_id}/stacks",
        {"name": "Both", "tiers": {"ids": [tier.public_id]}},
    ).json()
    body = {
        "redeemables": [{"object": "voucher", "id": voucher.code, "gift": {"credits": 100}}],
        "order": {"amount": 1000, "source_id": "o-1"},
        "customer": {"id": customer.public_id},
    }
    api.post("/v1/validations", body | {"session": {"type": "LOCK", "key": "held"}})
    redemption = api.post("/v1/redemptions", body).json()["redemptions"][0]
    api.post("/v1/publications", {"voucher": voucher.code, "customer": {"id": customer.public_id}})
    rule = api.post("/v1/validation-rules", {"name": "Rule"}).json()["id"]
    path = f"/v1/validation-rules/{rule}/assignments"
    assignment = api.post(path, {"campaign": campaign.public_id}).json()["id"]
    segment = api.post("/v1/segments", {"name": "x", "customers": [customer.source_id]}).json()["id"]
    schema = define_attribute(owner, "hotel", "stars", definition={"type": "number"}, now=campaign.created_at)
    event_schema = define_attribute(
        owner,
        "review",
        "stars",
        definition={"type": "number"},
        kind=MetadataSchema.Kind.EVENT,
        now=campaign.created_at,
    )
    api.delete(f"/v1/vouchers/{VoucherFactory(project=owner).code}")
    entry = api.get("/v1/trash-bin").json()["data"][0]["id"]
    action = start_async_action(owner, "X", job="nothing", params={}, now=campaign.created_at)
    return {
        "owner": owner,
        "campaign": campaign.public_id,
        "batch": open_batch(owner, campaign, now=campaign.created_at).public_id,
        "voucher": voucher.public_id,
        "code": voucher.code,
        "customer": customer.public_id,
        "source_id": customer.source_id,
        "segment": segment,
        "redemption": redemption["id"],
        "order": redemption["order"]["id"],
        "tier": tier.public_id,
        "product": sku.product.public_id,
        "sku": sku.public_id,
        "collection": ProductCollectionFactory(project=owner).public_id,
        "promotion": tier.campaign.public_id,
        "stack": stack["id"],
        "action": action.public_id,
        "resource": "hotel",
        "schema": schema.public_id,
        "event_schema": event_schema.public_id,
        "entry": entry,
        "consent": Consent.objects.create(project=owner, name="x").public_id,
        "location": Location.objects.create(project=owner, name="x", shape={}).public_id,
        "export": api.post("/v1/exports", {"exported_object": "customer"}).json()["id"],
        "rule": rule,
        "assignment": assignment,
        "category": CategoryFactory(project=owner).public_id,
    }


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_another_projects_ids_are_unknown(owned, method, path, body):
    stranger = Api(ProjectFactory())
    before = rows_of(owned["owner"])

    answer = call(stranger, method, path.format(**owned), filled(body, owned))

    assert answer.status_code == 404, answer.content
    assert answer.json()["key"] == "not_found"
    assert rows_of(owned["owner"]) == before


@pytest.mark.parametrize(("method", "body"), [("get", None), ("put", {"locked_until": None})])
def test_another_projects_batch_is_not_found_under_ones_own_campaign(owned, method, body):
    stranger = Api(ProjectFactory())
    campaign = CampaignFactory(project=stranger.project)
    before = rows_of(owned["owner"])

    answer = call(stranger, method, f"/v1/campaigns/{campaign.public_id}/batches/{owned['batch']}", body)

    assert answer.status_code == 404, answer.content
    assert rows_of(owned["owner"]) == before


def test_batches_and_pools_of_one_project_count_nothing_of_another(owned):
    stranger = Api(ProjectFactory())
    owner = Api(owned["owner"])
    # Names are a project's own, so that both may have the same.
    name = owner.get(f"/v1/campaigns/{owned['campaign']}").json()["name"]
    campaign = CampaignFactory(project=stranger.project, name=name)

    assert stranger.get(f"/v1/campaigns/{name}/batches").json()["batches"] == []
    assert stranger.get(f"/v1/campaigns/{name}/pool").json()["free_count"] == 0
    assert stranger.put(f"/v1/campaigns/{name}/pool", {"threshold": 5}).status_code == 200
    assert owner.get(f"/v1/campaigns/{owned['campaign']}/pool").json()["threshold"] is None
    assert campaign.public_id == stranger.get(f"/v1/campaigns/{name}/pool").json()["campaign_id"]


@pytest.mark.parametrize(("method", "path", "body"), MANAGED)
def test_another_project_is_not_managed_nor_are_its_schemas_found_under_ones_own(owned, method, path, body):
    stranger = Api(ProjectFactory(), ApiKey.Kind.MANAGEMENT)
    before = rows_of(owned["owner"])
    paths = [f"/management/v1/projects/{owned['owner'].public_id}{path}"]
    if "{" in path:
        paths.append(f"/management/v1/projects/{stranger.project.public_id}{path}")

    answers = [call(stranger, method, one.format(**owned), body) for one in paths]

    assert [answer.status_code for answer in answers] == [404] * len(paths)
    assert rows_of(owned["owner"]) == before


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_nothing_of_another_project(owned, path):
    body = Api(ProjectFactory()).get(path, {"limit": 100}).json()

    assert body[body["data_ref"]] == []


def test_every_route_with_an_id_is_tried():
    tried = {tuple("*" if is_id(part) else part for part in path.split("/")[1:]) for _, path, _ in CALLS}

    missing = {route for route in routes_with_ids() if shape_of(route) not in tried}

    assert missing == set()


def call(api, method, path, body):
    if body == "upload":
        return api.upload(path, SimpleUploadedFile("codes.csv", b"Code\nA\n"))
    if method in ("get", "delete"):
        return getattr(api, method)(path)
    return getattr(api, method)(path, body)


def filled(body, ids):
    if isinstance(body, dict):
        return {name: filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, ids) for value in body]
    return body.format(**ids) if isinstance(body, str) and body.startswith("{") else body


def rows_of(owner):
    """Return all rows that belong to a project."""
    return {
        model._meta.label: list(model.objects.filter(project=owner).order_by("pk").values())
        for model in apps.get_models()
        if "project" in {field.name for field in model._meta.get_fields()}
    }


def is_id(part):
    return part.startswith("{") or part in ("NEW", "held")


def routes_with_ids():
    """Return the API's routes that have a parameter, as they are written."""

    def walk(patterns, prefix):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern) and route.startswith("v1/") and "<" in route:
                yield route

    return set(walk(get_resolver().url_patterns, ""))


def shape_of(route):
    return tuple("*" if part.startswith("<") else part for part in route.split("/"))
