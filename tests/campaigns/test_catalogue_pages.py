"""The catalogue in the dashboard."""

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from campaigns.models import Product, ProductCollection, Sku
from promoengine.core.models import MetadataSchema
from tests.factories import (
    ProductCollectionFactory,
    ProductFactory,
    ProjectFactory,
    SkuFactory,
    ValidationRuleFactory,
)
from tests.versions import growths

PRODUCT = {
    "name": "Shoe",
    "source_id": "shoe",
    "price_tag": "49.90",
    "variants": "size, color",
    "image_url": "",
}
NO_CONDITIONS = {f"{name}_{row}": "" for name in ("field", "key", "value") for row in range(3)} | {
    f"operator_{row}": "$in" for row in range(3)
}
COLLECTION = {"name": "Set", "type": "AUTO_UPDATE", "listed": "", "junction": "and", **NO_CONDITIONS}


def errors_of(page):
    return {name: list(messages) for name, messages in page.context["adminform"].form.errors.items()}


def test_a_product_is_made_as_the_api_makes_it(marketer, project, api):
    marketer.post("/admin/campaigns/product/add/", PRODUCT)

    made = api.get("/v1/products/shoe").json()
    assert (made["name"], made["price"], made["attributes"]) == ("Shoe", 4990, ["size", "color"])
    assert growths(project) == 1


def test_a_product_is_changed_and_keeps_its_id_and_details(marketer, project):
    product = ProductFactory(project=project, source_id="shoe", metadata={"brand": "Acme"})

    marketer.post(
        f"/admin/campaigns/product/{product.pk}/change/", PRODUCT | {"source_id": "other", "price_tag": ""}
    )

    product.refresh_from_db()
    assert (product.source_id, product.price, product.metadata) == ("shoe", None, {"brand": "Acme"})


def rows(**details):
    return {"details-name": [*details, ""], "details-value": [*details.values(), ""]}


def test_details_are_rows_of_name_and_value(marketer, project):
    marketer.post(
        "/admin/campaigns/product/add/", PRODUCT | rows(brand="Acme", size="42", sale="true", zip="007")
    )
    product = Product.objects.get()
    assert product.metadata == {"brand": "Acme", "size": 42, "sale": True, "zip": "007"}

    page = marketer.get(f"/admin/campaigns/product/{product.pk}/change/").content.decode()
    marketer.post(f"/admin/campaigns/product/{product.pk}/change/", PRODUCT | rows(brand="Acme", size="4.5"))

    product.refresh_from_db()
    assert 'value="Acme"' in page
    assert product.metadata == {"brand": "Acme", "size": 4.5}


def test_details_of_a_sku_are_rows_too(marketer, project):
    sku = SkuFactory(project=project, metadata={"color": "red"})

    marketer.post(
        f"/admin/campaigns/sku/{sku.pk}/change/",
        {"sku": "Shoe 42", "source_id": "", "price_tag": "", "image_url": ""} | rows(fit="wide"),
    )

    sku.refresh_from_db()
    assert sku.metadata == {"fit": "wide"}


def test_details_that_nobody_touched_stay_what_they_are(marketer, project):
    metadata = {"number": "42", "list": ["a", "b"], "inside": {"a": 1}, "none": None, "new": False}
    product = ProductFactory(project=project, source_id="shoe", metadata=metadata)
    shown = {"number": "42", "list": "a, b", "inside": "a: 1", "none": "", "new": "false"}

    marketer.post(f"/admin/campaigns/product/{product.pk}/change/", PRODUCT | rows(**shown))

    product.refresh_from_db()
    assert product.metadata == metadata


@pytest.mark.parametrize(
    ("names", "values", "said"),
    [
        (["", ""], ["lonely", ""], "Write a name beside lonely."),
        (["a", "a"], ["1", "2"], "a stands there twice."),
        (["x" * 300], ["1"], f"{'x' * 50} is too long."),
    ],
)
def test_wrong_details_are_said_on_their_field(marketer, names, values, said):
    page = marketer.post(
        "/admin/campaigns/product/add/", PRODUCT | {"details-name": names, "details-value": values}
    )

    assert errors_of(page) == {"details": [said]}
    assert not Product.objects.exists()


def test_what_a_schema_defines_has_a_field_of_its_own(marketer, project):
    definitions = {"size": {"type": "string", "optional": True}}
    MetadataSchema.objects.create(
        project=project, name="product", properties=definitions, created_at=timezone.now()
    )
    product = ProductFactory(project=project, source_id="shoe", metadata={"size": "42", "brand": "Acme"})
    path = f"/admin/campaigns/product/{product.pk}/change/"

    marketer.post(path, PRODUCT | {"attribute_0": "43"} | rows(brand="Other"))
    refused = marketer.post(path, PRODUCT | {"attribute_0": "43"} | rows(size="44"))

    product.refresh_from_db()
    assert product.metadata == {"size": "43", "brand": "Other"}
    assert errors_of(refused) == {"details": ["size has a field of its own."]}


def test_who_may_only_look_sees_details_in_words(client, project):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_product"))
    client.force_login(viewer)
    product = ProductFactory(project=project, metadata={"brand": "Acme"})

    page = client.get(f"/admin/campaigns/product/{product.pk}/change/").content.decode()

    assert "brand: Acme" in page
    assert "details-name" not in page


@pytest.mark.parametrize("source_id", ["taken", "5h1pp1ng"])
def test_a_taken_id_is_shown_on_its_field(marketer, project, source_id):
    ProductFactory(project=project, source_id="taken")

    page = marketer.post("/admin/campaigns/product/add/", PRODUCT | {"source_id": source_id})

    assert errors_of(page) == {"source_id": ["Another one has this id."]}


