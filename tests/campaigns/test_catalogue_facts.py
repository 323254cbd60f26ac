"""What a checkout learns of the catalogue, and what it costs."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from campaigns.facts import catalogue_facts, refs_of_line
from campaigns.models import ProductCollectionMember
from promoengine.core.models import Project
from promoengine.engine.operators import Moment
from tests.factories import ProductCollectionFactory, ProductFactory, ProjectFactory, SkuFactory

AT = Moment(datetime(2026, 6, 1, tzinfo=UTC), ZoneInfo("UTC"))
ALL = "pc_a11pr0dUc75"


def facts(project, *refs, lines=()):
    version = Project.objects.get(pk=project.pk).definitions_version
    return catalogue_facts(project, refs=refs, lines=lines, version=version, at=AT)


def by_filter(project, **fields):
    asked = {"junction": "and"} | {name: {"conditions": one} for name, one in fields.items()}
    return ProductCollectionFactory(project=project, filter=asked).public_id


def static(project, *rows):
    collection = ProductCollectionFactory(project=project, type="STATIC", filter=None)
    for row in rows:
        kind = "product" if row.prefix == "prod" else "sku"
        ProductCollectionMember.objects.create(collection=collection, **{kind: row})
    return collection.public_id


def test_a_product_is_known_by_every_id(project):
    product = ProductFactory(project=project, source_id="shoe", price=700, metadata={"a": 1})

    goods = facts(project, "shoe").goods

    assert set(goods) == {"shoe", product.public_id}
    assert goods["shoe"] is goods[product.public_id]
    assert (goods["shoe"].object, goods["shoe"].price, goods["shoe"].metadata) == ("product", 700, {"a": 1})
    assert goods["shoe"].product_ids == goods["shoe"].ids == {"shoe", product.public_id}


def test_a_sku_knows_its_product(project):
    product = ProductFactory(project=project, source_id="shoe", metadata={"brand": "Acme", "size": 0})
    sku = SkuFactory(project=project, product=product, source_id="42", price=600, metadata={"size": 42})

    good = facts(project, sku.public_id).goods["42"]

    assert (good.object, good.ids) == ("sku", {"42", sku.public_id})
    assert good.product_ids == {"shoe", product.public_id}
    assert (good.price, good.metadata) == (600, {"brand": "Acme", "size": 42})
    assert good.wire["product"]["name"] == "Shoe"


def test_a_sku_without_a_price_costs_what_its_product_costs(project):
    SkuFactory(project=project, source_id="42")

    assert facts(project, "42").goods["42"].price == 5000


def test_only_the_projects_own_goods_are_found(project):
    ProductFactory(source_id="shoe")
    SkuFactory(project=ProjectFactory(), source_id="42")

    assert facts(project, "shoe", "42").goods == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ({"product_id": "shoe"}, "product"),
        ({"sku_id": "42"}, "sku"),
        ({"product_id": "shoe", "sku_id": "42"}, "sku"),
        ({"product_id": "shoe", "sku_id": "43"}, "product"),
        ({"source_id": "shoe"}, "product"),
        ({"source_id": "42"}, "sku"),
        ({"source_id": "both"}, "product"),
        ({"source_id": "both", "related_object": "sku"}, "sku"),
        ({"source_id": "shoe", "related_object": "sku"}, None),
        ({"product": {"source_id": "shoe"}}, "product"),
        ({"sku": {"id": "42"}, "product": {"id": 7}}, "sku"),
        ({"product_id": "none"}, None),
        ({}, None),
    ],
)
def test_a_line_names_its_good_in_many_ways(project, line, found):
    shoe = ProductFactory(project=project, source_id="shoe")
    SkuFactory(project=project, source_id="42", product=shoe)
    SkuFactory(project=project, source_id="both", product=ProductFactory(project=project, source_id="both"))

    good = facts(project, lines=[line]).good_of_line(line)

    assert (good.object if good else None) == found


def test_a_listed_product_brings_its_skus_and_a_listed_sku_stands_alone(project):
    product, other = ProductFactory(project=project), SkuFactory(project=project)
    sku = SkuFactory(project=project, product=product)
    collection = static(project, product, other)

    goods = facts(project, product.source_id, sku.source_id, other.source_id, other.product.source_id).goods

    assert goods[product.source_id].collections == goods[sku.source_id].collections == {ALL, collection}
    assert goods[other.source_id].collections == {ALL, collection}
    assert goods[other.product.source_id].collections == {ALL}


def test_a_filter_is_asked_of_product_and_sku_apart(project):
    sku = SkuFactory(project=project, price=9000)
    cheap = by_filter(project, price={"$less_than": [6000]})
    dear = by_filter(project, price={"$more_than": [6000]})

    goods = facts(project, sku.source_id, sku.product.source_id).goods

    assert goods[sku.product.source_id].collections == {ALL, cheap}
    assert goods[sku.source_id].collections == {ALL, dear}


def test_a_filter_may_ask_for_a_products_skus(project):
    sku = SkuFactory(project=project, source_id="42")
    collection = by_filter(project, skus={"$is": ["42"]})

    assert facts(project, sku.product.source_id).goods[sku.product.source_id].collections == {ALL, collection}


@pytest.mark.parametrize(
    ("line", "collections"),
    [
        ({"product_id": "shoe"}, {"cheap", "set"}),
        ({"product_id": "shoe", "price": 9000, "product": {"price": 9000}}, {"cheap", "set"}),
        ({"product_id": "new"}, set()),
        ({"product_id": "new", "price": 100}, {"cheap"}),
        ({"source_id": "new", "product": {"price": 100, "metadata": {"brand": "Acme"}}}, {"cheap", "acme"}),
        ({"sku_id": "new", "related_object": "sku", "sku": {"metadata": {"brand": "Acme"}}}, {"acme"}),
        (
            {"product_id": "shoe", "sku_id": "new", "sku": {"metadata": {"brand": "Acme"}}},
            {"cheap", "set", "acme"},
        ),
        ({"product": {"metadata": {"brand": "Acme"}}}, {"acme"}),
        ({"metadata": {"brand": "Acme"}}, set()),
    ],
)
def test_a_line_is_in_the_collections_of_its_goods_or_of_what_it_says(project, line, collections):
    shoe = ProductFactory(project=project, source_id="shoe")
    named = {
        "cheap": by_filter(project, price={"$less_than": [6000]}),
        "acme": by_filter(project, **{"metadata.brand": {"$is": ["Acme"]}}),
        "set": static(project, shoe),
    }

    found = facts(project, lines=[line]).collections_of_line(line)

    assert found == {ALL} | {named[name] for name in collections}


def test_goods_that_are_not_stored_are_looked_for_in_the_collections_asked_about(project):
    line = {"source_id": "hat", "price": 5000}
    cheap = by_filter(project, price={"$less_than": [6000]})
    by_filter(project, price={"$less_than": [7000]})

    found = catalogue_facts(project, lines=[line], asked=[cheap, "pc_none"], version=0, at=AT)

    assert found.collections_of_line(line) == {ALL, cheap}


def test_shipping_needs_no_row(project, django_assert_num_queries):
    facts(project, "prod_5h1pp1ng")

    with django_assert_num_queries(0):
        found = catalogue_facts(project, refs=["5h1pp1ng"], version=0, at=AT)

    assert found.goods["prod_5h1pp1ng"].wire["name"] == "Shipping"


def test_all_ids_of_a_line_are_named():
    line = {
        "source_id": "a",
        "product_id": "b",
        "sku_id": "c",
        "product": {"id": "d", "source_id": "e"},
        "sku": {"id": "f", "source_id": ""},
    }

    assert refs_of_line(line) == set("abcdef")


@pytest.mark.parametrize("count", [1, 50])
def test_a_first_checkout_costs_two_queries_and_the_next_none(project, count, django_assert_num_queries):
    skus = [SkuFactory(project=project) for _ in range(count)]
    static(project, *skus)
    by_filter(project, price={"$less_than": [6000]})
    lines = [{"product_id": sku.product.source_id, "sku_id": sku.public_id} for sku in skus]

    with django_assert_num_queries(2):
        catalogue_facts(project, lines=lines, version=0, at=AT)
    with django_assert_num_queries(0):
        found = catalogue_facts(project, lines=lines, version=0, at=AT)
        assert all(len(found.collections_of_line(line)) == 3 for line in lines)


def test_nothing_named_costs_nothing(project, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert catalogue_facts(project, refs=[""], lines=[{"price": 5}], version=0, at=AT).goods == {}


def test_a_changed_filter_holds_at_the_next_version(api, project):
    ProductFactory(project=project, source_id="shoe")
    collection = by_filter(project, price={"$more_than": [6000]})
    before = facts(project, "shoe").goods["shoe"].collections

    changed = {"junction": "and", "price": {"conditions": {"$less_than": [6000]}}}
    api.put(f"/v1/product-collections/{collection}", {"filter": changed})

    assert before == {ALL}
    assert facts(project, "shoe").goods["shoe"].collections == {ALL, collection}
