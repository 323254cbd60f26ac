"""Making, changing and deleting product collections."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from campaigns.builtin import BuiltIn
from campaigns.catalogue_selectors import COLLECTION, collection_by_id, products_of, skus_of
from campaigns.membership import parse_filter
from campaigns.models import Product, ProductCollection, ProductCollectionMember, Sku
from campaigns.services.in_use import refuse_if_in_use
from customers.places import check_locations
from promoengine.core.errors import InvalidPayload, NotFound
from promoengine.core.ids import parse_public_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import definitions_changed
from promoengine.engine.items import ALL_PRODUCTS

NAME_MAX = 255
OBJECTS = ("product", "sku")


@transaction.atomic
def create_collection(project: Project, *, data: Any, now: datetime) -> ProductCollection:
    """Make a collection, and return it: STATIC of listed `products`, or AUTO_UPDATE by a `filter`.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
        NotFound: the project has no product, SKU or location of an id that is named.
    """
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    for name in ("type", "name"):
        if data.get(name) in (None, ""):
            raise InvalidPayload(f"Payload must have required property '{name}'")
    if data["type"] not in ProductCollection.Type.values:
        raise InvalidPayload(f"Property .type should be one of {', '.join(ProductCollection.Type.values)}")
    collection = ProductCollection(
        project=project, name=_name(data["name"]), type=data["type"], created_at=now
    )
    if collection.type == ProductCollection.Type.AUTO_UPDATE:
        collection.filter = _filter(data.get("filter"))
        definitions_changed(project)
        check_locations(project, collection.filter)
        collection.save(force_insert=True)
        return collection
    listed = _listed(project, data.get("products"))
    definitions_changed(project)
    collection.save(force_insert=True)
    for member in listed:
        member.collection = collection
    ProductCollectionMember.objects.bulk_create(listed, batch_size=1000)
    return collection


@transaction.atomic
def update_collection(project: Project, ref: str, *, data: Any, now: datetime) -> ProductCollection:
    """Give a collection another name, or an AUTO_UPDATE one another filter, and return it.

    What a STATIC collection lists stays as it is.

    Raises:
        InvalidPayload: a field is wrong; the details name it.
        NotFound: the project has no such collection, or no location that is asked about.
        BuiltIn: it is the collection of all products.
    """
    _refuse_all_products(ref)
    collection = collection_by_id(project, ref)
    if not isinstance(data, Mapping):
        raise InvalidPayload("Payload should be object")
    if "name" in data:
        collection.name = _name(data["name"])
    if "filter" in data and collection.type == ProductCollection.Type.AUTO_UPDATE:
        collection.filter = _filter(data["filter"])
    collection.updated_at = now
    definitions_changed(project)
    check_locations(project, collection.filter)
    collection.save(update_fields=["name", "filter", "updated_at"])
    return collection


@transaction.atomic
def delete_collection(project: Project, ref: str) -> None:
    """Delete a collection; its products stay.

    Raises:
        NotFound: the project has no such collection.
        ResourceInUse: a validation rule names it.
        BuiltIn: it is the collection of all products.
    """
    _refuse_all_products(ref)
    collection = collection_by_id(project, ref)
    definitions_changed(project)
    refuse_if_in_use(project, COLLECTION, collection.public_id)
    collection.delete()


def _refuse_all_products(ref: str) -> None:
    if ref == ALL_PRODUCTS:
        raise BuiltIn("The collection of all products is built in", resource_id=ref, resource_type=COLLECTION)


def _name(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidPayload("Property .name must be string")
    if not 1 <= len(name) <= NAME_MAX:
        raise InvalidPayload(f"Property .name should have 1 to {NAME_MAX} characters")
    return name


def _filter(data: Any) -> dict[str, Any]:
    parse_filter(data)
    return dict(data)


def _listed(project: Project, rows: Any) -> list[ProductCollectionMember]:
    """Return the members that a payload lists, each once, without their collection yet."""
    rows = [] if rows is None else rows
    if not isinstance(rows, list):
        raise InvalidPayload("Property .products should be array")
    asked: dict[tuple[str, str], None] = {}
    for index, row in enumerate(rows):
        where = f".products[{index}]"
        if not isinstance(row, Mapping):
            raise InvalidPayload(f"Property {where} should be object")
        if not isinstance(row.get("id"), str) or not row["id"]:
            raise InvalidPayload(f"Property {where} should have required property 'id'")
        if row.get("object") not in OBJECTS:
            raise InvalidPayload(f"Property {where}.object should be one of {', '.join(OBJECTS)}")
        asked[row["object"], row["id"]] = None
    products = _keys(Product, products_of(project), [ref for kind, ref in asked if kind == "product"])
    skus = _keys(Sku, skus_of(project), [ref for kind, ref in asked if kind == "sku"])
    members: dict[tuple[Any, Any], ProductCollectionMember] = {}
    for kind, ref in asked:
        key = (products if kind == "product" else skus).get(ref)
        if key is None:
            raise NotFound(kind, ref)
        column = f"{kind}_id"
        members[kind, key] = ProductCollectionMember(**{column: key})
    return list(members.values())


def _keys(model: type[Product | Sku], rows: Any, refs: list[str]) -> dict[str, Any]:
    """Return the keys of products or SKUs by the ids and source ids they are asked for by."""
    if not refs:
        return {}
    keys = {ref: key for ref in refs if (key := parse_public_id(model.prefix, ref))}
    found = rows.filter(Q(source_id__any_of=refs) | Q(pk__any_of=keys.values())).values_list(
        "pk", "source_id"
    )
    by_source, known = {}, set()
    for key, source_id in found:
        known.add(key)
        by_source[source_id] = key
    return {ref: key for ref, key in keys.items() if key in known} | {
        ref: by_source[ref] for ref in refs if ref in by_source
    }
