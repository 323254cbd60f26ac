"""Product collections over HTTP, and what their filters match."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from campaigns.membership import parse_filter
from campaigns.models import ProductCollection
from promoengine.core.errors import InvalidPayload
from promoengine.engine.operators import Moment
from tests.factories import ProductCollectionFactory, ProductFactory, SkuFactory, ValidationRuleFactory
from tests.versions import growths

AT = Moment(datetime(2026, 6, 1, tzinfo=UTC), ZoneInfo("UTC"))
SHOE = {
    "object": "product",
    "id": "prod_1",
    "source_id": "shoe",
    "name": "Blue shoe",
    "price": 5000,
    "attributes": ["size", "color"],
    "metadata": {"brand": "Acme", "tags": ["new", "sale"], "weight": 1.5, "vegan": True},
    "created_at": "2026-05-01T10:00:00.000Z",
    "skus": ["shoe-42", "shoe-43"],
}
SHOE_42 = {
    "object": "sku",
    "id": "sku_1",
    "product_id": "prod_1",
    "source_id": "shoe-42",
    "sku": "Blue shoe 42",
    "price": 4000,
    "attributes": {"size": 42},
    "metadata": {},
}


def conditions(junction="and", **fields):
    return {"junction": junction} | {name: {"conditions": asked} for name, asked in fields.items()}


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({}, (True, True)),
        ({"price": {"$less_than": [5000]}}, (False, True)),
        ({"price": {"$more_than_equal": [4000], "$less_than": [5000]}}, (False, True)),
        ({"id": {"$in": ["prod_1", "sku_9"]}}, (True, False)),
        ({"product_id": {"$is": ["prod_1"]}}, (False, True)),
        ({"object": {"$is": ["sku"]}}, (False, True)),
        ({"source_id": {"$ends_with": ["oe"]}}, (True, False)),
        ({"name": {"$starts_with": ["Blue"]}}, (True, True)),
        ({"name": {"$contains": ["42"]}}, (False, True)),
        ({"metadata.brand": {"$is": ["Acme"]}}, (True, False)),
        ({"metadata.brand": {"$is_not": ["Other"]}}, (True, False)),  # unknown is no opposite
        ({"metadata.brand": {"$is_unknown": []}}, (False, True)),
        ({"metadata.tags": {"$contains": ["sale"]}}, (True, False)),
        ({"metadata.weight": {"$more_than": [1]}}, (True, False)),
        ({"metadata.vegan": {"$is": [True]}}, (True, False)),
        ({"attributes": {"$contains": ["size"]}}, (True, True)),
        ({"attributes.size": {"$is": [42]}}, (False, True)),
        ({"created_at": {"$is_days_ago": [31]}}, (True, False)),
        ({"skus": {"$count_more": [1]}}, (True, False)),
        ({"price": {"$is": [5000]}, "metadata.brand": {"$is": ["Acme"]}}, (True, False)),
        ({"price": {"$is": [4000]}, "metadata.brand": {"$is": ["Acme"]}}, (False, False)),
    ],
)
def test_a_filter_matches_products_and_skus_by_their_own_fields(fields, matches):
    asked = parse_filter(conditions(**fields))

    assert (asked.matches(SHOE, AT), asked.matches(SHOE_42, AT)) == matches


def test_one_condition_is_enough_where_the_filter_says_or():
    fields = {"price": {"$is": [4000]}, "metadata.brand": {"$is": ["Acme"]}}

    asked = parse_filter(conditions("OR", **fields))

    assert (asked.matches(SHOE, AT), asked.matches(SHOE_42, AT)) == (True, True)


@pytest.mark.parametrize("sent", [{}, {"metadata": "x", "price": "y"}, {"metadata": {"brand": {"a": 1}}}])
def test_a_filter_answers_whatever_a_cart_line_says(sent):
    asked = parse_filter(conditions(price={"$less_than": [1]}, **{"metadata.brand": {"$is": ["Acme"]}}))

    assert asked.matches(sent, AT) is False


@pytest.mark.parametrize(
    ("data", "details"),
    [
        (None, "'AUTO_UPDATE' collection must contain valid filter with 'junction' property"),
        ({}, "'AUTO_UPDATE' collection must contain valid filter with 'junction' property"),
        ({"junction": "xor"}, "Property .filter has wrong `junction` property. It must be one of: and, or"),
        ({"junction": []}, "Property .filter has wrong `junction` property. It must be one of: and, or"),
        (
            {"junction": "and", "price": {"$is": [1]}},
            "Property .filter.price should have required property 'conditions'",
        ),
        (
            conditions(price={"$almost": [1]}),
            "Property .filter.price.conditions.$almost is not a known operator",
        ),
        (
            conditions(price={"$less_than": ["cheap"]}),
            "Property .filter.price.conditions.$less_than should have one value, a number or a date",
        ),
    ],
)
def test_a_wrong_filter_is_named(data, details):
    with pytest.raises(InvalidPayload) as refused:
        parse_filter(data)

    assert str(refused.value) == details


def test_an_unknown_field_is_named():
    with pytest.raises(InvalidPayload, match=r"Property \.filter\.colour should be one of id, product_id"):
        parse_filter(conditions(colour={"$is": ["red"]}))


def test_a_static_collection_shows_what_it_lists(api, project):
    product, sku = ProductFactory(project=project), SkuFactory(project=project)
    listed = [
        {"id": product.public_id, "object": "product"},
        {"id": sku.public_id, "product_id": sku.product.public_id, "object": "sku"},
    ]

    made = api.post("/v1/product-collections", {"type": "STATIC", "name": "Set", "products": listed}).json()

    assert made == {
        "id": made["id"],
        "name": "Set",
        "type": "STATIC",
        "products": listed,
        "created_at": made["created_at"],
        "object": "products_collection",
    }
    assert api.get(f"/v1/product-collections/{made['id']}").json() == made


def test_a_static_collection_takes_source_ids_and_lists_each_once(api, project):
    product = ProductFactory(project=project)
    rows = [{"id": product.source_id, "object": "product"}, {"id": product.public_id, "object": "product"}]

    made = api.post("/v1/product-collections", {"type": "STATIC", "name": "Set", "products": rows}).json()

    assert made["products"] == [{"id": product.public_id, "object": "product"}]


def test_a_collection_by_filter_shows_it(api):
    body = {"type": "AUTO_UPDATE", "name": "Cheap", "filter": conditions(price={"$less_than": [1000]})}

    made = api.post("/v1/product-collections", body).json()

    assert {name: made[name] for name in body} == body
    assert api.get("/v1/product-collections").json()["data"] == [made]


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ([], "Payload should be object"),
        ({"name": "x"}, "Payload must have required property 'type'"),
        ({"type": "STATIC"}, "Payload must have required property 'name'"),
        ({"type": "OTHER", "name": "x"}, "Property .type should be one of STATIC, AUTO_UPDATE"),
        ({"type": "STATIC", "name": 5}, "Property .name must be string"),
        ({"type": "STATIC", "name": "x", "products": {}}, "Property .products should be array"),
        (
            {"type": "STATIC", "name": "x", "products": [{"object": "product"}]},
            "Property .products[0] should have required property 'id'",
        ),
        (
            {"type": "STATIC", "name": "x", "products": [{"id": "a", "object": "x"}]},
            "Property .products[0].object should be one of product, sku",
        ),
        (
            {"type": "AUTO_UPDATE", "name": "x"},
            "'AUTO_UPDATE' collection must contain valid filter with 'junction' property",
        ),
    ],
)
def test_bad_input_is_named_and_makes_nothing(api, body, details):
    assert api.post("/v1/product-collections", body).json()["details"] == details
    assert ProductCollection.objects.count() == 0


@pytest.mark.parametrize("kind", ["product", "sku"])
def test_what_is_listed_must_exist(api, kind):
    body = {"type": "STATIC", "name": "x", "products": [{"id": "none", "object": kind}]}

    answer = api.post("/v1/product-collections", body)

    assert (answer.status_code, answer.json()["resource_type"]) == (404, kind)


def test_a_collection_by_filter_gets_another_name_and_filter(api, project):
    collection = ProductCollectionFactory(project=project)
    changed = {"name": "Dear", "filter": conditions(price={"$more_than": [9000]})}

    answer = api.put(f"/v1/product-collections/{collection.public_id}", changed).json()

    assert {name: answer[name] for name in changed} == changed
    assert "updated_at" in answer


def test_what_a_static_collection_lists_stays(api, project):
    listed = [{"id": ProductFactory(project=project).public_id, "object": "product"}]
    made = api.post("/v1/product-collections", {"type": "STATIC", "name": "Set", "products": listed}).json()

    answer = api.put(f"/v1/product-collections/{made['id']}", {"name": "Other", "products": []}).json()

    assert (answer["name"], answer["products"]) == ("Other", listed)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"name": None}, "Property .name must be string"),
        ({"filter": {}}, "'AUTO_UPDATE' collection must contain valid filter with 'junction' property"),
    ],
)
def test_a_wrong_update_is_named(api, project, body, details):
    collection = ProductCollectionFactory(project=project)

    assert api.put(f"/v1/product-collections/{collection.public_id}", body).json()["details"] == details


def test_a_deleted_collection_is_gone(api, project):
    path = f"/v1/product-collections/{ProductCollectionFactory(project=project).public_id}"

    assert api.delete(path).status_code == 204
    assert api.get(path).json()["details"].startswith("Cannot find products_collection with id pc_")


@pytest.mark.parametrize("column", ["rules", "bundle_rules", "applicable_to"])
def test_a_collection_that_a_rule_names_stays(api, project, column):
    collection = ProductCollectionFactory(project=project)
    named = {"anything": [{"id": collection.public_id}]}
    rule = ValidationRuleFactory(project=project, **{column: named})

    answer = api.delete(f"/v1/product-collections/{collection.public_id}")

    body = answer.json()
    assert (answer.status_code, body["key"]) == (400, "resource_in_use")
    assert (body["related_object_ids"], body["related_object_type"]) == ([rule.public_id], "validation_rules")
    assert ProductCollection.objects.count() == 1


def test_another_projects_rule_keeps_no_collection(api, project):
    collection = ProductCollectionFactory(project=project)
    ValidationRuleFactory(rules={"id": collection.public_id})

    assert api.delete(f"/v1/product-collections/{collection.public_id}").status_code == 204


def test_each_change_grows_the_version_of_definitions(api, project):
    collection = ProductCollectionFactory(project=project)
    path = f"/v1/product-collections/{collection.public_id}"
    api.post("/v1/product-collections", {"type": "STATIC", "name": "Set"})
    api.put(path, {"name": "x"})
    api.delete(path)

    assert growths(project) == 3


def test_a_static_collection_holds_its_products_with_their_skus(api, project):
    product, other = ProductFactory(project=project), SkuFactory(project=project)
    sku = SkuFactory(project=project, product=product)
    SkuFactory(project=project, product=other.product)
    rows = [{"id": product.public_id, "object": "product"}, {"id": other.public_id, "object": "sku"}]
    made = api.post("/v1/product-collections", {"type": "STATIC", "name": "Set", "products": rows}).json()

    listed = api.get(f"/v1/product-collections/{made['id']}/products", {"order": "created_at"}).json()

    assert [row["id"] for row in listed["data"]] == [product.public_id, other.public_id, sku.public_id]
    assert listed["data"][2]["product"]["id"] == product.public_id


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["D", "sku of C", "A"]),
        ({"order": "created_at", "limit": 2}, ["A", "sku of C"]),
        ({"limit": 2, "page": 2}, ["A"]),
        ({"starting_after": "2000-01-01"}, []),
    ],
)
def test_a_collection_by_filter_holds_what_matches_now(api, project, query, names):
    for name, price in (("A", 100), ("B", None), ("C", 9000)):
        product = ProductFactory(project=project, name=name, price=price)
    SkuFactory(project=project, product=product, sku="dear")
    SkuFactory(project=project, product=product, sku="sku of C", price=200)
    ProductFactory(project=project, name="D", price=300)
    collection = ProductCollectionFactory(project=project)

    listed = api.get(f"/v1/product-collections/{collection.public_id}/products", query).json()

    assert [row.get("name") or row["sku"] for row in listed["data"]] == names
    assert listed["total"] == (0 if "starting_after" in query else 3)


def test_a_filter_may_ask_for_a_products_skus(api, project):
    sku = SkuFactory(project=project, source_id="shoe-42")
    ProductFactory(project=project)
    collection = ProductCollectionFactory(project=project, filter=conditions(skus={"$is": ["shoe-42"]}))

    listed = api.get(f"/v1/product-collections/{collection.public_id}/products").json()

    assert [row["id"] for row in listed["data"]] == [sku.product.public_id]


def test_every_project_has_the_collection_of_all_products(api, project):
    sku = SkuFactory(project=project)
    path = "/v1/product-collections/pc_a11pr0dUc75"

    listed = api.get(f"{path}/products").json()

    assert api.get(path).json()["object"] == "products_collection"
    assert ([row["id"] for row in listed["data"]], listed["total"]) == (
        [sku.public_id, sku.product.public_id],
        2,
    )


def test_the_collection_of_all_products_stays(api):
    path = "/v1/product-collections/pc_a11pr0dUc75"

    answers = [api.put(path, {"name": "x"}), api.delete(path)]

    assert [answer.json()["key"] for answer in answers] == ["resource_protected"] * 2


def test_listing_asks_as_much_for_three_as_for_one(api, project, django_assert_num_queries):
    product = ProductFactory(project=project)
    for name in ("a", "b", "c", "d"):
        rows = [{"id": product.public_id, "object": "product"}]
        api.post("/v1/product-collections", {"type": "STATIC", "name": name, "products": rows})

    with django_assert_num_queries(3):
        api.get("/v1/product-collections", {"limit": 1})
    with django_assert_num_queries(3):
        api.get("/v1/product-collections", {"limit": 3})
