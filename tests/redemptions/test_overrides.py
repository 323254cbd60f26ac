"""Order lines that say `override: true`: a redemption stores their products and SKUs."""

import pytest

from promoengine.core.models import ApiKey
from tests.api import Api
from tests.redemptions.storefront import code_with, redeem, redeemables, validate

PHONE = {"name": "Phone", "price": 60000, "metadata": {"vendor": "mall"}}
COMIC = {"sku": "Comics 1", "source_id": "comic-1", "price": 1700, "metadata": {"color": ["golden"]}}


@pytest.fixture
def code(api):
    return code_with(api)


def line(**more):
    return {"source_id": "phone", "quantity": 1, "price": 60000, **more}


def stored(api, ref, kind="products"):
    answer = api.get(f"/v1/{kind}/{ref}")
    return answer.json() if answer.status_code == 200 else None


def test_a_product_that_is_new_is_stored(api, code):
    redeem(api, code, order={"items": [line(product=PHONE | {"override": True})]})

    made = stored(api, "phone")
    assert {name: made[name] for name in ("source_id", "name", "price", "metadata")} == {
        "source_id": "phone",
        **PHONE,
    }


def test_what_is_sent_replaces_what_is_stored_and_the_rest_stays(api, code):
    api.post(
        "/v1/products",
        {"source_id": "phone", "name": "Old", "price": 1, "image_url": "a.png", "metadata": {"old": 1}},
    )

    redeem(
        api,
        code,
        order={"items": [line(product={"name": "New", "metadata": {"new": 2}, "override": True})]},
    )

    made = stored(api, "phone")
    assert [made[name] for name in ("name", "price", "image_url", "metadata")] == [
        "New",
        1,
        "a.png",
        {"new": 2},
    ]
    assert made["updated_at"] is not None


def test_a_sku_is_stored_under_its_product(api, code):
    item = {
        "source_id": "comic-1",
        "related_object": "sku",
        "quantity": 1,
        "product": {"source_id": "books", "name": "Books", "price": 2100, "override": True},
        "sku": COMIC | {"override": True},
    }

    redeem(api, code, order={"items": [item]})

    sku = stored(api, "comic-1", kind="skus")
    assert {name: sku[name] for name in COMIC} == COMIC
    assert sku["product_id"] == stored(api, "books")["id"]


def test_the_product_of_a_new_sku_is_made_without_its_own_override(api, code):
    item = {"sku": COMIC | {"override": True}, "product": {"source_id": "books", "name": "Not stored"}}

    redeem(api, code, order={"items": [item]})

    assert stored(api, "books")["name"] is None
    assert stored(api, "comic-1", kind="skus")["sku"] == "Comics 1"


@pytest.mark.parametrize("override", [False, None])
def test_nothing_is_stored_without_it(api, code, override):
    redeem(api, code, order={"items": [line(product=PHONE | {"override": override})]})

    assert stored(api, "phone") is None


def test_lines_of_the_same_product_are_stored_once_with_the_last_word(api, code):
    items = [line(product={"name": name, "override": True}) for name in ("First", "Last")]

    redeem(api, code, order={"items": items})

    assert stored(api, "phone")["name"] == "Last"


def test_a_validation_makes_no_order_and_so_stores_nothing(api, code):
    validate(api, code, order={"items": [line(product=PHONE | {"override": True})]})

    assert stored(api, "phone") is None


def test_a_refused_redemption_stores_nothing(api):
    answer = api.post(
        "/v1/redemptions",
        {
            "redeemables": redeemables("no-such-code"),
            "order": {"items": [line(product=PHONE | {"override": True})]},
        },
    )

    assert answer.status_code == 404
    assert stored(api, "phone") is None


def test_a_browser_stores_nothing(api, code, project):
    project.client_redeem_enabled = True
    project.save()
    browser = Api(project, ApiKey.Kind.CLIENT)

    answer = browser.post(
        "/client/v1/redemptions",
        {"redeemables": redeemables(code), "order": {"items": [line(product=PHONE | {"override": True})]}},
    )

    assert answer.status_code == 200, answer.content
    assert stored(api, "phone") is None


def test_a_second_time_the_same_changes_nothing(api, code, project):
    body = {"items": [line(product=PHONE | {"override": True})]}
    redeem(api, code, order=body)
    project.refresh_from_db()
    version = project.definitions_version

    redeem(api, code, order=body)

    project.refresh_from_db()
    assert project.definitions_version == version
    assert stored(api, "phone")["updated_at"] is None


@pytest.mark.parametrize(
    ("item", "status", "details"),
    [
        (
            {"product": {"name": "No id", "override": True}},
            400,
            "Property .order.items[0].product should have required property 'source_id'",
        ),
        (
            {"sku": {"source_id": "s", "override": True}},
            400,
            "Property .order.items[0].product should have required property 'source_id'",
        ),
        (
            {"source_id": "a", "product": {"override": "yes"}},
            400,
            "Property .order.items[0].product.override should be boolean",
        ),
        (
            {"source_id": "a", "product": {"name": ["a"], "override": True}},
            400,
            "Property .order.items[0].product.name should be string",
        ),
        ({"product": {"id": "prod_none", "override": True}}, 404, "Cannot find product with id prod_none"),
        ({"product": {"id": "prod_5h1pp1ng", "override": True}}, 400, "The product Shipping is built in"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_uses_nothing(api, code, item, status, details):
    answer = api.post("/v1/redemptions", {"redeemables": redeemables(code), "order": {"items": [item]}})

    assert (answer.status_code, answer.json()["details"]) == (status, details)
    assert api.get(f"/v1/vouchers/{code}").json()["redemption"]["redeemed_quantity"] == 0


def test_a_sku_stays_with_its_product(api, code):
    product = api.post("/v1/products", {"source_id": "books"}).json()
    api.post(f"/v1/products/{product['id']}/skus", {"source_id": "comic-1"})
    item = {"product": {"source_id": "films"}, "sku": COMIC | {"override": True}}

    answer = api.post("/v1/redemptions", {"redeemables": redeemables(code), "order": {"items": [item]}})

    assert answer.status_code == 409
    assert stored(api, "films") is None
