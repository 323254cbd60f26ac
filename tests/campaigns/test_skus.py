"""SKUs over HTTP."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.models import Sku
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import ProductFactory, SkuFactory

SHIRT = {
    "source_id": "shirt-xs",
    "sku": "Extra Small Blue Shirt",
    "price": 1300,
    "currency": "USD",
    "attributes": {"size": "XS", "ranking": 1},
    "image_url": "https://shop.example/xs.png",
    "metadata": {"season": "summer"},
}


@pytest.fixture
def shirt(project):
    return ProductFactory(project=project, source_id="shirt")


def imported(api, text):
    api.upload("/v1/skus/importCSV", SimpleUploadedFile("skus.csv", text.encode()))
    action = AsyncAction.objects.filter(project=api.project).latest("created_at")
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def test_a_sku_shows_what_was_sent(api, shirt):
    made = api.post("/v1/products/shirt/skus", SHIRT).json()

    assert {name: made[name] for name in SHIRT} == SHIRT
    assert (made["object"], made["product_id"], made["updated_at"]) == ("sku", shirt.public_id, None)


@pytest.mark.parametrize("ref", ["shirt-xs", "{id}"])
def test_a_sku_is_read_by_either_id(api, shirt, ref):
    made = api.post("/v1/products/shirt/skus", SHIRT).json()

    assert api.get(f"/v1/skus/{ref.format(**made)}").json() == made


def test_the_same_source_id_is_the_same_sku(api, shirt):
    first = api.post("/v1/products/shirt/skus", SHIRT).json()

    second = api.post("/v1/products/shirt/skus", {"source_id": "shirt-xs", "metadata": {"a": 1}}).json()

    assert second | {"updated_at": None} == first | {"metadata": {"season": "summer", "a": 1}}


def test_a_sku_of_another_product_is_not_taken_over(api, project, shirt):
    SkuFactory(project=project, source_id="shirt-xs")

    answer = api.post("/v1/products/shirt/skus", SHIRT)

    assert (answer.status_code, answer.json()["key"]) == (409, "duplicate_found")


def test_a_sku_is_updated(api, shirt):
    made = api.post("/v1/products/shirt/skus", SHIRT).json()

    changed = api.put(f"/v1/products/shirt/skus/{made['id']}", {"price": 5, "source_id": "x"}).json()

    assert changed | {"updated_at": None} == made | {"price": 5}


def test_a_sku_is_found_under_its_own_product_only(api, project, shirt):
    other = SkuFactory(project=project)

    answers = [
        api.put(f"/v1/products/shirt/skus/{other.public_id}", {"price": 5}),
        api.delete(f"/v1/products/shirt/skus/{other.source_id}"),
    ]

    assert [answer.json()["resource_type"] for answer in answers] == ["sku", "sku"]
    assert Sku.objects.count() == 1


def test_a_deleted_sku_is_gone(api, shirt):
    api.post("/v1/products/shirt/skus", SHIRT)

    assert api.delete("/v1/products/shirt/skus/shirt-xs").status_code == 204
    assert api.get("/v1/skus/shirt-xs").status_code == 404
    assert api.get("/v1/products/shirt").status_code == 200


def test_an_unknown_product_has_no_skus(api):
    answers = [api.get("/v1/products/none/skus"), api.post("/v1/products/none/skus", SHIRT)]

    assert [answer.json()["details"] for answer in answers] == ["Cannot find product with id none"] * 2


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["S", "M", "L"]),
        ({"order": "-created_at", "limit": 2}, ["L", "M"]),
        ({"page": 2, "limit": 2}, ["L"]),
    ],
)
def test_the_skus_of_a_product_are_listed(api, project, shirt, query, names):
    SkuFactory(project=project)
    for name in ("S", "M", "L"):
        api.post("/v1/products/shirt/skus", {"sku": name})

    listed = api.get("/v1/products/shirt/skus", query).json()

    assert ([row["sku"] for row in listed["skus"]], listed["total"]) == (names, 3)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"price": "1"}, "Property .price should be integer of 0 or more"),
        ({"attributes": ["x"]}, "Property .attributes should be object"),
        ({"currency": "EURO"}, "Property .currency may have up to 3 characters"),
        ({"sku": {}}, "Property .sku should be string"),
        ({"metadata": "x"}, "Property .metadata should be object"),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, shirt, body, details):
    assert api.post("/v1/products/shirt/skus", body).json()["details"] == details
    assert Sku.objects.count() == 0


def test_skus_are_imported_and_bad_rows_reported(api, shirt):
    action = imported(
        api,
        "product_id,sku,source_id,price,attributes,Shelf\n"
        "shirt,Red,red,13,\"{'color':'red'}\",7\n"
        f"{shirt.public_id},Blue,blue,,,\n"
        "none,Lost,lost,,,\n"
        "shirt,Nameless,,,,\n"
        "shirt,Green,green,,not an object,\n",
    )

    red = api.get("/v1/skus/red").json()
    assert (red["price"], red["attributes"], red["metadata"]) == (1300, {"color": "red"}, {"Shelf": "7"})
    assert (action.type, action.done_count) == ("SKUS.IMPORT_CSV", 2)
    assert [failure["row"] for failure in action.failed] == [4, 5, 6]


def test_an_import_changes_only_name_and_price_of_what_exists(api, shirt):
    api.post("/v1/products/shirt/skus", SHIRT)

    imported(api, "product_id,source_id,sku,price,image_url,Color\nshirt,shirt-xs,XS,2.50,http://x,red\n")

    read = api.get("/v1/skus/shirt-xs").json()
    assert {name: read[name] for name in SHIRT} == SHIRT | {"sku": "XS", "price": 250}


def test_an_import_does_not_move_a_sku_to_another_product(api, project, shirt):
    SkuFactory(project=project, source_id="taken")

    action = imported(api, "product_id,source_id\nshirt,taken\n")

    assert (action.done_count, action.failed[0]["reason"]) == (
        0,
        "Duplicated sku exists with source_id taken",
    )