def test_a_variant_is_made_and_changed(marketer, project):
    product = ProductFactory(project=project)
    body = {"product": product.pk, "sku": "42", "source_id": "shoe-42", "price_tag": "", "image_url": ""}

    marketer.post("/admin/campaigns/sku/add/", body)
    sku = Sku.objects.get()
    marketer.post(f"/admin/campaigns/sku/{sku.pk}/change/", body | {"sku": "43", "price_tag": "1"})

    sku.refresh_from_db()
    assert (sku.product, sku.sku, sku.source_id, sku.price) == (product, "43", "shoe-42", 100)


def test_a_variant_belongs_to_a_product_of_the_same_shop(marketer, project):
    product = ProductFactory(project=ProjectFactory())

    page = marketer.post("/admin/campaigns/sku/add/", {"product": product.pk, "sku": "42"})

    assert "product" in errors_of(page)


def test_what_is_deleted_is_gone(marketer, project):
    sku = SkuFactory(project=project)

    marketer.post(f"/admin/campaigns/sku/{sku.pk}/delete/", {"post": "yes"})
    marketer.post(f"/admin/campaigns/product/{sku.product.pk}/delete/", {"post": "yes"})

    assert Product.objects.count() == 0
    assert growths(project) == 2


def test_a_collection_is_made_of_conditions(marketer):
    rows = {
        "field_0": "price",
        "operator_0": "$less_than",
        "value_0": "50",
        "field_1": "metadata",
        "key_1": "size",
        "operator_1": "$in",
        "value_1": "42, XL",
    }

    marketer.post("/admin/campaigns/productcollection/add/", COLLECTION | rows)

    assert ProductCollection.objects.get().filter == {
        "junction": "and",
        "price": {"conditions": {"$less_than": [5000]}},
        "metadata.size": {"conditions": {"$in": ["42", "XL"]}},
    }


def test_a_collections_conditions_are_shown_and_kept(marketer, project):
    asked = {
        "junction": "or",
        "price": {"conditions": {"$in": [1050]}},
        "metadata.a": {"conditions": {"$in": ["A"]}},
    }
    collection = ProductCollectionFactory(project=project, filter=asked)
    path = f"/admin/campaigns/productcollection/{collection.pk}/change/"

    form = marketer.get(path).context["adminform"].form
    marketer.post(path, {name: form[name].value() or "" for name in form.fields})

    collection.refresh_from_db()
    assert ({form.initial["value_0"], form.initial["value_1"]}, collection.filter) == ({"10.50", "A"}, asked)


def test_conditions_that_the_form_can_not_show_stay(marketer, project):
    asked = {"junction": "and", "price": {"conditions": {"$more_than": [1], "$less_than": [9]}}}
    collection = ProductCollectionFactory(project=project, filter=asked)

    marketer.post(f"/admin/campaigns/productcollection/{collection.pk}/change/", {"name": "Other"})

    collection.refresh_from_db()
    assert (collection.name, collection.filter) == ("Other", asked)


def test_a_collection_is_made_of_listed_products(marketer, project, api):
    product = ProductFactory(project=project, source_id="shoe")

    marketer.post(
        "/admin/campaigns/productcollection/add/", COLLECTION | {"type": "STATIC", "listed": " shoe\r\n\r\n"}
    )

    (made,) = api.get("/v1/product-collections").json()["data"]
    assert made["products"] == [{"id": product.public_id, "object": "product"}]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ({"field_0": "price", "value_0": "cheap"}, "value_0"),
        ({"field_0": "name", "operator_0": "$more_than", "value_0": "1, 2"}, "value_0"),
        ({"field_0": "metadata", "value_0": "x"}, "key_0"),
        ({}, "field_0"),
        ({"field_0": "name"}, "value_0"),
        ({"field_0": "name", "value_0": "x", "field_1": "name", "value_1": "y"}, "field_1"),
    ],
)
def test_a_mistake_is_shown_on_its_field(marketer, rows, field):
    page = marketer.post("/admin/campaigns/productcollection/add/", COLLECTION | rows)

    assert list(errors_of(page)) == [field]


def test_a_collection_that_a_rule_names_is_not_deleted(marketer, project):
    collection = ProductCollectionFactory(project=project)
    ValidationRuleFactory(project=project, rules={"id": collection.public_id})
    path = f"/admin/campaigns/productcollection/{collection.pk}/"

    page = marketer.post(f"{path}delete/", {"post": "yes"}, follow=True)

    assert "It is not deleted, because it is used in" in page.content.decode()
    assert ProductCollection.objects.count() == 1


def test_pages_show_their_project_alone(marketer, project):
    collection = ProductCollectionFactory(project=project, type="STATIC", filter=None)
    mine = SkuFactory(project=project, sku="Mine", product__name="Mine")
    foreign = SkuFactory(sku="Foreign", product__name="Foreign")

    for kind, row in (("product", mine.product), ("sku", mine), ("productcollection", collection)):
        path = f"/admin/campaigns/{kind}/"
        page = marketer.get(path, {"q": ""}).content.decode()
        assert "Foreign" not in page
        assert marketer.get(f"{path}{row.pk}/change/").status_code == 200
        assert marketer.get(f"{path}add/").status_code == 200
    assert marketer.get(f"/admin/campaigns/sku/{foreign.pk}/change/").status_code == 302
